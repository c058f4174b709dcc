// Who was listed so far, in bounded memory: nobody is given twice, and a page that comes again is noticed.
import { createHash } from 'node:crypto'
import type { Account } from './account.ts'

/** People remembered by name; somebody beyond them who is listed twice is one row all the same, by the merge. */
const peopleMax = 100_000

export interface Seen {
  /** People given. */
  people: number
  /** Who of this page was not given before; undefined: the page has come already in this listing. */
  firstOfEach(accounts: Account[], listing: number): Account[] | undefined
}

export function createSeen(): Seen {
  /** The last listing that they were in. */
  const known = new Map<string, number>()
  const pages = new Set<string>()
  const seen: Seen = {
    people: 0,
    firstOfEach(accounts, listing) {
      if (accounts.length === 0) return accounts
      // Hashing a page costs more than looking its people up: only where not all of them are remembered.
      const page = known.size < peopleMax ? undefined : fingerprint(accounts, listing)
      if (page !== undefined && pages.has(page)) return undefined
      if (page !== undefined) pages.add(page)
      let repeated = true
      const first = accounts.filter(({ externalId }) => {
        const before = known.get(externalId)
        if (before === listing) return false
        repeated = false
        if (before !== undefined || known.size < peopleMax) known.set(externalId, listing)
        return before === undefined
      })
      seen.people += first.length
      return repeated ? undefined : first
    },
  }
  return seen
}

/** Some 30 bytes a page: a directory of a million has a few thousand pages. Hashed at once: a call an id costs more than the hash. */
function fingerprint(accounts: readonly Account[], listing: number): string {
  const ids = accounts.map(account => account.externalId).join('\n')
  return createHash('sha1').update(`${listing}\n${ids}`).digest('base64url')
}
