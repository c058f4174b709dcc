// The walk over a connector's listings: one page after another, refusing every answer that could hide or double people.
import { type Asked, askedOf, mustGrant, providerError } from './answers.ts'
import type { Answered } from './call.ts'
import type { Connector, Credentials, Listing, Looked, Req, Res } from './connector.ts'
import type { Cursor, Page, StreamEnd, StreamOptions } from './engine.ts'
import { ProviderError } from './errors.ts'
import { lookUp } from './lookup.ts'
import { type Ask, refuseLoop } from './loop.ts'
import { readRows } from './rows.ts'
import { createSeen, type Seen } from './seen.ts'

interface Walk {
  ask: Ask
  connector: Connector
  credentials: Credentials
  since: Date | undefined
  looked: Looked
  seen: Seen
  end: StreamEnd
}

/** Every page of every listing, each with the cursor that goes on after it. Throws ProviderError. */
export async function* pages(
  ask: Ask,
  connector: Connector,
  credentials: Credentials,
  { from, since, hadPeople }: Pick<StreamOptions, 'from' | 'since' | 'hadPeople'>,
): AsyncGenerator<Page, StreamEnd> {
  const { incomplete } = connector
  const fresh = { warnings: incomplete ? [incomplete] : [], complete: !incomplete && !since }
  const end: StreamEnd = from ? { ...from.end, warnings: [...from.end.warnings] } : fresh
  const check = connector.check(credentials)
  const proof = await ask(check, connector.scopes)
  const asked = askedOf({ connector, credentials, place: 'run' }, check)
  mustGrant(asked, proof.res)
  const looked = await lookUp(ask, connector, credentials, end)
  const walk: Walk = { ask, connector, credentials, since, looked, seen: createSeen(), end }
  for (let at = from?.listing ?? 0; at < connector.listings.length; at++) {
    const listing = connector.listings[at] as Listing
    try {
      yield* listingPages(walk, listing, at, at === from?.listing ? from : undefined)
    } catch (error) {
      if (!(error instanceof SkippedListing)) throw error
      end.complete = false
      const needs = error.cause.missing.length > 0 ? error.cause.missing.join(', ') : 'more rights'
      end.warnings.push(`Not everybody is reported: ${listing.name} need ${needs}.`)
    }
  }
  if (hadPeople && !from && !since && walk.seen.people === 0)
    throw providerError(asked, 'unreadable', `${asked.what} nobody where there were people`)
  return end
}

/** The first page of an optional listing was refused for want of a permission. */
class SkippedListing extends Error {
  override readonly cause: ProviderError
  constructor(cause: ProviderError) {
    super('An optional listing was refused')
    this.cause = cause
  }
}

async function* listingPages(
  { ask, connector, credentials, since, looked, seen, end }: Walk,
  listing: Listing,
  at: number,
  from: Cursor | undefined,
): AsyncGenerator<Page, void> {
  const asked = (req: Req) => askedOf({ connector, credentials, place: 'run' }, req)
  const origin = new URL(connector.base(credentials)).origin
  const requests = new Set<string>()
  const first = () => (since && listing.changed?.(credentials, since)) ?? listing.request(credentials)
  let next: Req | undefined = from?.req ?? first()
  for (let page = (from?.pages ?? 0) + 1; next !== undefined; page++) {
    refuseLoop(asked(next), next, { origin, requests, page })
    const { req, res, unreported, fewer } = await askListing(ask, connector, listing, next, page)
    if (unreported !== undefined) end.warnings.push(`Not reported: ${unreported}.`)
    if (fewer) end.complete = false
    const rows = readPage(asked(req), listing, { res, looked })
    const accounts = seen.firstOfEach(rows.accounts, at)
    if (!accounts) throw providerError(asked(req), 'unreadable', `${asked(req).what} repeated page`)
    if (rows.problems.length > 0) end.complete = false
    const following = listing.page(req, res, rows.got)
    if (following === 'short') {
      end.complete = false
      end.warnings.push(`Not everybody is reported: the list of ${listing.name} stopped early.`)
    }
    next = following === 'short' ? undefined : following
    yield {
      accounts,
      problems: rows.problems,
      cursor: {
        ...(next ? { listing: at, req: next, pages: page } : { listing: at + 1, req: null, pages: 0 }),
        end: { complete: end.complete, warnings: [...end.warnings] },
      },
    }
  }
}

/** One page, or for the first one less of it, or nothing of an optional listing. */
export async function askListing(
  ask: Ask,
  connector: Connector,
  listing: Listing,
  req: Req,
  page: number,
): Promise<Answered & { unreported?: string; fewer?: true }> {
  const scopes = listing.optional ? [] : connector.scopes
  try {
    return await ask(req, scopes, listing.sizeKey)
  } catch (error) {
    const refused =
      error instanceof ProviderError && (error.problem === 'permission' || error.problem === 'settings')
    if (!refused || page > 1) throw error
    const less = listing.less?.(req, error)
    if (less) return { ...less, ...(await ask(less.req, scopes, listing.sizeKey)) }
    throw listing.optional ? new SkippedListing(error) : error
  }
}

/** Read one answer. Throws `unreadable` without a list, or when more than half its rows cannot be read. */
export function readPage(asked: Asked, listing: Listing, { res, looked }: { res: Res; looked: Looked }) {
  const items = listing.items(res.body, asked.credentials)
  if (!items)
    throw providerError(asked, 'unreadable', `${asked.what} ${res.status} no list of ${listing.name}`)
  const rows = readRows(listing, items, { credentials: asked.credentials, looked })
  if (rows.problems.length * 2 > items.length) {
    const share = `${rows.problems.length} of ${items.length} rows unreadable`
    throw providerError(asked, 'unreadable', `${asked.what} ${res.status} ${share}`)
  }
  return { ...rows, got: items.length }
}
