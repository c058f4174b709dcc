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
      const page = fingerprint(accounts, listing)
      if (pages.has(page)) return undefined
      pages.add(page)
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

/** 16 bytes a page: a directory of a million has a few thousand pages. */
function fingerprint(accounts: readonly Account[], listing: number): string {
  const hash = createHash('sha1').update(String(listing))
  for (const { externalId } of accounts) hash.update('\n').update(externalId)
  return hash.digest('base64url').slice(0, 22)
}
