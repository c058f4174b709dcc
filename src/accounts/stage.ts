// Staging: a run's people in pages, known again by their chunk or compared by hash in Postgres; only the new and the changed are sent.
import type { Account } from '../connectors/account.ts'
import type { Cursor, ListedChunk } from '../connectors/engine.ts'
import { copyRows } from '../db/copy.ts'
import type { Db } from '../db/db.ts'
import { assert } from '../lib/assert.ts'
import { type Chunk, chunkOf, createCutter, digestOfChunk } from './chunks.ts'
import type { Memory } from './memory.ts'
import { type Page, probeFor } from './probe.ts'
import { digestOf, personColumns } from './row.ts'

/** A run under one claim: rows of an older fence are never merged. */
export interface StagingFor {
  runId: string
  fence: number
  /** Set when they went straight into the empty table, in the transaction that merges: how many. */
  loaded?: number
}

/** What the rows of a run are marked with; its pages are of no use to another generation of the instance. */
export interface Reading extends StagingFor {
  instanceId: string
  generation: number
}

/** People as the vendor's pages name them. */
export interface Listed {
  /** Those that are in no chunk. */
  accounts: readonly Account[]
  chunks: readonly ListedChunk[]
}

export interface Batch extends Listed {
  /** Rows that could not be read, of all batches so far. */
  problems: number
  /** Where the vendor's stream goes on; null: it cannot. */
  cursor: Cursor | null
}

export interface Stager {
  /** Take a batch; resolves when few enough pages are under way for the next one. Throws what one of them threw. */
  write(batch: Batch): Promise<void>
  /** How many pages this claim has, adopted ones and those that were begun. */
  pages(): number
  /** Resolves when everybody is staged, on a page that can be gone on after. Throws as `write` does. */
  settle(): Promise<void>
  /** Stage nobody else; resolves when nothing is under way any more. */
  leave(): Promise<void>
}

/** Postgres answers for one page while Node reads the next; more would only fill memory. */
const underWayMax = 2
/** So many people who are not known again make a page: of 400 the garbage collector carries more along than a statement costs. */
const unknownMax = 200
/** Longer sets are not added to: each time they would be copied. */
const knownMax = 100
/** So many of a run's chunks say whether the vendor's bytes tell who is known again. */
const sampleChunks = 64
/** After so many people of one batch the event loop is given a turn. */
const turnMax = 1_000
/** Rows sent at once: a COPY costs as much as the rows of many a page that hardly changed. */
const rowsAtOnce = 500
/** People and rows wait for more of them no longer than this: what a process that is killed takes with it is read again. */
const waitMs = 1_000

const emptyPage = (): Page => ({ people: 0, known: [], unknown: [], problems: 0, cursor: null })

/**
 * Stage for this claim, after the `pages` that it has adopted. A page is whole once its rows are in, and can be gone on after
 * if it has a cursor; it gets one within a second.
 */
export function createStager(db: Db, reading: Reading, from: { pages: number; memory: Memory }): Stager {
  const { memory } = from
  const cutter = createCutter()
  const underWay = new Set<Promise<void>>()
  let failed: { error: unknown } | undefined
  let pages = from.pages
  let page = emptyPage()
  let unknown = 0
  let [listed, knownInSample] = [0, 0]
  let lines: string[] = []
  let timer: NodeJS.Timeout | undefined
  /** What was read to its end last. */
  let read: Pick<Batch, 'cursor' | 'problems'> | undefined
  let [writing, late] = [false, false]

  const room = async () => {
    while (underWay.size >= underWayMax) await Promise.race(underWay)
    if (failed) throw failed.error
  }
  const begin = (work: Promise<void>) => {
    const ended = work
      .catch(error => {
        failed ??= { error }
      })
      .finally(() => underWay.delete(ended))
    underWay.add(ended)
  }
  const send = async () => {
    const rows = lines.join('')
    lines = []
    if (rows !== '')
      await copyRows(db.pages, `account_staging (run_id, fence, page, seq, ${personColumns})`, rows)
  }
  /** One range where this one goes on where the last one ends, as it does for who was loaded together. */
  const know = (found: string) => {
    const last = page.known.at(-1)
    const end = last?.slice(last.lastIndexOf(',') + 1, -1)
    const goesOn = last !== undefined && last.length < knownMax && found.startsWith(`[${end},`)
    if (!goesOn) return void page.known.push(found)
    page.known[page.known.length - 1] = last.slice(0, last.lastIndexOf(',')) + found.slice(found.indexOf(','))
  }
  /** Known by what is read of them; learned by the digest of the vendor's bytes, if that is given. */
  const take = (chunk: Chunk | undefined, ofBytes?: string) => {
    if (!chunk) return
    const { accounts, texts } = chunk
    page.people += accounts.length
    const digest = digestOfChunk(chunk)
    const found = memory.recall(digest)
    if (found === undefined) {
      const ids = accounts.map(account => account.externalId)
      page.unknown.push({ ids, texts, digest: ofBytes ?? digest, hashes: texts.map(digestOf) })
      unknown += ids.length
      return
    }
    if (ofBytes !== undefined) memory.learn(ofBytes, found, 'same')
    know(found)
  }
  const takeListed = ({ known, digest, accounts }: ListedChunk) => {
    const inSample = listed < sampleChunks
    listed += 1
    if (known) {
      if (inSample) knownInSample += 1
      page.people += known.people
      const found = memory.recall(known.digest)
      assert(found !== undefined, 'the engine knows by the memory of the run')
      return know(found)
    }
    // A vendor's bytes may differ each time, where its people do not: in the signed address of a picture.
    const bytesTell = inSample || knownInSample >= sampleChunks / 4
    take(chunkOf(accounts), bytesTell ? digest : undefined)
  }
  const stagePage = async (what: Page & { page: number }, now: boolean) => {
    for (const line of await probeFor(db, reading, memory, what)) lines.push(line)
    if (now || lines.length >= rowsAtOnce) await send()
    else if (lines.length > 0) wait()
  }
  const turnPage = (now: boolean) => {
    pages += 1
    begin(stagePage({ ...page, page: pages }, now))
    page = emptyPage()
    unknown = 0
  }
  /** A page that can be gone on after, with everybody who was read. */
  const close = () => {
    clearTimeout(timer)
    timer = undefined
    late = false
    take(cutter.end())
    if (!read) {
      if (lines.length > 0) begin(send())
      return
    }
    // With the rows that wait.
    Object.assign(page, read)
    read = undefined
    turnPage(true)
  }
  const wait = () => {
    timer ??= setTimeout(() => {
      if (writing) late = true
      else close()
    }, waitMs)
  }
  const quiet = async () => {
    while (underWay.size > 0) await Promise.all(underWay)
    clearTimeout(timer)
    timer = undefined
    if (failed) throw failed.error
  }
  return {
    async write({ accounts, chunks, problems, cursor }) {
      writing = true
      let taken = 0
      const goOn = async (people: number) => {
        if (Math.floor(taken / turnMax) < Math.floor((taken + people) / turnMax))
          await new Promise(resolve => setImmediate(resolve))
        taken += people
        if (unknown < unknownMax) return
        await room()
        turnPage(false)
      }
      for (const account of accounts) {
        take(cutter.push(account))
        await goOn(1)
      }
      for (const chunk of chunks) {
        takeListed(chunk)
        await goOn(chunk.accounts?.length ?? 0)
      }
      writing = false
      read = { problems, cursor }
      wait()
      if (!late) return
      await room()
      close()
    },
    pages: () => pages,
    async settle() {
      if (failed) throw failed.error
      close()
      await quiet()
      await send()
    },
    async leave() {
      await quiet().catch(() => {})
    },
  }
}
