// The engine: walks a connector's declaration, page by page, and refuses every answer that could hide or double people.
import type { Clock } from '../lib/clock.ts'
import type { Log } from '../lib/log.ts'
import type { Account } from './account.ts'
import { type Asked, lackingIn, type Place, permissionError, providerError } from './answers.ts'
import { type Answered, addressOf, type Call, call, named } from './call.ts'
import type { Connector, Credentials, Listing, Req, Res } from './connector.ts'
import { ProviderError } from './errors.ts'
import { createHttp } from './http.ts'
import { type RowProblem, readRows } from './rows.ts'

export interface Page {
  accounts: Account[]
  problems: RowProblem[]
}

export interface StreamEnd {
  /** For people. */
  warnings: string[]
  /** False: somebody may be missing (rows unreadable, an optional listing skipped): nobody is removed. */
  complete: boolean
}

export interface Verified {
  tenantKey: string
  tenantName: string | null
}

export interface Engine {
  /** Prove credentials with `check` and the first page of the first listing. At most `timeoutMs` in all, no retries. Throws ProviderError. */
  verify(
    connector: Connector,
    credentials: Credentials,
    options: { timeoutMs: number; signal?: AbortSignal },
  ): Promise<Verified>
  /** Every account, page by page. Throws ProviderError; `busy` with `until` when a wait would be longer than `patienceMs`. */
  pages(
    connector: Connector,
    credentials: Credentials,
    options: { signal: AbortSignal; patienceMs: number },
  ): AsyncGenerator<Page, StreamEnd>
  close(): Promise<void>
}

const tryTimeoutMs = 30_000
const triesMax = 7
const pagesMax = 20_000
const never = new AbortController().signal

/** Make the engine; `allowPrivateNetwork` lets it reach http and private addresses. */
export function createEngine(options: { clock: Clock; log: Log; allowPrivateNetwork: boolean }): Engine {
  const http = createHttp(options)
  const room = { http, clock: options.clock, log: options.log }
  return {
    verify: (connector, credentials, { timeoutMs, signal }) =>
      verify(callOnce => call(room, callOnce), connector, credentials, timeoutMs, signal ?? never),
    pages: (connector, credentials, { signal, patienceMs }) =>
      pages(
        (req, scopes, sizeKey) =>
          call(room, {
            ...{ connector, credentials, req, scopes, sizeKey, signal, patienceMs, triesMax },
            place: 'run',
            timeoutMs: tryTimeoutMs,
          }),
        connector,
        credentials,
      ),
    close: () => http.close(),
  }
}

async function verify(
  ask: (one: Call) => Promise<Answered>,
  connector: Connector,
  credentials: Credentials,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<Verified> {
  const endsAt = performance.now() + timeoutMs
  const once = async (req: Req, scopes = connector.scopes) => {
    const left = Math.max(1, Math.ceil(endsAt - performance.now()))
    const one = { connector, credentials, req, scopes, signal, place: 'form' as const, timeoutMs: left }
    return (await ask({ ...one, triesMax: 1, patienceMs: 0 })).res
  }
  const check = connector.check(credentials)
  const proof = await once(check)
  mustGrant(askedOf(connector, credentials, check, 'form'), proof)
  const first = connector.listings[0]
  const firstReq = first?.request(credentials)
  const [page, tenantRes] = await Promise.all([
    firstReq ? once(firstReq) : proof,
    connector.tenantRequest ? once(connector.tenantRequest(credentials)).catch(() => null) : null,
  ])
  signal.throwIfAborted()
  if (first && firstReq) readPage(askedOf(connector, credentials, firstReq, 'form'), first, page)
  return tenantOf(askedOf(connector, credentials, check, 'form'), tenantRes?.body ?? proof.body)
}

function tenantOf(asked: Asked, body: unknown): Verified {
  try {
    const { key, name } = asked.connector.tenant(body, asked.credentials)
    return { tenantKey: key, tenantName: name }
  } catch (cause) {
    throw providerError(asked, 'unreadable', `${asked.what} no tenant`, { cause })
  }
}

type Ask = (req: Req, scopes: readonly string[], sizeKey?: string) => Promise<Answered>

async function* pages(
  ask: Ask,
  connector: Connector,
  credentials: Credentials,
): AsyncGenerator<Page, StreamEnd> {
  const end: StreamEnd = { warnings: [], complete: true }
  const known = new Set<string>()
  const check = connector.check(credentials)
  const proof = await ask(check, connector.scopes)
  mustGrant(askedOf(connector, credentials, check, 'run'), proof.res)
  for (const listing of connector.listings) {
    try {
      yield* listingPages(ask, connector, credentials, listing, known, end)
    } catch (error) {
      if (!listing.optional || !(error instanceof SkippedListing)) throw error
      end.complete = false
      const needs = error.cause.missing.length > 0 ? error.cause.missing.join(', ') : 'more rights'
      end.warnings.push(`Not everybody is reported: ${listing.name} need ${needs}.`)
    }
  }
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
  ask: Ask,
  connector: Connector,
  credentials: Credentials,
  listing: Listing,
  known: Set<string>,
  end: StreamEnd,
): AsyncGenerator<Page, void> {
  const asked = (req: Req) => askedOf(connector, credentials, req, 'run')
  const origin = new URL(connector.base(credentials)).origin
  const requests = new Set<string>()
  const listed = new Set<string>()
  let next: Req | 'short' | undefined = listing.request(credentials)
  for (let page = 1; next !== undefined; page++) {
    if (next === 'short') {
      end.complete = false
      end.warnings.push(`Not everybody is reported: the list of ${listing.name} stopped early.`)
      return
    }
    refuseLoop(asked(next), next, { origin, requests, page })
    const { req, res } = await askListing(ask, connector, listing, next, page)
    const rows = readPage(asked(req), listing, res)
    if (rows.accounts.length > 0 && rows.accounts.every(({ externalId }) => listed.has(externalId)))
      throw providerError(asked(req), 'unreadable', `${asked(req).what} repeated page`)
    for (const { externalId } of rows.accounts) listed.add(externalId)
    if (rows.problems.length > 0) end.complete = false
    yield { accounts: firstOfEach(rows.accounts, known), problems: rows.problems }
    next = listing.page(req, res, rows.got)
  }
}

async function askListing(ask: Ask, connector: Connector, listing: Listing, req: Req, page: number) {
  try {
    return await ask(req, listing.optional ? [] : connector.scopes, listing.sizeKey)
  } catch (error) {
    const refused =
      error instanceof ProviderError && (error.problem === 'permission' || error.problem === 'settings')
    if (listing.optional && refused && page === 1) throw new SkippedListing(error)
    throw error
  }
}

/** Throws `unreadable` for a request already made, for another origin, and after `pagesMax`. */
function refuseLoop(
  asked: Asked,
  next: Req,
  seen: { origin: string; requests: Set<string>; page: number },
): void {
  const refuse = (why: string) => providerError(asked, 'unreadable', `${asked.what} ${why}`)
  const base = asked.connector.base(asked.credentials)
  if (addressOf(base, next)?.origin !== seen.origin) throw refuse('next link to another origin')
  const request = JSON.stringify(next)
  if (seen.requests.has(request)) throw refuse('next request already made')
  if (seen.page > pagesMax) throw refuse(`more than ${pagesMax} pages`)
  seen.requests.add(request)
}

function readPage(asked: Asked, listing: Listing, res: Res): Page & { got: number } {
  const items = listing.items(res.body)
  if (!items)
    throw providerError(asked, 'unreadable', `${asked.what} ${res.status} no list of ${listing.name}`)
  const rows = readRows(listing, items, asked.credentials)
  if (rows.problems.length * 2 > items.length) {
    const share = `${rows.problems.length} of ${items.length} rows unreadable`
    throw providerError(asked, 'unreadable', `${asked.what} ${res.status} ${share}`)
  }
  return { ...rows, got: items.length }
}

function firstOfEach(accounts: readonly Account[], known: Set<string>): Account[] {
  return accounts.filter(({ externalId }) => !known.has(externalId) && known.add(externalId))
}

function mustGrant(asked: Asked, res: Res): void {
  const lacking = lackingIn(asked.connector, res)
  if (lacking.length > 0)
    throw permissionError(asked, lacking, `${asked.what} ${res.status} lacks ${lacking}`)
}

function askedOf(connector: Connector, credentials: Credentials, req: Req, place: Place): Asked {
  return { connector, credentials, place, what: named(connector, credentials, req), scopes: connector.scopes }
}
