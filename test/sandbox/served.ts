// A Slack stand-in on a real server, and an app behind it that answers as a test tells it to.
import { createServer, type IncomingMessage, type Server } from 'node:http'
import { type MovableClock, movableClock } from '../../src/lib/clock.ts'
import { botUserId, channels, people, team } from '../../src/sandbox/seed.ts'
import { createSlackStandIn, type SlackStandIn } from '../../src/sandbox/slack/stand-in.ts'

export interface Delivered {
  headers: Record<string, string | undefined>
  /** The fields of a command, or the parsed payload of anything else. */
  payload: Record<string, unknown>
}

export interface Served {
  readonly slack: SlackStandIn
  readonly clock: MovableClock
  readonly url: string
  /** All that reached the app, oldest first. */
  readonly delivered: Delivered[]
  /** What the app answers next: a body, or a status, or nothing for so many ms. Blank 200 unless told. */
  answer(next: { status?: number; body?: unknown; afterMs?: number }): void
  /** Call the Web API with the bot's token, or another one. */
  call(
    method: string,
    args?: object,
    token?: string,
  ): Promise<
    { ok: boolean; error?: string; [key: string]: unknown } & { status: number; retryAfter: string | null }
  >
  stop(): Promise<void>
}

export const botToken = 'xoxb-test'
export const appToken = 'xapp-test'

export async function serveSlack(
  options: { scopes?: string[]; enforceRates?: boolean } = {},
): Promise<Served> {
  const clock = movableClock()
  const slack = createSlackStandIn({
    clock,
    botToken,
    appToken,
    signingSecret: 'signing-secret',
    scopes: options.scopes ?? [
      'commands',
      'chat:write',
      'users:read',
      'users:read.email',
      'channels:read',
      'channels:history',
      'usergroups:read',
    ],
    team,
    users: people,
    channels,
    botUserId,
    enforceRates: options.enforceRates ?? false,
  })
  const server = createServer(
    (req, res) => void slack.handle(req, res).then(known => known || res.writeHead(404).end()),
  )
  server.on('upgrade', (req, socket, head) => slack.upgrade(req, socket, head) || socket.destroy())
  const delivered: Delivered[] = []
  const answers: { status?: number; body?: unknown; afterMs?: number }[] = []
  const app = createServer(async (req, res) => {
    delivered.push({ headers: req.headers as Delivered['headers'], payload: await payloadOf(req) })
    const { status = 200, body = '', afterMs = 0 } = answers.shift() ?? {}
    const send = () => {
      const json = typeof body !== 'string'
      res.writeHead(status, { 'content-type': json ? 'application/json' : 'text/plain' })
      res.end(json ? JSON.stringify(body) : body)
    }
    if (afterMs > 0) setTimeout(send, afterMs)
    else send()
  })
  const [url, appUrl] = await Promise.all([listen(server), listen(app)])
  slack.connect({ selfUrl: url, appUrl })
  return {
    slack,
    clock,
    url,
    delivered,
    answer: next => void answers.push(next),
    async call(method, args = {}, token = botToken) {
      const answer = await fetch(`${url}/api/${method}`, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          ...(token ? { authorization: `Bearer ${token}` } : {}),
        },
        body: JSON.stringify(args),
      })
      const body = (await answer.json()) as { ok: boolean }
      return { ...body, status: answer.status, retryAfter: answer.headers.get('retry-after') }
    },
    async stop() {
      slack.stop()
      for (const one of [server, app]) {
        one.closeAllConnections()
        await new Promise(done => one.close(done))
      }
    },
  }
}

async function payloadOf(req: IncomingMessage): Promise<Record<string, unknown>> {
  let raw = ''
  for await (const chunk of req) raw += String(chunk)
  if ((req.headers['content-type'] ?? '').includes('json')) return JSON.parse(raw)
  const form = new URLSearchParams(raw)
  const payload = form.get('payload')
  return payload ? JSON.parse(payload) : Object.fromEntries(form)
}

function listen(server: Server): Promise<string> {
  return new Promise(done => {
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      done(`http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`)
    })
  })
}
