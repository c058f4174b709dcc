// What bench:slack says and hears: a stand-in of Slack, signed requests, and how long each took to be answered.
import { createHmac } from 'node:crypto'
import { Agent, createServer, request } from 'node:http'
import { within } from './within.ts'

export interface StandIn {
  readonly url: string
  /** Milliseconds by `performance.now()` at which a window is asked for, and at which it is drawn for the first time. */
  window(trigger: string): { asked: Promise<number>; drawn: Promise<number> }
  stop(): void
}

/** Slack as the app needs it here: knows everybody, opens every window, and notes when it was asked to. */
export async function startSlack(): Promise<StandIn> {
  const waiting = new Map<string, (at: number) => void>()
  const hear = (key: string, at: number) => {
    waiting.get(key)?.(at)
    waiting.delete(key)
  }
  const server = createServer(async (req, res) => {
    const at = performance.now()
    const chunks: Buffer[] = []
    for await (const chunk of req) chunks.push(chunk as Buffer)
    const args = new URLSearchParams(Buffer.concat(chunks).toString('utf8'))
    const method = (req.url ?? '').split('/').at(-1)
    if (method === 'views.open') hear(`asked ${args.get('trigger_id')}`, at)
    if (method === 'views.update') hear(`drawn ${args.get('view_id')}`, at)
    const user = { id: args.get('user'), team_id: 'T0BENCH', real_name: 'Ada', is_admin: true, profile: {} }
    const view = { id: args.get('trigger_id') ?? args.get('view_id'), hash: 'h' }
    res.setHeader('content-type', 'application/json')
    res.end(
      JSON.stringify({ ok: true, team_id: 'T0BENCH', user, view, members: [user], channel: 'C1', ts: '1.1' }),
    )
  })
  await new Promise<void>(resolve => {
    server.listen(0, '127.0.0.1', () => resolve())
  })
  const address = server.address()
  const port = typeof address === 'object' && address ? address.port : 0
  const heard = (key: string) =>
    within(10, new Promise<number>(resolve => waiting.set(key, resolve)), `Slack was not called: ${key}`)
  return {
    url: `http://127.0.0.1:${port}/api/`,
    window: trigger => ({ asked: heard(`asked ${trigger}`), drawn: heard(`drawn ${trigger}`) }),
    stop() {
      server.close()
      server.closeAllConnections()
    },
  }
}

export interface Voice {
  /** Say something as one of 1,000 people; resolves to milliseconds until it is acknowledged. */
  say(port: number, text: string): Promise<number>
  /** Ask for a window; resolves to milliseconds until Slack is asked to open it, and until it is drawn. */
  open(port: number, text: string): Promise<{ asked: number; drawn: number }>
}

export function createVoice(slack: StandIn, signingSecret: string): Voice {
  const agent = new Agent({ keepAlive: true, maxSockets: 32 })
  let said = 0
  /** Of its own for each request: what comes twice is refused as a replay. */
  const nextTrigger = () => {
    said += 1
    return `t.${said}`
  }

  function command(port: number, text: string, trigger: string): Promise<number> {
    const body = new URLSearchParams({
      ...{ command: '/saasm', text, team_id: 'T0BENCH', user_id: `U${said % 1_000}`, channel_id: 'C1' },
      ...{ trigger_id: trigger, response_url: `${slack.url}respond` },
    }).toString()
    const stamp = String(Math.floor(Date.now() / 1000))
    const signature = createHmac('sha256', signingSecret).update(`v0:${stamp}:${body}`).digest('hex')
    return new Promise((resolve, reject) => {
      const from = performance.now()
      const asked = request({
        ...{ host: '127.0.0.1', port, path: '/slack/events', method: 'POST', agent, timeout: 10_000 },
        headers: {
          'content-type': 'application/x-www-form-urlencoded',
          'content-length': Buffer.byteLength(body),
          'x-slack-request-timestamp': stamp,
          'x-slack-signature': `v0=${signature}`,
        },
      })
      asked.once('timeout', () => asked.destroy(new Error('No acknowledgement within 10 s')))
      // The other side had closed an idle connection at this very moment: it has heard nothing.
      asked.once('error', error =>
        asked.reusedSocket && 'code' in error && error.code === 'ECONNRESET'
          ? resolve(command(port, text, trigger))
          : reject(error),
      )
      asked.once('response', res => {
        if (res.statusCode !== 200) reject(new Error(`Answered with ${res.statusCode}`))
        res.resume()
        res.once('end', () => resolve(performance.now() - from))
      })
      asked.end(body)
    })
  }

  return {
    say: (port, text) => command(port, text, nextTrigger()),
    async open(port, text) {
      const trigger = nextTrigger()
      const from = performance.now()
      const { asked, drawn } = slack.window(trigger)
      const [askedAt, drawnAt] = await Promise.all([asked, drawn, command(port, text, trigger)])
      return { asked: askedAt - from, drawn: drawnAt - from }
    },
  }
}

/** One every `everyMs`, whether the one before is answered or not: a slow answer does not spare the next one. */
export async function paced<T>(count: number, everyMs: number, one: () => Promise<T>): Promise<T[]> {
  const all: Promise<T>[] = []
  for (let n = 0; n < count; n += 1) {
    const asked = one()
    asked.catch(() => {})
    all.push(asked)
    await new Promise(resolve => setTimeout(resolve, everyMs))
  }
  return Promise.all(all)
}

/** As many as 16 at once can; a second. */
export async function flood(count: number, one: () => Promise<unknown>): Promise<number> {
  let left = count
  const from = performance.now()
  const lane = async () => {
    while (left > 0) {
      left -= 1
      await one()
    }
  }
  await Promise.all(Array.from({ length: 16 }, lane))
  return (count * 1_000) / (performance.now() - from)
}
