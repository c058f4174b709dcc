// How Slack reaches the app: signed HTTP requests, or envelopes over Socket Mode. Three seconds to acknowledge, whichever it is.
import { createHmac, randomUUID } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { type WebSocket, WebSocketServer } from 'ws'
import { limits } from './limits.ts'

export type DeliveryKind = 'slash_commands' | 'interactive' | 'events_api'

/** What the app answered: the body of its acknowledgement, parsed when it is JSON; or why there was none. */
export type Acknowledgement =
  | { ok: true; body: unknown }
  /** Slack's word for it: `operation_timeout`, `http_status_500`, `not_connected`. */
  | { ok: false; reason: string }

export interface Deliveries {
  /** `appUrl`: where the signed HTTP endpoint is, without its path; null: Socket Mode. */
  connect(appUrl: string | null): void
  send(
    kind: DeliveryKind,
    payload: Record<string, unknown>,
    headers?: Record<string, string>,
  ): Promise<Acknowledgement>
  /** Take over a Socket Mode upgrade; false when it is not one, or its ticket is not known. */
  upgrade(req: IncomingMessage, socket: Duplex, head: Buffer): boolean
  /** A new address for one socket: `ws://…/socket?ticket=…`. */
  ticket(selfUrl: string): string
  dropSockets(): void
  stop(): void
}

const socketsMax = 10
const path = '/slack/events'

export function createDeliveries(signingSecret: string): Deliveries {
  const server = new WebSocketServer({ noServer: true })
  const sockets: WebSocket[] = []
  const tickets = new Set<string>()
  const waiting = new Map<string, (ack: Acknowledgement) => void>()
  let app: string | null | undefined

  function accept(socket: WebSocket): void {
    sockets.push(socket)
    socket.on('close', () => sockets.splice(sockets.indexOf(socket), 1))
    socket.on('error', () => socket.terminate())
    socket.on('message', data => {
      const { envelope_id, payload } = JSON.parse(String(data)) as { envelope_id?: string; payload?: unknown }
      waiting.get(envelope_id ?? '')?.({ ok: true, body: payload ?? '' })
    })
    const hello = { type: 'hello', num_connections: sockets.length, connection_info: { app_id: 'A0SAASM' } }
    socket.send(JSON.stringify({ ...hello, debug_info: { approximate_connection_time: 3600 } }))
  }

  function overSocket(kind: DeliveryKind, payload: unknown): Promise<Acknowledgement> {
    const socket = sockets.findLast(one => one.readyState === one.OPEN)
    if (!socket) return Promise.resolve({ ok: false, reason: 'not_connected' })
    const envelopeId = randomUUID()
    return new Promise(done => {
      const finish = (ack: Acknowledgement) => {
        clearTimeout(timer)
        waiting.delete(envelopeId)
        done(ack)
      }
      const timer = setTimeout(() => finish({ ok: false, reason: 'operation_timeout' }), limits.acknowledgeMs)
      waiting.set(envelopeId, finish)
      const envelope = {
        envelope_id: envelopeId,
        type: kind,
        payload,
        accepts_response_payload: kind !== 'events_api',
      }
      socket.send(JSON.stringify(envelope))
    })
  }

  async function overHttp(
    url: string,
    kind: DeliveryKind,
    payload: Record<string, unknown>,
    headers: Record<string, string>,
  ) {
    const body = bodyOf(kind, payload)
    const timestamp = String(Math.floor(Date.now() / 1000))
    const type = kind === 'events_api' ? 'application/json' : 'application/x-www-form-urlencoded'
    try {
      const answer = await fetch(`${url}${path}`, {
        method: 'POST',
        body,
        headers: {
          ...headers,
          'content-type': type,
          'user-agent': 'Slackbot 1.0 (+https://api.slack.com/robots)',
          'x-slack-request-timestamp': timestamp,
          'x-slack-signature': `v0=${createHmac('sha256', signingSecret).update(`v0:${timestamp}:${body}`).digest('hex')}`,
        },
        signal: AbortSignal.timeout(limits.acknowledgeMs),
      })
      const text = await answer.text()
      if (answer.status !== 200) return { ok: false as const, reason: `http_status_${answer.status}` }
      return { ok: true as const, body: parsed(text, answer.headers.get('content-type') ?? '') }
    } catch (error) {
      const late = error instanceof Error && error.name === 'TimeoutError'
      return { ok: false as const, reason: late ? 'operation_timeout' : 'connection_failed' }
    }
  }

  return {
    connect(appUrl) {
      app = appUrl
    },
    send(kind, payload, headers = {}) {
      if (app === undefined) return Promise.resolve({ ok: false, reason: 'not_connected' })
      return app === null ? overSocket(kind, payload) : overHttp(app, kind, payload, headers)
    },
    ticket(selfUrl) {
      const ticket = randomUUID()
      tickets.add(ticket)
      return `${selfUrl.replace(/^http/, 'ws')}/socket?ticket=${ticket}`
    },
    upgrade(req, socket, head) {
      const { pathname, searchParams } = new URL(req.url ?? '/', 'http://slack')
      const known = pathname === '/socket' && tickets.delete(searchParams.get('ticket') ?? '')
      if (!known || sockets.length >= socketsMax) return false
      server.handleUpgrade(req, socket, head, accept)
      return true
    },
    dropSockets() {
      for (const socket of sockets) socket.terminate()
    },
    stop() {
      for (const finish of waiting.values()) finish({ ok: false, reason: 'not_connected' })
      for (const socket of sockets) socket.terminate()
      server.close()
    },
  }
}

function bodyOf(kind: DeliveryKind, payload: Record<string, unknown>): string {
  if (kind === 'events_api') return JSON.stringify(payload)
  if (kind === 'interactive') return new URLSearchParams({ payload: JSON.stringify(payload) }).toString()
  return new URLSearchParams(payload as Record<string, string>).toString()
}

function parsed(text: string, type: string): unknown {
  if (!type.includes('json')) return text
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}
