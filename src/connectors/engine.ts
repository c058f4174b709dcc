// The engine: proves credentials and walks a connector's declaration, page by page, from its beginning or a stored cursor.
import type { Clock } from '../lib/clock.ts'
import type { Log } from '../lib/log.ts'
import { cleanText } from '../lib/text.ts'
import type { Account } from './account.ts'
import { type Asked, askedOf, mustGrant, providerError } from './answers.ts'
import { type Answered, type Call, call } from './call.ts'
import type { Connector, Credentials, Req } from './connector.ts'
import type { KnownChunk } from './cut-list.ts'
import { ProviderError } from './errors.ts'
import { createHttp, type Http } from './http.ts'
import { nothingLooked } from './lookup.ts'
import type { AskHow } from './loop.ts'
import type { RowProblem } from './rows.ts'
import { createSession, type Keep } from './session.ts'
import { askListing, longAnswers, pages, readPortions } from './walk.ts'

/** Where a stream goes on: plain JSON without any secret. */
export interface Cursor {
  /** Its place in the connector's list; beyond the last: the stream had ended. */
  listing: number
  /** The next request; null: the listing's first. */
  req: Req | null
  /** Pages read of this listing. */
  pages: number
  /** What the stream has to say at its end so far. */
  end: StreamEnd
}

/** Accounts listed next to each other, to be known again by their digest; or known by it now, and not read. */
export type ListedChunk =
  | { known: KnownChunk; digest?: never; accounts?: never }
  | { known?: never; digest: string; accounts: Account[] }

export interface Page {
  /** Those that are in no chunk. */
  accounts: Account[]
  /** Where people are known again by the vendor's own bytes (`StreamOptions.known`). */
  chunks?: ListedChunk[] | undefined
  problems: RowProblem[]
  /** The answer lists more people than are handed on at once: they come with the next page, and so does its cursor. */
  more?: true
  /** Stored with the page, it is what `pages` goes on from. The engine gives it with the last page of each answer. */
  cursor?: Cursor
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
  /** For people: what is amiss and does not stand in the way. */
  notice?: string
  /** The credentials from now on, when the check has rotated a refresh token. */
  rotated?: Credentials
}

/** Undefined for a digest that is not known. */
export type Known = (digest: string) => KnownChunk | undefined

export interface StreamOptions {
  signal: AbortSignal
  /** The longest wait before `busy` is thrown. */
  patienceMs: number
  /** Go on after the page that this cursor came with; somebody of an earlier page may come again. */
  from?: Cursor | undefined
  /** Only who changed since then, where the connector can say it; such a stream is never complete. */
  since?: Date | undefined
  /** Who is known again by a chunk's digest, so that they need not be read. Asked once, by a directory of more than one small page. */
  known?: (() => Promise<Known>) | undefined
  /** There were people before: a stream of nobody is refused as `unreadable`. */
  hadPeople?: boolean
  /** Must store rotated credentials before it resolves. */
  keep?: Keep | undefined
}

export interface Engine {
  /** Prove credentials with `check` and the first page of the first listing. No request after `timeoutMs`, no retries. Throws ProviderError. */
  verify(
    connector: Connector,
    credentials: Credentials,
    options: { timeoutMs: number; signal?: AbortSignal; keep?: Keep },
  ): Promise<Verified>
  /** Every account, page by page. Throws ProviderError; `busy` with `until` when a wait would be longer than `patienceMs`. */
  pages(
    connector: Connector,
    credentials: Credentials,
    options: StreamOptions,
  ): AsyncGenerator<Page, StreamEnd>
  close(): Promise<void>
}

const tenantMax = 255
const tryTimeoutMs = 30_000
const triesMax = 7
const never = new AbortController().signal
const keepNothing: Keep = async () => {}

/**
 * Make the engine; `allowPrivateNetwork` lets it reach http and private addresses; `http` takes the place of its client; `code`
 * is a print of the code that reads answers, without which nobody is known again by a vendor's bytes.
 */
export function createEngine(options: {
  clock: Clock
  log: Log
  allowPrivateNetwork: boolean
  code?: string
  http?: Http
}): Engine {
  const http = options.http ?? createHttp(options)
  const room = { http, clock: options.clock, log: options.log }
  return {
    verify(connector, credentials, { timeoutMs, signal, keep }) {
      const session = createSession(connector, credentials, options.clock, keep ?? keepNothing)
      return verify(one => call(room, { ...one, session }), connector, credentials, {
        timeoutMs,
        signal: signal ?? never,
        now: () => session.credentials,
      })
    },
    pages(connector, credentials, stream) {
      const session = createSession(connector, credentials, options.clock, stream.keep ?? keepNothing)
      const { signal, patienceMs } = stream
      const limits = { signal, patienceMs, triesMax, timeoutMs: tryTimeoutMs, place: 'run' as const }
      return pages(
        (req, scopes, how) => call(room, { ...limits, ...how, connector, session, req, scopes }),
        connector,
        credentials,
        { ...stream, code: options.code },
      )
    },
    close: () => http.close(),
  }
}

async function verify(
  ask: (one: Omit<Call, 'session'>) => Promise<Answered>,
  connector: Connector,
  credentials: Credentials,
  options: { timeoutMs: number; signal: AbortSignal; now: () => Credentials },
): Promise<Verified> {
  const { timeoutMs, signal } = options
  const endsAt = performance.now() + timeoutMs
  const once = async (req: Req, scopes: readonly string[] = connector.scopes, how: AskHow = {}) => {
    const left = Math.max(1, Math.ceil(endsAt - performance.now()))
    const one = { connector, req, scopes, signal, place: 'form' as const, timeoutMs: left }
    return await ask({ ...one, ...how, triesMax: 1, patienceMs: 0 })
  }
  const asked = (req: Req) => askedOf({ connector, credentials, place: 'form' }, req)
  const check = connector.check(credentials)
  const proof = (await once(check, connector.scopes, { cutFrom: longAnswers })).res
  mustGrant(asked(check), proof)
  const first = connector.listings[0]
  const firstReq = first?.request(credentials)
  const [page, tenantRes] = await Promise.all([
    first && firstReq
      ? askListing(once, connector, first, firstReq, { page: 1, cutFrom: longAnswers })
      : null,
    connector.tenantRequest ? once(connector.tenantRequest(credentials)).catch(() => null) : null,
  ])
  signal.throwIfAborted()
  // To its end: it says at the end, too, what cannot be read.
  if (first && page)
    for await (const _ of readPortions(asked(page.req), first, { ...page, looked: nothingLooked }));
  const tenant = tenantOf(asked(check), tenantRes?.res.body ?? proof.body)
  const notice = connector.notice?.(proof.body)
  const now = options.now()
  return {
    ...tenant,
    ...(notice ? { notice } : {}),
    ...(now === credentials ? {} : { rotated: now }),
  }
}

function tenantOf(asked: Asked, body: unknown) {
  try {
    const { key, name } = asked.connector.tenant(body, asked.credentials)
    const tenantName = name === null ? null : cleanText(name, tenantMax).trim() || null
    return { tenantKey: cleanText(key, tenantMax), tenantName }
  } catch (cause) {
    if (cause instanceof ProviderError) throw cause
    // The cause is left out: it may quote the answer.
    throw providerError(asked, 'unreadable', `${asked.what} no tenant`)
  }
}
