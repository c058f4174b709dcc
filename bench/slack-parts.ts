// The processes of bench:slack beside the one that measures: the app, a bare Bolt app, and a vendor that answers at once.
import { mkdirSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { App, HTTPReceiver } from '@slack/bolt'
import { createApp } from '../src/app.ts'
import { systemClock } from '../src/lib/clock.ts'
import { silentLog } from '../src/lib/log.ts'
import { readPages, writePages } from './people.ts'

export interface PartTask {
  databaseUrl: string
  slackApiUrl: string
  signingSecret: string
  botToken: string
  /** 32 bytes, in base64. */
  secretKey: string
  people: number
  /** People an answer of the vendor lists, in two hundreds. */
  page: number
}

export interface LoopDelay {
  p99Ms: number
  maxMs: number
}

export type Part = 'app' | 'bolt' | 'vendor'

/** Instances that sync at once, each on a host of its own. */
export const syncsAtOnce = 4

/** Start one part in this process; returns the ports it listens on. */
export const parts: Readonly<Record<Part, (task: PartTask) => Promise<number[]>>> = {
  async app(task) {
    const app = createApp({
      clock: systemClock,
      log: silentLog,
      databaseUrl: task.databaseUrl,
      jobStore: { kind: 'postgres', url: task.databaseUrl },
      listen: { port: 0, host: '127.0.0.1' },
      slack: {
        ...{ botToken: task.botToken, signingSecret: task.signingSecret },
        ...{ appToken: null, apiUrl: task.slackApiUrl },
      },
      mail: null,
      secretKeys: [Buffer.from(task.secretKey, 'base64')],
      channel: null,
      access: { admins: [], operators: [], viewers: [], ownersManage: true },
      requestsPerMinute: 1_000_000,
      allowPrivateNetwork: true,
      roles: { chat: true, work: true },
      limits: { runsAtOnce: 2 * syncsAtOnce },
    })
    await app.start()
    sayDelays()
    return [app.port()]
  },
  async bolt(task) {
    const receiver = new HTTPReceiver({ signingSecret: task.signingSecret, endpoints: '/slack/events' })
    const authorize = async () => ({ botToken: task.botToken })
    const bolt = new App({ receiver, authorize, deferInitialization: true, convoStore: false })
    bolt.command('/saasm', async ({ ack }) => ack())
    await bolt.init()
    const server = createServer((req, res) => receiver.requestListener(req, res))
    return [await listen(server)]
  },
  async vendor({ people, page }) {
    const folder = join('.saasm', 'bench', 'slack')
    mkdirSync(folder, { recursive: true })
    writePages(join(folder, 'people'), people, 'first')
    const small = Array.from(readPages(join(folder, 'people')), ({ bytes }) => Buffer.from(bytes))
    const pages = joined(small, Math.max(1, Math.ceil(page / 200)))
    rmSync(folder, { recursive: true, force: true })
    const serve = () =>
      createServer((req, res) => {
        const after = Number(new URL(req.url ?? '/', 'http://vendor').searchParams.get('after') ?? 0)
        const next = `<http://${req.headers.host}/api/v1/users?limit=200&after=${after + 1}>; rel="next"`
        res.setHeader('content-type', 'application/json')
        if (after + 1 < pages.length) res.setHeader('link', next)
        res.end(pages[after] ?? '[]')
      })
    return Promise.all(Array.from({ length: syncsAtOnce }, () => listen(serve())))
  },
}

/** As many lists at a time as one. */
function joined(lists: readonly Buffer[], atATime: number): Buffer[] {
  return Array.from({ length: Math.ceil(lists.length / atATime) }, (_, at) => {
    const parts = lists.slice(at * atATime, (at + 1) * atATime).map(list => list.subarray(1, -1))
    return Buffer.concat([
      Buffer.from('['),
      ...parts.flatMap((part, n) => (n > 0 ? [Buffer.from(','), part] : [part])),
      Buffer.from(']'),
    ])
  })
}

/** Told `watch`, looks how long the event loop is held up; told `watched`, says so, in milliseconds, and looks no more. */
function sayDelays(): void {
  const delays = monitorEventLoopDelay({ resolution: 1 })
  process.on('message', message => {
    if (message === 'watch') {
      delays.reset()
      delays.enable()
    }
    if (message !== 'watched') return
    delays.disable()
    const ms = (nanoseconds: number) => nanoseconds / 1e6
    process.send?.({ p99Ms: ms(delays.percentile(99)), maxMs: ms(delays.max) } satisfies LoopDelay)
  })
}

function listen(server: ReturnType<typeof createServer>): Promise<number> {
  return new Promise(resolve => {
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      resolve(typeof address === 'object' && address ? address.port : 0)
    })
  })
}
