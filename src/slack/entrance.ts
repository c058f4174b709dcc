// The entrance: what a request must be before Bolt reads it. Signed, fresh, new, small, and something that is heard here.
import { createHmac, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'

export interface EntranceOptions {
  signingSecret: string
  /** The slash command and the events that are heard. */
  command: string
  events: readonly string[]
}

/** Let a request through, with its body in `rawBody`; or answer it, and resolve false. */
export type Entrance = (req: IncomingMessage, res: ServerResponse) => Promise<boolean>

/** Slack's own: older requests, and those from the future, are refused. */
const freshSeconds = 300
const bodyMaxBytes = 1_000_000
/** All bodies that are being read at once: beyond it a request is told to come back. */
const readingMaxBytes = 32_000_000
/** Requests remembered, so that none has its effect twice; the oldest are forgotten first. */
const rememberedMax = 50_000

export function createEntrance(options: EntranceOptions): Entrance {
  const heardBefore = createMemory()
  let reading = 0

  /** The body; undefined when it is too large, or there is no room. The rest of it is not waited for. */
  async function bodyOf(req: IncomingMessage, res: ServerResponse): Promise<Buffer | undefined> {
    const chunks: Buffer[] = []
    let size = 0
    try {
      if (Number(req.headers['content-length'] ?? 0) > bodyMaxBytes) return refuse(res, 413)
      for await (const chunk of req as AsyncIterable<Buffer>) {
        size += chunk.byteLength
        reading += chunk.byteLength
        if (size > bodyMaxBytes) return refuse(res, 413)
        if (reading > readingMaxBytes) return refuse(res, 503)
        chunks.push(chunk)
      }
      return Buffer.concat(chunks)
    } catch {
      // The other side went away, or took longer than the server's request timeout.
      return refuse(res, 408)
    } finally {
      reading -= size
    }
  }

  return async (req, res) => {
    if (req.method !== 'POST') {
      res.setHeader('allow', 'POST')
      return refuse(res, 405) ?? false
    }
    const signature = String(req.headers['x-slack-signature'] ?? '')
    const stamp = String(req.headers['x-slack-request-timestamp'] ?? '')
    // Cheap questions first: nothing is read for who does not even look like Slack.
    const age = Math.abs(Date.now() / 1000 - Number(stamp))
    if (!/^v0=[0-9a-f]{64}$/.test(signature) || !/^\d{1,12}$/.test(stamp) || age > freshSeconds)
      return refuse(res, 401) ?? false
    const raw = await bodyOf(req, res)
    if (!raw) return false
    if (!isSigned(options.signingSecret, { stamp, raw, signature })) return refuse(res, 401) ?? false
    const body = parsedBody(raw, req.headers['content-type'] ?? '')
    const status = body ? statusOf(body, options) : 400
    if (!body || status !== undefined) return refuse(res, status ?? 400) ?? false
    const keys = keysOf(body, signature)
    if (!heardBefore.add(keys)) return refuse(res, 200) ?? false
    // A request that we could not answer may come again: Slack's own retry of it is the cure.
    res.once('finish', () => {
      if (res.statusCode >= 500) heardBefore.forget(keys)
    })
    Object.assign(req, { rawBody: raw })
    return true
  }
}

/** Answer and close the connection: what is still on its way is not read. */
function refuse(res: ServerResponse, status: number): undefined {
  if (status !== 200) res.setHeader('connection', 'close')
  if (!res.headersSent) res.writeHead(status)
  res.end()
  return undefined
}

function isSigned(
  secret: string,
  { stamp, raw, signature }: { stamp: string; raw: Buffer; signature: string },
) {
  const made = createHmac('sha256', secret).update(`v0:${stamp}:`).update(raw).digest('hex')
  return timingSafeEqual(Buffer.from(`v0=${made}`), Buffer.from(signature))
}

type Body = Readonly<Record<string, unknown>>

/** A form's fields, its `payload`, or JSON; undefined when it is no object. */
function parsedBody(raw: Buffer, type: string): Body | undefined {
  const text = raw.toString('utf8')
  try {
    if (!type.startsWith('application/x-www-form-urlencoded')) return objectOf(JSON.parse(text))
    const form = new URLSearchParams(text)
    const payload = form.get('payload')
    return payload === null ? Object.fromEntries(form) : objectOf(JSON.parse(payload))
  } catch {
    return undefined
  }
}

/** What Bolt looks into without asking whether it is there. */
const parts = [
  'event',
  'user',
  'team',
  'channel',
  'view',
  'container',
  'message',
  'enterprise',
  'authorizations',
]

function isPart(value: unknown): boolean {
  return value === null || typeof value === 'object'
}

/** The status to answer with at once; undefined: Bolt has a listener for it, and what that listener is chosen by is there. */
function statusOf(body: Body, options: EntranceOptions): number | undefined {
  const first = Array.isArray(body.actions) ? objectOf(body.actions[0]) : undefined
  const isText = (value: unknown) => (typeof value === 'string' ? undefined : 400)
  if (body.type !== 'event_callback' && body.event !== undefined) return 400
  if (body.type !== undefined && parts.some(key => body[key] !== undefined && !isPart(body[key]))) return 400
  switch (body.type) {
    case undefined:
      if (typeof body.command !== 'string') return 400
      return body.command === options.command ? isText(body.user_id) : 404
    case 'url_verification':
      return isText(body.challenge)
    case 'event_callback': {
      // An event that nobody hears is taken all the same: refused, Slack would send it again.
      const event = objectOf(body.event)
      if (!event) return 400
      return typeof event.type === 'string' && options.events.includes(event.type) ? isText(event.user) : 200
    }
    case 'block_actions':
      return isText(first?.action_id)
    case 'block_suggestion':
      return isText(body.action_id)
    case 'view_submission':
    case 'view_closed':
      return isText(objectOf(body.view)?.callback_id)
    default:
      return 404
  }
}

/** By what a request is known when it comes again: its signature, and what Slack gives once only. An option load has no effect. */
function keysOf(body: Body, signature: string): string[] {
  if (body.type === 'block_suggestion' || body.type === 'url_verification') return []
  const once = [body.event_id, body.trigger_id].filter(id => typeof id === 'string' && id !== '')
  return [signature, ...once.map(String)]
}

/** What was heard within twice the time that a stamp is taken for fresh. */
function createMemory() {
  const until = new Map<string, number>()
  return {
    /** False when one of the keys is there already; then none is added. */
    add(keys: readonly string[]): boolean {
      const now = Date.now()
      for (const [key, end] of until) {
        if (end > now && until.size < rememberedMax) break
        until.delete(key)
      }
      if (keys.some(key => until.has(key))) return false
      for (const key of keys) until.set(key, now + 2 * freshSeconds * 1000)
      return true
    },
    forget(keys: readonly string[]): void {
      for (const key of keys) until.delete(key)
    },
  }
}

function objectOf(value: unknown): Body | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Body) : undefined
}
