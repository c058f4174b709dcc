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

/** People of one page. */
export interface Listed {
  accounts: Account[]
  chunks?: ListedChunk[] | undefined
}

export interface Seen {
  /** People given. */
  people: number
  /**
   * Who of this page was not given before; undefined: the page has come already in this listing. Who is known again has no
   * name here, and is given as often as listed.
   */
  firstOfEach(page: Listed, listing: number): Listed | undefined
}

/** For a walk over so many listings. */
export function createSeen(listings: number): Seen {
  const names = listings > 1 ? allNames() : newestNames()
  const pages = new Set<string>()
  const seen: Seen = {
    people: 0,
    firstOfEach(listed, listing) {
      const { accounts, chunks } = listed
      if (accounts.length === 0 && !chunks?.length) return listed
      const page = fingerprint(listed, listing)
      if (pages.has(page)) return undefined
      pages.add(page)
      let repeated = !chunks?.some(chunk => chunk.known)
      const isFirst = ({ externalId }: Account) => {
        const before = names.lastListing(externalId, listing)
        if (before === listing) return false
        repeated = false
        return before === undefined
      }
      const first: Listed = { accounts: accounts.filter(isFirst) }
      if (chunks) first.chunks = []
      for (const chunk of chunks ?? []) {
        const firsts = chunk.accounts?.filter(isFirst)
        if (firsts?.length === chunk.accounts?.length) first.chunks?.push(chunk)
        else for (const account of firsts ?? []) first.accounts.push(account)
      }
      seen.people += peopleOf(first)
      return repeated ? undefined : first
    },
  }
  return seen
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

/** Some 30 bytes a page: a directory of a million has a few thousand pages. Hashed at once: a call an id costs more than the hash. */
function fingerprint({ accounts, chunks = [] }: Listed, listing: number): string {
  const idsOf = (some: readonly Account[]) => some.map(account => account.externalId)
  const ids = idsOf(accounts)
  for (const { known, accounts } of chunks)
    if (known) ids.push(known.digest)
    else ids.push(...idsOf(accounts))
  return createHash('sha1')
    .update(`${listing}\n${ids.join('\n')}`)
    .digest('base64url')
}
