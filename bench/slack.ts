// bench:slack: how soon Slack is answered and Edit Instance opened, idle and while four large syncs run in the same process; beside a bare Bolt app.
import { type ChildProcess, fork } from 'node:child_process'
import { createHmac, randomBytes } from 'node:crypto'
import { Agent, createServer, request } from 'node:http'
import { fileURLToPath } from 'node:url'
import { openDb } from '../src/db/db.ts'
import { createSeal } from '../src/instances/seal.ts'
import { createInstance } from '../src/instances/store.ts'
import { newId } from '../src/lib/ids.ts'
import { requestRun } from '../src/sync/request.ts'
import { startServer } from './server.ts'
import { type Part, type PartTask, parts, syncsAtOnce } from './slack-parts.ts'

const numberOf = (name: string, otherwise: number) =>
  Number(new RegExp(`--${name}=(\\d+)`).exec(process.argv.join(' '))?.[1] ?? otherwise)

const agent = new Agent({ keepAlive: true, maxSockets: 32 })
let said = 0

if (process.argv[2] === 'part') await part(process.argv[3] as Part)
else await measure()

/** In a process of its own: told what to be, says where it listens. */
async function part(name: Part): Promise<void> {
  process.once('disconnect', () => process.exit(0))
  const task = await new Promise<PartTask>(resolve => process.once('message', resolve as () => void))
  process.send?.({ ports: await parts[name](task) })
}

interface Shown {
  samples: number[]
  perSecond: number[]
}

async function measure(): Promise<void> {
  const rounds = numberOf('rounds', 3)
  const people = numberOf('people', 100_000)
  const requests = numberOf('requests', 200)
  const server = await startServer()
  await server.sql.unsafe('alter system reset autovacuum')
  await server.sql`select pg_reload_conf()`
  const slack = await startSlack()
  const secretKey = randomBytes(32)
  const task: PartTask = {
    ...{ databaseUrl: server.url, slackApiUrl: slack.url, people, secretKey: secretKey.toString('base64') },
    ...{ signingSecret: randomBytes(16).toString('hex'), botToken: 'xoxb-bench' },
  }
  const children: ChildProcess[] = []
  const db = openDb(server.url)
  try {
    const start = async (name: Part) => {
      const child = fork(fileURLToPath(import.meta.url), ['part', name], {
        execArgv:
          name === 'app' && process.argv.includes('--prof')
            ? ['--cpu-prof', '--cpu-prof-dir=.saasm/bench']
            : [],
      })
      children.push(child)
      child.send(task)
      const { ports } = await heard<{ ports: number[] }>(child)
      return { child, ports }
    }
    const [app, bolt, vendor] = [await start('app'), await start('bolt'), await start('vendor')]
    const ids = await Promise.all(vendor.ports.map(port => instanceAt(db, port, secretKey)))
    const [appPort, boltPort] = [app.ports[0] ?? 0, bolt.ports[0] ?? 0]
    const all = new Map<string, Shown>()
    const shown = (name: string) => {
      const one = all.get(name) ?? { samples: [], perSecond: [] }
      all.set(name, one)
      return one
    }
    const say = { ...task, slack }
    const acks = async (name: string, port: number) =>
      shown(name).samples.push(...(await paced(requests, () => command(say, port, 'help'))))
    const edits = async (name: string) =>
      shown(name).samples.push(
        ...(await paced(requests, () => opened(say, appPort, `manage acme-${vendor.ports[0]}`))),
      )
    const rate = async (name: string, port: number) =>
      shown(name).perSecond.push(await flood(2 * requests, () => command(say, port, 'help')))
    // Compiled and connected before anything is counted.
    await paced(100, () => command(say, boltPort, 'help'))
    await paced(100, () => command(say, appPort, 'help'))
    await paced(50, () => opened(say, appPort, `manage acme-${vendor.ports[0]}`))
    const loop: { p99Ms: number; maxMs: number }[] = []
    let synced = 0
    for (let round = 0; round < rounds; round += 1) {
      await acks('bolt', boltPort)
      await acks('idle', appPort)
      await edits('edit idle')
      await rate('bolt', boltPort)
      await rate('idle', appPort)
      app.child.send('delays')
      await heard(app.child)
      const syncing = keepSyncing(db, ids)
      await syncing.begun
      await acks('syncing', appPort)
      await edits('edit syncing')
      await rate('syncing', appPort)
      app.child.send('delays')
      loop.push(await heard<{ p99Ms: number; maxMs: number }>(app.child))
      synced += await syncing.stop()
      process.stderr.write(`round ${round + 1} of ${rounds}\n`)
    }
    print(all, { rounds, people, requests, synced, loop })
  } finally {
    for (const child of children) {
      const gone = new Promise(resolve => child.once('exit', resolve))
      child.disconnect()
      await gone
    }
    await db.close()
    slack.stop()
    await server.stop()
  }
  process.exit(0)
}

function heard<T>(child: ChildProcess): Promise<T> {
  return new Promise((resolve, reject) => {
    const ended = (code: number | null) => reject(new Error(`A measured process ended with ${code}`))
    child.once('exit', ended)
    child.once('message', message => {
      child.off('exit', ended)
      resolve(message as T)
    })
  })
}

/** Slack as the app needs it here: knows everybody, opens every window, and notes when it was asked to. */
async function startSlack() {
  const opening = new Map<string, (at: number) => void>()
  const server = createServer(async (req, res) => {
    const at = performance.now()
    const chunks: Buffer[] = []
    for await (const chunk of req) chunks.push(chunk as Buffer)
    const args = new URLSearchParams(Buffer.concat(chunks).toString('utf8'))
    const method = (req.url ?? '').split('/').at(-1)
    if (method === 'views.open') opening.get(args.get('trigger_id') ?? '')?.(at)
    const user = { id: args.get('user'), team_id: 'T0BENCH', real_name: 'Ada', is_admin: true, profile: {} }
    const view = { id: 'V0BENCH', hash: 'h' }
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
  return {
    opening,
    url: `http://127.0.0.1:${port}/api/`,
    stop() {
      server.close()
      server.closeAllConnections()
    },
  }
}

type Say = PartTask & { slack: Awaited<ReturnType<typeof startSlack>> }

/** Of its own for each request: what comes twice is refused as a replay. */
function nextTrigger(): string {
  said += 1
  return `t.${said}`
}

/** Say something as one of 1,000 people; resolves to milliseconds until it is acknowledged. */
function command(say: Say, port: number, text: string, trigger = nextTrigger()): Promise<number> {
  const body = new URLSearchParams({
    ...{ command: '/saasm', text, team_id: 'T0BENCH', user_id: `U${said % 1_000}`, channel_id: 'C1' },
    ...{ trigger_id: trigger, response_url: `${say.slackApiUrl}respond` },
  }).toString()
  const stamp = String(Math.floor(Date.now() / 1000))
  const signature = createHmac('sha256', say.signingSecret).update(`v0:${stamp}:${body}`).digest('hex')
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
        ? resolve(command(say, port, text, trigger))
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

/** Ask for a window; resolves to milliseconds until Slack is asked to open it. */
async function opened(say: Say, port: number, text: string): Promise<number> {
  const trigger = nextTrigger()
  const from = performance.now()
  let timer: NodeJS.Timeout | undefined
  const asked = new Promise<number>((resolve, reject) => {
    timer = setTimeout(() => reject(new Error('No window within 10 s')), 10_000)
    say.slack.opening.set(trigger, at => resolve(at - from))
  })
  await command(say, port, text, trigger)
  return asked.finally(() => {
    clearTimeout(timer)
    say.slack.opening.delete(trigger)
  })
}

/** One every 25 ms, whether the one before is answered or not: a slow answer does not spare the next one. */
async function paced(count: number, one: () => Promise<number>): Promise<number[]> {
  const all: Promise<number>[] = []
  for (let n = 0; n < count; n += 1) {
    all.push(one())
    await new Promise(resolve => setTimeout(resolve, 25))
  }
  return Promise.all(all)
}

/** As many as 16 at once can; a second. */
async function flood(count: number, one: () => Promise<number>): Promise<number> {
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

async function instanceAt(db: ReturnType<typeof openDb>, port: number, key: Buffer): Promise<string> {
  const id = newId()
  const place = { teamId: 'T0BENCH', instanceId: id, field: 'credentials' }
  const sealed = createSeal([key]).seal(JSON.stringify({ token: 'bench' }), place)
  const facts = { id, teamId: 'T0BENCH', name: `acme-${port}`, connector: 'okta', sealed }
  const by = { tenantKey: null, tenantName: null, owner: 'U1', createdBy: 'U1' }
  const settings = { domain: `http://127.0.0.1:${port}` }
  await db.transaction(tx => createInstance(tx, { ...facts, ...by, settings }, new Date()))
  return id
}

/** All of these instances sync, again and again, each time as if it were the first; `stop` says how many syncs have ended. */
function keepSyncing(db: ReturnType<typeof openDb>, ids: readonly string[]) {
  let [stopped, begunOnce, begin] = [false, false, () => {}]
  const from = performance.now()
  const begun = new Promise<void>(resolve => {
    begin = () => {
      begunOnce = true
      resolve()
    }
  })
  const since = new Date()
  const running = async () => {
    const rows = await db.sql<
      { n: number }[]
    >`select count(*)::int as n from sync_run where state = 'running'`
    return rows[0]?.n ?? 0
  }
  async function go(): Promise<void> {
    await db.sql`truncate account`
    while (!stopped) {
      for (const instanceId of ids) {
        const wanted = { instanceId, trigger: 'manual' as const, by: null, now: new Date() }
        await db.transaction(tx => requestRun(tx, wanted, () => {}))
      }
      if ((await running()) >= ids.length) begin()
      if (performance.now() - from > 30_000 && !begunOnce)
        throw new Error(
          `The syncs did not begin: ${JSON.stringify(await db.sql`select state, size, fault, count(*)::int from sync_run group by 1, 2, 3`)}`,
        )
      await new Promise(resolve => setTimeout(resolve, 200))
    }
    while ((await running()) > 0) await new Promise(resolve => setTimeout(resolve, 200))
  }
  const done = go()
  return {
    begun: Promise.race([begun, done]),
    async stop(): Promise<number> {
      stopped = true
      await db.sql`update sync_run set state = 'cancelled', ended_at = now() where state = 'requested'`
      await done
      const rows = await db.sql<{ n: number; failed: number }[]>`
        select count(*)::int as n, count(*) filter (where state = 'failed')::int as failed
        from sync_run where requested_at >= ${since.toISOString()} and state <> 'cancelled'`
      if (rows[0]?.failed) throw new Error(`${rows[0].failed} syncs have failed`)
      return rows[0]?.n ?? 0
    },
  }
}

function print(
  all: ReadonlyMap<string, Shown>,
  of: {
    rounds: number
    people: number
    requests: number
    synced: number
    loop: readonly { p99Ms: number; maxMs: number }[]
  },
): void {
  const labels: Record<string, string> = {
    bolt: 'bare Bolt, an empty command: acknowledged',
    idle: 'saasm idle: /saasm help acknowledged',
    syncing: 'saasm syncing: /saasm help acknowledged',
    'edit idle': 'saasm idle: Edit Instance opened',
    'edit syncing': 'saasm syncing: Edit Instance opened',
  }
  const at = (name: string, share: number) => {
    const sorted = (all.get(name)?.samples ?? []).toSorted((a, b) => a - b)
    return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0
  }
  const line = (...cells: string[]) =>
    `${(cells[0] ?? '').padEnd(44)}${cells
      .slice(1)
      .map(cell => cell.padStart(11))
      .join('')}\n`
  const ms = (value: number) => `${value.toFixed(1)} ms`
  let text = `${of.requests} requests of each kind a round, one every 25 ms; ${of.rounds} rounds; ${syncsAtOnce} syncs of ${of.people} people at once, ${of.synced} in all\n`
  text += line('', 'p50', 'p99', 'max', 'a second')
  for (const [name, label] of Object.entries(labels)) {
    const rates = (all.get(name)?.perSecond ?? []).toSorted((a, b) => a - b)
    const rate = rates[Math.floor(rates.length / 2)]
    text += line(
      label,
      ms(at(name, 0.5)),
      ms(at(name, 0.99)),
      ms(at(name, 1)),
      rate === undefined ? '' : rate.toFixed(0),
    )
  }
  const verdict = (ok: boolean) => (ok ? 'met' : 'MISSED')
  const ratio = at('idle', 0.99) / at('bolt', 0.99)
  text += `p99 idle: ${ratio.toFixed(2)} x bare Bolt (aim 1.5: ${verdict(ratio <= 1.5)}); p99 while syncing: ${ms(at('syncing', 0.99))} (aim 100 ms: ${verdict(at('syncing', 0.99) < 100)})\n`
  const longest = Math.max(...of.loop.map(({ maxMs }) => maxMs))
  const usual = Math.max(...of.loop.map(({ p99Ms }) => p99Ms))
  text += `The event loop while syncing was held up for ${ms(longest)} at most, ${ms(usual)} in 99 of 100 turns\n`
  process.stdout.write(text)
}
