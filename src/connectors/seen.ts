// Who was listed so far, in bounded memory: nobody is given twice, and a page that comes again is noticed.
import { createHash } from 'node:crypto'
import type { Account } from './account.ts'
import type { ListedChunk } from './engine.ts'

/**
 * People remembered by name, of all listings and of the only one. Who is in two listings may be far apart; in one, somebody
 * comes again where its pages moved while they were read. Beyond that, who is listed twice is one row all the same, by the merge.
 */
const namesMax = 100_000
const lastNames = 2_000
/** Of an answer, kept until the next one has come. */
const tailMax = 1_000

/** People of an answer, or of a portion of one. */
export interface Listed {
  accounts: Account[]
  chunks?: ListedChunk[] | undefined
}

export interface Seen {
  /** People given. */
  people: number
  /** An answer of this listing begins. */
  answer(listing: number): SeenAnswer
}

export interface SeenAnswer {
  /** Who of this portion was not given before. Who is known again has no name here, and is given as often as listed. */
  firstOfEach(portion: Listed): Listed
  /**
   * At its end: it has come already in this listing. Some of the answer just before are no repetition of it: a list may
   * end with them, where a search goes on from its last moment or somebody has moved it by a place.
   */
  hasCome(): boolean
}

/** For a walk over so many listings. */
export function createSeen(listings: number): Seen {
  const names = listings > 1 ? allNames() : newestNames()
  const answers = new Set<string>()
  let before: readonly string[] = []
  const seen: Seen = {
    people: 0,
    answer(listing) {
      // Some 30 bytes an answer: a directory of a million has a few thousand of them.
      const print = createHash('sha1').update(`${listing}`)
      let [listed, repeated] = [0, true]
      let ids: string[] = []
      const isFirst = ({ externalId }: Account) => {
        const before = names.lastListing(externalId, listing)
        if (before === listing) return false
        repeated = false
        return before === undefined
      }
      return {
        firstOfEach(portion) {
          const { accounts, chunks } = portion
          if (accounts.length === 0 && !chunks?.length) return portion
          listed += 1
          // Hashed at once: a call an id costs more than the hash.
          const now = idsOf(portion)
          print.update(`\n${now.join('\n')}`)
          if (ids.length <= tailMax) ids = ids.length === 0 ? now : ids.concat(now)
          if (chunks?.some(chunk => chunk.known)) repeated = false
          const first: Listed = { accounts: accounts.filter(isFirst) }
          if (chunks) first.chunks = []
          for (const chunk of chunks ?? []) {
            const firsts = chunk.accounts?.filter(isFirst)
            if (firsts?.length === chunk.accounts?.length) first.chunks?.push(chunk)
            else for (const account of firsts ?? []) first.accounts.push(account)
          }
          seen.people += peopleOf(first)
          return first
        },
        hasCome() {
          if (listed === 0) return false
          const { size } = answers
          const again = answers.add(print.digest('base64url')).size === size
          const some = repeated && isPartOf(ids, before)
          before = ids
          return again || (repeated && !some)
        },
      }
    },
  }
  return seen
}

/** Fewer than all of them, and nobody else. */
function isPartOf(ids: readonly string[], all: readonly string[]): boolean {
  if (ids.length >= all.length || all.length > tailMax) return false
  const names = new Set(all)
  return ids.every(id => names.has(id))
}

/** How many people are on a page. */
export function peopleOf({ accounts, chunks = [] }: Listed): number {
  return chunks.reduce(
    (sum, { known, accounts = [] }) => sum + (known ? known.people : accounts.length),
    accounts.length,
  )
}

interface Names {
  /** The last listing that they were in before this one, which is noted; undefined: none. */
  lastListing(name: string, listing: number): number | undefined
}

function allNames(): Names {
  const known = new Map<string, number>()
  return {
    lastListing(name, listing) {
      const before = known.get(name)
      if (before !== listing && (before !== undefined || known.size < namesMax)) known.set(name, listing)
      return before
    },
  }
}

/** All of them would keep the garbage collector busy. */
function newestNames(): Names {
  let [newer, older] = [new Set<string>(), new Set<string>()]
  return {
    lastListing(name) {
      const { size } = newer
      newer.add(name)
      if (newer.size === size || older.has(name)) return 0
      if (newer.size < lastNames / 2) return undefined
      older = newer
      newer = new Set()
      return undefined
    },
  }
}

function idsOf({ accounts, chunks = [] }: Listed): string[] {
  const ids = accounts.map(account => account.externalId)
  for (const { known, accounts } of chunks)
    if (known) ids.push(known.digest)
    else for (const { externalId } of accounts) ids.push(externalId)
  return ids
}
