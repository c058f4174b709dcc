// The sandbox's one HTTP server, on loopback: the page and its API, Slack's API, Resend's, the vendors'.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Log } from '../lib/log.ts'
import { answerJson, answerText, BodyTooLarge, bodyMaxOf } from './http.ts'
import type { Mailbox } from './mailbox.ts'
import type { PageApi } from './page-api.ts'
import { pageFile } from './page-files.ts'
import type { SlackStandIn } from './slack/stand-in.ts'
import type { VendorStandIn } from './vendors/vendor-stand-in.ts'

export type VendorId = 'okta' | 'github' | 'scim'

export interface ServerParts {
  slack: SlackStandIn
  mailbox: Mailbox
  vendors: Record<VendorId, Pick<VendorStandIn, 'handle'>>
  page: PageApi
  log: Log
}

/** How many ports are tried before the start is given up. */
const portTries = 20
const requestTimeoutMs = 60_000
const headersTimeoutMs = 10_000

/** Listen on 127.0.0.1, on `port` or one of the next 20 free ones (0: any). Throws when none is free. */
export async function listen(
  parts: ServerParts,
  port: number,
): Promise<{ port: number; stop(): Promise<void> }> {
  const server = createServer((req, res) => void serve(parts, req, res))
  server.requestTimeout = requestTimeoutMs
  server.headersTimeout = headersTimeoutMs
  server.on('upgrade', (req, socket, head) => {
    if (!isLoopbackHost(req) || !parts.slack.upgrade(req, socket, head)) socket.destroy()
  })
  const sockets = new Set<Duplex>()
  server.on('connection', socket => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  for (let tried = 0; ; tried += 1) {
    try {
      const taken = await listenOnce(server, port === 0 ? 0 : port + tried)
      return { port: taken, stop: () => stop(server, sockets) }
    } catch (error) {
      const busy = (error as NodeJS.ErrnoException).code === 'EADDRINUSE'
      if (!busy || port === 0 || tried + 1 >= portTries) throw error
    }
  }
}

async function serve(parts: ServerParts, req: IncomingMessage, res: ServerResponse): Promise<void> {
  try {
    const refused = refusal(req)
    if (refused) return answerText(res, refused.status, refused.sentence)
    if (!(await route(parts, req, res)) && !res.headersSent) answerText(res, 404, 'There is nothing here.')
  } catch (error) {
    if (error instanceof BodyTooLarge) {
      if (!res.headersSent) answerText(res, 413, error.message)
      return
    }
    parts.log.error({ err: error, path: req.url }, 'The sandbox failed to answer')
    if (!res.headersSent) answerJson(res, 500, { error: 'internal', message: String(error) })
    else res.destroy()
  }
}

/** DNS rebinding: a foreign name for our address. Cross-site posting: a page from elsewhere that writes. */
function refusal(req: IncomingMessage): { status: number; sentence: string } | undefined {
  if (!isLoopbackHost(req)) return { status: 403, sentence: 'The sandbox answers on localhost only.' }
  const { origin, host } = req.headers
  if (req.method !== 'GET' && origin !== undefined && origin !== `http://${host}`) {
    return { status: 403, sentence: 'The sandbox takes requests from its own page only.' }
  }
  const maxBytes = bodyMaxOf(new URL(req.url ?? '/', 'http://sandbox').pathname)
  if (Number(req.headers['content-length'] ?? 0) > maxBytes) {
    return { status: 413, sentence: new BodyTooLarge(maxBytes).message }
  }
  return undefined
}

function isLoopbackHost(req: IncomingMessage): boolean {
  return /^(127\.0\.0\.1|localhost|\[::1\])(:\d+)?$/.test(req.headers.host ?? '')
}

async function route(parts: ServerParts, req: IncomingMessage, res: ServerResponse): Promise<boolean> {
  const path = new URL(req.url ?? '/', 'http://sandbox').pathname
  if (/^\/(api|response|files)\//.test(path)) return parts.slack.handle(req, res)
  if (path.startsWith('/resend/')) return parts.mailbox.handle(without('/resend', req), res)
  const vendor = /^\/vendors\/(okta|github|scim)(?=\/)/.exec(path)
  if (vendor) {
    return parts.vendors[vendor[1] as VendorId].handle(without(vendor[0], req), res)
  }
  if (path.startsWith('/page/') && (await parts.page.handle(req, res))) return true
  return req.method === 'GET' ? pageFile(path, res) : false
}

/** The same request with the mount prefix cut from its url. */
function without(prefix: string, req: IncomingMessage): IncomingMessage {
  req.url = (req.url ?? '').slice(prefix.length)
  return req
}

function listenOnce(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', () => {
      server.off('error', reject)
      const address = server.address()
      resolve(typeof address === 'object' && address ? address.port : port)
    })
  })
}

function stop(server: Server, sockets: Set<Duplex>): Promise<void> {
  return new Promise(resolve => {
    server.close(() => resolve())
    for (const socket of sockets) socket.destroy()
  })
}
