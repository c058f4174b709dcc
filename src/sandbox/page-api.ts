// The page's JSON API: what it draws, live updates, and what a person does to Slack, the mailbox, the vendors and the clock.
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { MovableClock } from '../lib/clock.ts'
import { answerJson, answerText, bodyMaxOf, readBody } from './http.ts'
import type { Mailbox } from './mailbox.ts'
import { PageMistake } from './page-mistake.ts'
import { personAction } from './page-person.ts'
import { vendorAction, vendorState } from './page-vendors.ts'
import type { VendorId } from './server.ts'
import type { SlackStandIn } from './slack/stand-in.ts'
import type { VendorStandIn } from './vendors/vendor-stand-in.ts'

export interface PageApi {
  /** Serve one request under `/page/`; false when the path is not known. Throws BodyTooLarge. */
  handle(req: IncomingMessage, res: ServerResponse): Promise<boolean>
  /** Tell the open pages that something changed; calls within 40 ms become one. */
  changed(): void
  /** End the event streams. */
  stop(): void
}

export interface PageApiParts {
  slack: SlackStandIn
  mailbox: Mailbox
  vendors: Record<VendorId, VendorStandIn>
  clock: MovableClock
  selfUrl: () => string
}

const mailsShownMax = 100
const messagesShownMax = 200
const streamsMax = 50
const coalesceMs = 40
/** A year: more would only overflow dates. */
const advanceMsMax = 366 * 24 * 3_600_000
/** The mail's own policy: no scripts, nothing loaded, its inline styles allowed. */
const mailPolicy =
  "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'"

/** Make the API. */
export function createPageApi(parts: PageApiParts): PageApi {
  const streams = new Set<ServerResponse>()
  let timer: NodeJS.Timeout | undefined

  function tellAll(): void {
    timer = undefined
    for (const stream of streams) stream.write('data: changed\n\n')
  }

  function openStream(res: ServerResponse): void {
    if (streams.size >= streamsMax) {
      answerText(res, 503, 'Too many open pages.')
      return
    }
    res.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' })
    res.write('retry: 1000\n\ndata: changed\n\n')
    streams.add(res)
    res.once('close', () => streams.delete(res))
  }

  async function post(path: string, body: Record<string, unknown>): Promise<unknown> {
    const [, , room, first = '', second = ''] = path.split('/')
    if (room === 'as') return asPerson(first, second, body)
    if (room === 'vendors') return vendorAction(parts.vendors[first as VendorId], second, body)
    if (room === 'clock') return advance(body.ms)
    throw new PageMistake(`There is no ${path}`)
  }

  /** What a person cannot do (a window that has gone, an option that is not offered) is the page's mistake, not ours. */
  async function asPerson(userId: string, what: string, body: Record<string, unknown>): Promise<unknown> {
    try {
      return await personAction(parts.slack.as(userId), what, body)
    } catch (error) {
      throw new PageMistake(error instanceof Error ? error.message : String(error))
    }
  }

  function advance(ms: unknown): void {
    if (typeof ms !== 'number' || !(ms > 0 && ms <= advanceMsMax)) throw new PageMistake('ms is not a time')
    parts.clock.advance(ms)
    changed()
  }

  function changed(): void {
    timer ??= setTimeout(tellAll, coalesceMs)
  }

  function get(path: string, query: URLSearchParams, res: ServerResponse): boolean {
    if (path === '/page/events') openStream(res)
    else if (path === '/page/state')
      answerJson(res, 200, stateOf(parts, query.get('as') ?? '', query.get('search') ?? ''))
    else if (path.startsWith('/page/mails/')) showMail(parts.mailbox, path.slice('/page/mails/'.length), res)
    else if (path.startsWith('/page/files/')) sendFile(parts.slack, path.slice('/page/files/'.length), res)
    else return false
    return true
  }

  return {
    changed,
    stop() {
      clearTimeout(timer)
      for (const stream of streams) stream.end()
    },
    async handle(req, res) {
      const { pathname, searchParams } = new URL(req.url ?? '/', 'http://sandbox')
      if (req.method === 'GET') return get(pathname, searchParams, res)
      if (req.method !== 'POST') return false
      try {
        const body = await jsonBody(req, bodyMaxOf(pathname))
        answerJson(res, 200, (await post(pathname, body)) ?? {})
      } catch (error) {
        if (!(error instanceof PageMistake)) throw error
        answerJson(res, 400, { error: error.message })
      }
      return true
    },
  }
}

function stateOf(parts: PageApiParts, userId: string, search: string) {
  return {
    slack: parts.slack.stateFor(userId, { messagesMax: messagesShownMax }),
    mails: parts.mailbox.mails
      .slice(-mailsShownMax)
      .map(({ html, ...mail }) => ({ ...mail, html: html !== null })),
    vendors: Object.values(parts.vendors).map(vendor => vendorState(vendor, parts.selfUrl(), search)),
    clock: { now: parts.clock.now().toISOString(), aheadMs: parts.clock.offsetMs() },
  }
}

function showMail(mailbox: Mailbox, id: string, res: ServerResponse): void {
  const mail = mailbox.mails.find(one => one.id === id)
  if (!mail) {
    answerText(res, 404, 'No such mail.')
    return
  }
  res.writeHead(200, { 'content-type': 'text/html; charset=utf-8', 'content-security-policy': mailPolicy })
  res.end(mail.html ?? '')
}

/** Never shown as a page: what was uploaded is only saved. */
function sendFile(slack: SlackStandIn, id: string, res: ServerResponse): void {
  const file = slack.file(id)
  if (!file) {
    answerText(res, 404, 'No such file.')
    return
  }
  res.writeHead(200, {
    'content-type': 'application/octet-stream',
    'content-disposition': `attachment; filename*=UTF-8''${encodeURIComponent(file.name)}`,
    'x-content-type-options': 'nosniff',
  })
  res.end(file.bytes)
}

async function jsonBody(req: IncomingMessage, maxBytes: number): Promise<Record<string, unknown>> {
  // A form from another site cannot send this type without asking first.
  if (!(req.headers['content-type'] ?? '').startsWith('application/json')) {
    throw new PageMistake('Send application/json')
  }
  const text = await readBody(req, maxBytes)
  try {
    const value: unknown = JSON.parse(text || '{}')
    if (typeof value === 'object' && value !== null) return value as Record<string, unknown>
  } catch {
    // Not JSON: said below.
  }
  throw new PageMistake('The body is not a JSON object')
}
