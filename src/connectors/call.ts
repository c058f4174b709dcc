// One request to a vendor, asked again while that makes sense: back-off, the vendor's own waits, smaller pages.
import type { Clock } from '../lib/clock.ts'
import type { Log } from '../lib/log.ts'
import { type Asked, askedOf, type Place, problemIn, providerError } from './answers.ts'
import { type Connector, type Req, type Res, splitCredentials } from './connector.ts'
import { type CutAnswer, type CutFrom, cutList } from './cut-list.ts'
import { ProviderError } from './errors.ts'
import type { Http, HttpAnswer } from './http.ts'
import type { FetchToken, Session } from './session.ts'
import { addressOf } from './target.ts'
import { secretsIn, withoutSecrets } from './unsaid.ts'
import { backOffMs, toldWaitMs } from './waits.ts'

const bodyMaxBytes = 64 * 1024 * 1024

export interface Call {
  connector: Connector
  session: Session
  req: Req
  place: Place
  /** Named when a refusal does not say which permission is missing. */
  scopes: readonly string[]
  signal: AbortSignal
  /** Of one try. */
  timeoutMs: number
  triesMax: number
  /** The longest wait before another try; beyond it the error is thrown. */
  patienceMs: number
  /** The query key of the page size, halved from the third try on. */
  sizeKey?: string | undefined
  cutFrom?: CutFrom | undefined
}

/** `cut`: its list, where `cutFrom` was given and the list could be cut. */
export type Answered = { req: Req; res: Res; cut?: CutAnswer | undefined }

/** Ask until it is answered. `req` comes back as it was sent last. Throws ProviderError, or the signal's reason. */
export async function call(room: { http: Http; clock: Clock; log: Log }, options: Call): Promise<Answered> {
  let { req } = options
  let renewed = false
  for (let tries = 1; ; tries++) {
    const { error, wait, res, cut } = await once(room, options, req)
    if (res) return { req, res, cut }
    if (error.problem === 'credentials' && !renewed && options.session.forget()) {
      renewed = true
      continue
    }
    if (error.problem !== 'busy' && error.problem !== 'broken') throw error
    const waitMs = wait ?? backOffMs(tries)
    if (tries >= options.triesMax || waitMs > options.patienceMs) throw until(error, room.clock, waitMs)
    room.log.debug({ connector: options.connector.id, detail: error.detail, waitMs, tries }, 'Asking again')
    if (error.problem === 'broken' && tries >= 2 && options.sizeKey) req = halved(req, options.sizeKey)
    await room.clock.sleep(waitMs, options.signal)
  }
}

type Once =
  | { res: Res; cut?: CutAnswer | undefined; error?: never; wait?: never }
  | { res?: never; cut?: never; error: ProviderError; wait?: number | undefined }

async function once(room: { http: Http; clock: Clock; log: Log }, options: Call, req: Req): Promise<Once> {
  const { connector, session } = options
  const { credentials } = session
  const asked = askedOf({ ...options, credentials }, req)
  if (connector.local) return fromLocal(asked, options, req)
  let answer: HttpAnswer
  let proof: Record<string, string> = {}
  /** What a grant was asked with. */
  const granting: string[] = []
  const said = (error: ProviderError) =>
    withoutSecrets(error, [
      ...Object.values(splitCredentials(connector, session.credentials).secrets),
      ...secretsIn(proof),
      ...granting,
    ])
  try {
    proof = await session.headers(asked, fetchToken(room.http, options, granting))
    const body = req.body === undefined ? {} : { body: JSON.stringify(req.body) }
    answer = await room.http.request({
      ...limits(options),
      ...body,
      url: addressOf(connector.base(session.credentials), req)?.href ?? '',
      method: req.method ?? 'GET',
      headers: {
        accept: 'application/json',
        'user-agent': 'saasm',
        ...(req.body === undefined ? {} : { 'content-type': 'application/json' }),
        ...req.headers,
        ...proof,
      },
    })
  } catch (error) {
    if (!(error instanceof ProviderError)) throw error
    return { error: said(inOurWords(asked, error)) }
  }
  const cut = await cutOf(answer, options.cutFrom)
  const body = cut ? { ok: true as const, value: cut.body } : parsed(answer.text)
  const res: Res = { status: answer.status, headers: answer.headers, body: body.ok ? body.value : null }
  const error = problemIn(asked, res)
  if (error) return { error: said(error), wait: waitIn(connector, res, room.clock) }
  if (body.ok) return { res, cut }
  return { error: providerError(asked, 'unreadable', `${asked.what} ${answer.status} not JSON`) }
}

/** Held to the same rules as a vendor's answer, and asked once: it would be the same again. */
async function fromLocal(asked: Asked, { connector, session }: Call, req: Req): Promise<Once> {
  try {
    const res = await session.local(asked, connector.local as NonNullable<Connector['local']>, req)
    const error = problemIn(asked, res)
    return error ? { error } : { res }
  } catch (error) {
    if (error instanceof ProviderError) return { error }
    throw error
  }
}

function limits({ timeoutMs, signal }: Call) {
  return { timeoutMs, signal, maxBytes: bodyMaxBytes }
}

/** The vendor's own words for the wait first, then the usual headers. */
function waitIn(connector: Connector, res: Res, clock: Clock): number | undefined {
  const seconds = connector.waitSeconds?.(res)
  const headers = seconds === undefined ? res.headers : { 'retry-after': String(seconds) }
  return toldWaitMs(headers, clock.now())
}

/** `sent` is told the secrets that go out. */
function fetchToken(http: Http, options: Call, sent: string[]): FetchToken {
  return async ({ url, body, headers }) => {
    const secret = [...new URLSearchParams(body)].filter(([name]) =>
      /secret|assertion|token|password/.test(name),
    )
    sent.push(...secretsIn(headers), ...secret.map(([, value]) => value))
    const answer = await http.request({
      ...limits(options),
      url,
      body,
      method: 'POST',
      headers: {
        accept: 'application/json',
        'user-agent': 'saasm',
        'content-type': 'application/x-www-form-urlencoded',
        ...headers,
      },
    })
    const read = parsed(answer.text)
    return read.ok || answer.status >= 400
      ? { status: answer.status, headers: answer.headers, body: read.ok ? read.value : null }
      : null
  }
}

/** The client's own refusals keep their sentence: it says more than ours would. */
function inOurWords(asked: Asked, error: ProviderError): ProviderError {
  // A grant's refusal is in our words already.
  if (error.problem === 'credentials' || error.problem === 'permission' || error.field) return error
  const detail = `${asked.what} ${error.detail}`
  const ours = providerError(asked, error.problem, detail, { cause: error })
  if (error.problem !== 'settings') return ours
  const { field } = ours
  return new ProviderError('settings', {
    message: error.message,
    detail,
    cause: error,
    ...(field === undefined ? {} : { field }),
  })
}

async function cutOf(
  { status, bytes }: HttpAnswer,
  from: CutFrom | undefined,
): Promise<CutAnswer | undefined> {
  const may = from && bytes && bytes.length >= from.minBytes && status >= 200 && status < 300
  return may ? cutList(bytes, await from.recall?.()) : undefined
}

function parsed(text: string): { ok: true; value: unknown } | { ok: false } {
  if (text.trim() === '') return { ok: true, value: null }
  try {
    return { ok: true, value: JSON.parse(text) }
  } catch {
    return { ok: false }
  }
}

function until(error: ProviderError, clock: Clock, waitMs: number): ProviderError {
  return new ProviderError(error.problem, {
    message: error.message,
    detail: error.detail,
    until: new Date(clock.now().getTime() + waitMs),
    cause: error.cause,
  })
}

/** The same request for half as many items, at least one; a page that has a number would begin elsewhere, and stays. */
function halved(req: Req, sizeKey: string): Req {
  const half = (size: string | null | undefined) => String(Math.max(1, Math.floor(Number(size) / 2)))
  const inQuery = req.query?.[sizeKey]
  if (Number(inQuery) > 1) return { ...req, query: { ...req.query, [sizeKey]: half(inQuery) } }
  if (!URL.canParse(req.path)) return req
  const url = new URL(req.path)
  const inPath = url.searchParams.get(sizeKey)
  if (!(Number(inPath) > 1) || url.searchParams.has('page')) return req
  url.searchParams.set(sizeKey, half(inPath))
  return { ...req, path: url.href }
}
