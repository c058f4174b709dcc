// The walk over a connector's listings: one page after another, refusing every answer that could hide or double people.
import { breathe } from '../lib/breath.ts'
import type { Account } from './account.ts'
import { type Asked, askedOf, mustGrant, providerError } from './answers.ts'
import type { Answered } from './call.ts'
import type { Connector, Credentials, Listing, Looked, Req } from './connector.ts'
import type { CutChunk, CutFrom } from './cut-list.ts'
import type { Cursor, ListedChunk, Page, StreamEnd, StreamOptions } from './engine.ts'
import { ProviderError } from './errors.ts'
import { lookUp } from './lookup.ts'
import { type Ask, refuseLoop } from './loop.ts'
import { readingPrint } from './print.ts'
import { type RowProblem, readRows } from './rows.ts'
import { createSeen, type Listed, type Seen } from './seen.ts'

/** A small directory is read sooner as it is; so is the end of a larger one. */
const firstMinBytes = 524_288
const laterMinBytes = 4_096
/** Read in one go, so long an answer would hold up the event loop for some ten milliseconds a megabyte. */
export const longAnswers: CutFrom = { minBytes: 1_048_576 }
/** People read, and handed on, at once. */
const portionMax = 500

interface WalkOptions extends Pick<StreamOptions, 'from' | 'since' | 'known' | 'hadPeople'> {
  /** A print of the code that reads answers; without it nobody is known again by a vendor's bytes. */
  code: string | undefined
}

interface Walk {
  ask: Ask
  connector: Connector
  credentials: Credentials
  since: Date | undefined
  looked: Looked
  /** Undefined where nobody is to be known again by a vendor's bytes. */
  recall: CutFrom['recall']
  /** False once a list was cut for nothing. */
  mayCut: boolean
  seen: Seen
  end: StreamEnd
}

/** Every page of every listing, each with the cursor that goes on after it. Throws ProviderError. */
export async function* pages(
  ask: Ask,
  connector: Connector,
  credentials: Credentials,
  { from, since, known, hadPeople, code }: WalkOptions,
): AsyncGenerator<Page, StreamEnd> {
  const { incomplete } = connector
  const fresh = { warnings: incomplete ? [incomplete] : [], complete: !incomplete && !since }
  const end: StreamEnd = from ? { ...from.end, warnings: [...from.end.warnings] } : fresh
  const check = connector.check(credentials)
  // It may be the list itself.
  const proof = await ask(check, connector.scopes, { cutFrom: longAnswers })
  const asked = askedOf({ connector, credentials, place: 'run' }, check)
  mustGrant(asked, proof.res)
  const looked = await lookUp(ask, connector, credentials, end)
  const seen = createSeen(connector.listings.length)
  const recall = recallOf(connector, credentials, { looked, known, code })
  const walk: Walk = { ask, connector, credentials, since, looked, recall, mayCut: true, seen, end }
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
  if (hadPeople && !from && !since && seen.people === 0)
    throw providerError(asked, 'unreadable', `${asked.what} nobody where there were people`)
  return end
}

/** Undefined where nobody is to be known again: who is in several listings is given once, by the id, which is read of everybody. */
function recallOf(
  connector: Connector,
  credentials: Credentials,
  { looked, known, code }: Pick<WalkOptions, 'known' | 'code'> & { looked: Looked },
): CutFrom['recall'] {
  if (!known || code === undefined || connector.listings.length > 1) return undefined
  let recall: ReturnType<NonNullable<CutFrom['recall']>> | undefined
  return () => {
    recall ??= known().then(chunk => ({ of: readingPrint(code, connector, { credentials, looked }), chunk }))
    return recall
  }
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
  walk: Walk,
  listing: Listing,
  at: number,
  from: Cursor | undefined,
): AsyncGenerator<Page, void> {
  const { ask, connector, credentials, since, looked, seen, end } = walk
  const asked = (req: Req) => askedOf({ connector, credentials, place: 'run' }, req)
  const origin = new URL(connector.base(credentials)).origin
  const requests = new Set<string>()
  const first = () => (since && listing.changed?.(credentials, since)) ?? listing.request(credentials)
  let next: Req | undefined = from?.req ?? first()
  for (let page = (from?.pages ?? 0) + 1; next !== undefined; page++) {
    refuseLoop(asked(next), next, { origin, requests, page })
    const answered = await askListing(ask, connector, listing, next, { page, cutFrom: cutFrom(walk, page) })
    const { req, res, unreported, fewer } = answered
    if (unreported !== undefined) end.warnings.push(`Not reported: ${unreported}.`)
    if (fewer) end.complete = false
    const given = seen.answer(at)
    const problems: RowProblem[] = []
    let got = 0
    let portion: Listed | undefined
    for await (const rows of readPortions(asked(req), listing, { ...answered, looked })) {
      if (portion) yield { ...portion, more: true, problems: [] }
      // It makes a list of its own from what it finds: to cut what it finds would be for nothing.
      if (answered.cut && !rows.chunks) walk.mayCut = false
      portion = given.firstOfEach(rows)
      for (const problem of rows.problems) problems.push(problem)
      got += rows.got
    }
    if (given.hasCome()) throw providerError(asked(req), 'unreadable', `${asked(req).what} repeated page`)
    if (problems.length > 0) end.complete = false
    const following = listing.page(req, res, got)
    if (following === 'short') {
      end.complete = false
      end.warnings.push(`Not everybody is reported: the list of ${listing.name} stopped early.`)
    }
    next = following === 'short' ? undefined : following
    yield {
      ...{ accounts: [], ...portion, problems },
      cursor: {
        ...(next ? { listing: at, req: next, pages: page } : { listing: at + 1, req: null, pages: 0 }),
        end: { complete: end.complete, warnings: [...end.warnings] },
      },
    }
  }
}

function cutFrom({ recall, mayCut }: Walk, page: number): CutFrom | undefined {
  if (!mayCut) return undefined
  return recall ? { recall, minBytes: page === 1 ? firstMinBytes : laterMinBytes } : longAnswers
}

/** One page, or for the first one less of it, or nothing of an optional listing. */
export async function askListing(
  ask: Ask,
  connector: Connector,
  listing: Listing,
  req: Req,
  { page, cutFrom }: { page: number; cutFrom: CutFrom | undefined },
): Promise<Answered & { unreported?: string; fewer?: true }> {
  const scopes = listing.optional ? [] : connector.scopes
  const how = { sizeKey: listing.sizeKey, cutFrom }
  try {
    return await ask(req, scopes, how)
  } catch (error) {
    const refused =
      error instanceof ProviderError && (error.problem === 'permission' || error.problem === 'settings')
    if (!refused || page > 1) throw error
    const less = listing.less?.(req, error)
    if (less) return { ...less, ...(await ask(less.req, scopes, how)) }
    throw listing.optional ? new SkippedListing(error) : error
  }
}

/** A portion of an answer as it was read. */
interface Rows extends Listed {
  problems: RowProblem[]
  /** Items in all. */
  got: number
}

/**
 * Read one answer, some `portionMax` people at a time, with a breath between them. Throws `unreadable` without a list, and in the
 * end when more than half its rows could not be read.
 */
export async function* readPortions(
  asked: Asked,
  listing: Listing,
  { res, cut, looked }: Pick<Answered, 'res' | 'cut'> & { looked: Looked },
): AsyncGenerator<Rows, void> {
  const { credentials } = asked
  const items = listing.items(res.body, credentials)
  if (!items)
    throw providerError(asked, 'unreadable', `${asked.what} ${res.status} no list of ${listing.name}`)
  const how = { credentials, looked }
  // A declaration that makes a list of its own from what it finds is given what it found.
  const portions =
    cut && items === cut.list ? readChunks(listing, cut.chunks, how) : readItems(listing, items, how)
  let [got, unread] = [0, 0]
  for (const rows of portions) {
    got += rows.got
    unread += rows.problems.length
    yield rows
    await breathe()
  }
  if (unread * 2 > got) {
    const share = `${unread} of ${got} rows unreadable`
    throw providerError(asked, 'unreadable', `${asked.what} ${res.status} ${share}`)
  }
}

interface How {
  credentials: Credentials
  looked: Looked
}

function* readItems(listing: Listing, items: readonly unknown[], how: How): Generator<Rows> {
  for (let at = 0; at < items.length; at += portionMax) {
    const some = items.slice(at, at + portionMax)
    yield { ...readRows(listing, some, how), got: some.length }
  }
}

/** Only a chunk whose every item is an account is known again: what was left out of it or could not be read is not told by where its people are. */
function* readChunks(listing: Listing, chunks: readonly CutChunk[], how: How): Generator<Rows> {
  const nothing = () => ({
    accounts: [] as Account[],
    chunks: [] as ListedChunk[],
    problems: [] as RowProblem[],
    got: 0,
  })
  let portion = nothing()
  for (const { known, digest, items } of chunks) {
    if (portion.got >= portionMax) {
      yield portion
      portion = nothing()
    }
    if (known) {
      portion.chunks.push({ known })
      portion.got += known.people
      continue
    }
    const listed = items()
    const rows = readRows(listing, listed, how)
    if (digest !== undefined && rows.accounts.length === listed.length)
      portion.chunks.push({ digest, accounts: rows.accounts })
    else for (const account of rows.accounts) portion.accounts.push(account)
    for (const problem of rows.problems) portion.problems.push(problem)
    portion.got += listed.length
  }
  yield portion
}
