// A stand-in for Resend: as strict as its documentation about keys, fields, idempotency and rates; keeps the mails.
import { createHash } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { setTimeout as wait } from 'node:timers/promises'
import type { MovableClock } from '../lib/clock.ts'
import { newId } from '../lib/ids.ts'
import { answerJson, BodyTooLarge, readBody } from './http.ts'
import { type MailPayload, payloadProblem } from './mail-payload.ts'

export interface Mail {
  id: string
  from: string
  to: string[]
  subject: string
  html: string | null
  text: string | null
  headers: Record<string, string>
  tags: { name: string; value: string }[]
  idempotencyKey: string | null
  at: Date
}

export type MailFault =
  | { kind: 'status'; status: number; body?: unknown; retryAfterSeconds?: number; afterStoring?: boolean }
  | { kind: 'lost-after-storing' }
  | { kind: 'delay'; ms: number }

export interface Mailbox {
  /** Serve one request whose `url` has the mount prefix stripped; false when it is not one of Resend's paths. */
  handle(req: IncomingMessage, res: ServerResponse): Promise<boolean>
  /** Oldest first, at most `mailsMax`. */
  readonly mails: readonly Mail[]
  /** Returns the way to unsubscribe. */
  onChange(listener: () => void): () => void
  /** Each fault is used by one request, in the order they were asked for. */
  readonly faults: {
    next(fault: MailFault): void
    /** Asked for each request that no fault was asked for. */
    each(choose: () => MailFault | undefined): void
  }
}

const mailsMax = 5_000
const keysMax = 10_000
const bodyMaxBytes = 1_000_000
/** Resend keeps an idempotency key for 24 hours (its documentation). */
const keyLivesMs = 24 * 3_600_000
/** A stand-in for Resend's limit, which is documented as 2/s a team in places and higher in others (unverified). */
const requestsPerSecondMax = 10

/** Make a mailbox. `enforceRates` (default true) answers 429 above 10 requests a second of the machine's time. */
export function createMailbox(options: {
  apiKey: string
  clock: MovableClock
  enforceRates?: boolean
}): Mailbox {
  const mails: Mail[] = []
  const keys = new Map<string, { payload: string; id: string; at: number }>()
  const listeners = new Set<() => void>()
  const faults: MailFault[] = []
  const recent: number[] = []
  let chosen: () => MailFault | undefined = () => undefined

  function store(payload: MailPayload, key: string | null, raw: string): string {
    const id = newId()
    mails.push(mailOf(payload, { id, key, at: options.clock.now() }))
    if (mails.length > mailsMax) mails.shift()
    if (key !== null) keys.set(key, { payload: digest(raw), id, at: options.clock.now().getTime() })
    for (const [oldest] of keys) {
      if (keys.size <= keysMax) break
      keys.delete(oldest)
    }
    for (const listener of listeners) listener()
    return id
  }

  /** Resend's refusals, in the order it makes them; undefined when the request may be sent. */
  function refusal(req: IncomingMessage, raw: string): Refusal | undefined {
    const key = keyOf(req)
    if (key !== null && (key.length < 1 || key.length > 256)) {
      return [400, 'invalid_idempotency_key', 'The idempotency key must be between 1 and 256 characters.']
    }
    const problem = payloadProblem(raw)
    if (problem) return [422, problem.name, problem.message]
    return undefined
  }

  async function send(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const raw = await readBody(req, bodyMaxBytes)
    const refused = unauthorized(req, options.apiKey) ?? overRate(res) ?? refusal(req, raw)
    if (refused) return refuse(res, refused)
    const fault = faults.shift() ?? chosen()
    if (fault?.kind === 'status' && !fault.afterStoring) return answerFault(res, fault)
    if (fault?.kind === 'delay') await wait(fault.ms)
    const key = keyOf(req)
    const known = key === null ? undefined : liveKey(key)
    if (known && known.payload !== digest(raw)) {
      return refuse(res, [
        409,
        'invalid_idempotent_request',
        'Same idempotency key used with a different payload.',
      ])
    }
    const id = known?.id ?? store(JSON.parse(raw), key, raw)
    if (fault?.kind === 'lost-after-storing') req.socket.destroy()
    else if (fault?.kind === 'status') answerFault(res, fault)
    else answerJson(res, 200, { id })
  }

  function liveKey(key: string) {
    const known = keys.get(key)
    if (known && options.clock.now().getTime() - known.at >= keyLivesMs) keys.delete(key)
    return keys.get(key)
  }

  function overRate(res: ServerResponse): Refusal | undefined {
    if (options.enforceRates === false) return undefined
    const now = Date.now()
    while (recent[0] !== undefined && now - recent[0] >= 1_000) recent.shift()
    res.setHeader('ratelimit-limit', String(requestsPerSecondMax))
    res.setHeader('ratelimit-remaining', String(Math.max(0, requestsPerSecondMax - recent.length - 1)))
    res.setHeader('ratelimit-reset', '1')
    if (recent.length < requestsPerSecondMax) {
      recent.push(now)
      return undefined
    }
    res.setHeader('retry-after', '1')
    return [
      429,
      'rate_limit_exceeded',
      `Too many requests. You can only make ${requestsPerSecondMax} requests per second.`,
    ]
  }

  return {
    mails,
    faults: {
      next: fault => void faults.push(fault),
      each(choose) {
        chosen = choose
      },
    },
    onChange(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    async handle(req, res) {
      const path = new URL(req.url ?? '/', 'http://mailbox').pathname
      if (path !== '/emails') return false
      if (req.method !== 'POST') {
        refuse(res, [405, 'method_not_allowed', 'Method is not allowed for the requested path.'])
        return true
      }
      try {
        await send(req, res)
      } catch (error) {
        if (!(error instanceof BodyTooLarge)) throw error
        refuse(res, [413, 'validation_error', 'The request body is too large.'])
      }
      return true
    },
  }
}

function answerFault(res: ServerResponse, fault: Extract<MailFault, { kind: 'status' }>): void {
  if (fault.retryAfterSeconds !== undefined) res.setHeader('retry-after', String(fault.retryAfterSeconds))
  const body = { statusCode: fault.status, name: 'application_error', message: 'A fault was asked for.' }
  answerJson(res, fault.status, fault.body ?? body)
}

/** Status, name and message, as Resend words them. */
type Refusal = [status: number, name: string, message: string]

function refuse(res: ServerResponse, [statusCode, name, message]: Refusal): void {
  answerJson(res, statusCode, { statusCode, name, message })
}

function unauthorized(req: IncomingMessage, apiKey: string): Refusal | undefined {
  const header = req.headers.authorization ?? ''
  if (!header.startsWith('Bearer ')) {
    return [401, 'missing_api_key', 'Missing API key in the authorization header.']
  }
  return header === `Bearer ${apiKey}` ? undefined : [403, 'invalid_api_key', 'API key is invalid.']
}

function keyOf(req: IncomingMessage): string | null {
  const header = req.headers['idempotency-key']
  return header === undefined ? null : String(header)
}

function digest(raw: string): string {
  return createHash('sha256').update(raw).digest('base64')
}

function mailOf(payload: MailPayload, stored: { id: string; key: string | null; at: Date }): Mail {
  return {
    id: stored.id,
    from: payload.from,
    to: Array.isArray(payload.to) ? payload.to : [payload.to],
    subject: payload.subject,
    html: payload.html ?? null,
    text: payload.text ?? null,
    headers: payload.headers ?? {},
    tags: payload.tags ?? [],
    idempotencyKey: stored.key,
    at: stored.at,
  }
}
