// Staging: a run's people in pages, known again by their chunk or compared by hash in Postgres; only the new and the changed are sent.
import type { Account } from '../connectors/account.ts'
import type { Cursor } from '../connectors/engine.ts'
import { copyRows } from '../db/copy.ts'
import type { Db } from '../db/db.ts'
import { one } from '../lib/assert.ts'
import { type Chunk, createCutter, digestOfChunk } from './chunks.ts'
import type { Memory } from './memory.ts'
import { arrayText, cellsOf, digestOf, personColumns } from './row.ts'

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

export interface Batch {
  accounts: readonly Account[]
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
/** After so many people of one batch the event loop is given a turn. */
const turnMax = 1_000
/** Rows sent at once: a COPY costs as much as the rows of many a page that hardly changed. */
const rowsAtOnce = 500
/** People and rows wait for more of them no longer than this: what a process that is killed takes with it is read again. */
const waitMs = 1_000

interface Page {
  people: number
  /** Those known again: sets of `seq` without their braces. */
  known: string[]
  /** Those to be asked about. */
  unknown: Unknown[]
  problems: number
  /** Null where a chunk goes on after it. */
  cursor: Cursor | null
}

interface Unknown extends Chunk {
  /** Of all of them, and of each. */
  digest: string
  hashes: string[]
}

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
  const take = (chunk: Chunk | undefined) => {
    if (!chunk) return
    page.people += chunk.ids.length
    const digest = digestOfChunk(chunk)
    const found = memory.recall(digest)
    if (found !== undefined) return know(found)
    page.unknown.push({ ...chunk, digest, hashes: chunk.texts.map(digestOf) })
    unknown += chunk.ids.length
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
    async write({ accounts, problems, cursor }) {
      writing = true
      let taken = 0
      for (const account of accounts) {
        take(cutter.push(account))
        taken += 1
        if (taken % turnMax === 0) await new Promise(resolve => setImmediate(resolve))
        if (unknown < unknownMax) continue
        await room()
        turnPage(false)
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

/** Note the page with whom it saw unchanged, and learn who is not; $2 and $3 are ids and their hashes, $10 those known again. */
const probe = `
  with found as materialized (
    select s.at, a.seq, coalesce(a.hash = s.hash and a.gone_at is null, false) as same
    from unnest($2::text::text[], $3::text::text[]) with ordinality as s(external_id, hash, at)
    left join account a on a.instance_id = $1::uuid and a.external_id = s.external_id),
  sums as materialized (
    select count(*) filter (where not same) as staged,
      count(distinct seq) as known, min(seq) as first, max(seq) as last from found),
  noted as (
    insert into account_page (run_id, page, fence, written_by, generation, people, problems, staged, found, same, cursor, at)
    select $4::uuid, $5::int, $6::bigint, $6::bigint, $7::int, $11::int, $8::int, staged,
      $10::text::int8multirange + case when last - first + 1 = known then int8multirange(int8range(first, last + 1))
        else coalesce((select range_agg(int8range(seq, seq + 1)) from found where seq is not null), '{}') end,
      case when staged > 0 then $10::text::int8multirange
        + coalesce((select range_agg(int8range(seq, seq + 1)) from found where same), '{}') end,
      $9::text::jsonb, now() from sums)
  select string_agg(at::text, ',' order by at) filter (where not same) as places,
    string_agg(coalesce(seq::text, ''), ',' order by at) as seqs
  from found`

/** The rows that this page has for the staging, in COPY's text format; chunks that are as they are stored are learned. */
async function probeFor(
  db: Db,
  reading: Reading,
  memory: Memory,
  { page, people, known, unknown, problems, cursor }: Page & { page: number },
): Promise<string[]> {
  const ids = unknown.flatMap(chunk => chunk.ids)
  const hashes = unknown.flatMap(chunk => chunk.hashes)
  const rows = await db.pages.unsafe<{ places: string | null; seqs: string | null }[]>(
    probe,
    [
      ...[reading.instanceId, arrayText(ids), arrayText(hashes)],
      ...[reading.runId, page, reading.fence, reading.generation, problems],
      ...[cursor && JSON.stringify(cursor), `{${known.join(',')}}`, people],
    ],
    { prepare: true },
  )
  const { places, seqs } = one(rows, 'an aggregate returns a row')
  const seqOf = seqs?.split(',') ?? []
  // In order, as the people are.
  const differs = places?.split(',') ?? []
  const lines: string[] = []
  let [from, next] = [0, 0]
  for (const { ids, texts, hashes, digest } of unknown) {
    const end = from + ids.length
    const first = next
    let fresh = false
    for (let place = Number(differs[next]) - 1; place < end; place = Number(differs[next]) - 1) {
      const at = place - from
      const seq = seqOf[place]
      if (!seq) fresh = true
      const cells = cellsOf(ids[at] ?? '', texts[at] ?? '', hashes[at])
      lines.push(`${reading.runId}\t${reading.fence}\t${page}\t${seq || '\\N'}\t${cells}\n`)
      next += 1
    }
    // Where somebody new will be is not known before the merge.
    if (!fresh) memory.learn(digest, rangesOf(seqOf, from, end), next === first ? 'same' : 'changed')
    from = end
  }
  return lines
}

/** These numbers as a multirange without its braces, from one place to before another. */
function rangesOf(seqs: readonly string[], from: number, to: number): string {
  let ranges = ''
  let first = Number(seqs[from])
  let last = first
  for (let at = from + 1; at < to; at += 1) {
    const seq = Number(seqs[at])
    if (seq !== last + 1) {
      ranges += `[${first},${last + 1}),`
      first = seq
    }
    last = seq
  }
  return `${ranges}[${first},${last + 1})`
}
