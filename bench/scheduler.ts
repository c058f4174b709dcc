// bench:scheduler: many instances due at one moment, how fast they are synced and how late they are; beside Agenda's own empty jobs.
import { randomBytes } from 'node:crypto'
import { Agenda } from 'agenda'
import type { Engine } from '../src/connectors/engine.ts'
import { type Db, openDb } from '../src/db/db.ts'
import { createSeal } from '../src/instances/seal.ts'
import { openStore } from '../src/jobs/backend.ts'
import { createDrain } from '../src/jobs/drain.ts'
import type { Bell } from '../src/jobs/jobs.ts'
import { systemClock } from '../src/lib/clock.ts'
import { newId } from '../src/lib/ids.ts'
import { silentLog } from '../src/lib/log.ts'
import { createRunner } from '../src/sync/lanes.ts'
import { runLimits } from '../src/sync/limits.ts'
import { createSweep } from '../src/sync/sweep.ts'
import type { Work } from '../src/sync/work.ts'
import { median } from './ratios.ts'
import { type Server, startServer } from './server.ts'
import { within } from './within.ts'

interface Sample {
  perSecond: number
  /** How long after it was due a run (or a job) had ended, in seconds: half of them, 99 of 100, all of them. */
  p50Seconds: number
  p99Seconds: number
  lastSeconds: number
  /** Of one run (or job): CPU of this process and of all of Postgres, transactions that Postgres committed. */
  nodeMs: number
  postgresMs: number
  commits: number
}

const numberOf = (name: string, otherwise: number) =>
  Number(new RegExp(`--${name}=(\\d+)`).exec(process.argv.join(' '))?.[1] ?? otherwise)
const due = numberOf('due', 10_000)
const rounds = numberOf('rounds', 3)
const lanes = numberOf('lanes', runLimits.runsAtOnce)
const peopleEach = 3
/** What is measured may take this long at most: ten times what it should take with 10,000. */
const limitSeconds = numberOf('limit', 900)
const stopSeconds = 30

const rows = {
  unchanged: `saasm: a sync of ${peopleEach} people, unchanged`,
  first: `saasm: a first sync of ${peopleEach} people, told`,
  agenda: 'Agenda alone: a job that does nothing',
}
type Row = keyof typeof rows

const columns: readonly { heading: string; field: keyof Sample; digits: number; unit: string }[] = [
  { heading: 'a second', field: 'perSecond', digits: 0, unit: '' },
  { heading: 'late p50', field: 'p50Seconds', digits: 1, unit: ' s' },
  { heading: 'late p99', field: 'p99Seconds', digits: 1, unit: ' s' },
  { heading: 'last', field: 'lastSeconds', digits: 1, unit: ' s' },
  { heading: 'node CPU', field: 'nodeMs', digits: 2, unit: ' ms' },
  { heading: 'PG CPU', field: 'postgresMs', digits: 2, unit: ' ms' },
  { heading: 'commits', field: 'commits', digits: 1, unit: '' },
]

const engine: Engine = {
  verify: async () => ({ tenantKey: 'acme', tenantName: null }),
  async *pages() {
    const accounts = Array.from({ length: peopleEach }, (_, at) => ({
      ...{ externalId: `p${at}`, email: `p${at}@acme.example`, name: `Person ${at}` },
      ...{ status: 'active' as const, kind: 'human' as const, roles: [], licences: [] },
      ...{ admin: null, mfa: null, lastActiveAt: null, createdAt: null },
    }))
    yield { accounts, problems: [] }
    return { warnings: [], complete: true }
  },
  close: async () => {},
}

const server = await startServer()
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void end(1))
let code = 0
try {
  // It is what clears away the rows that work has passed through; a queue is never without it.
  await server.sql.unsafe('alter system reset autovacuum')
  await server.sql`select pg_reload_conf()`
  const samples = { first: [] as Sample[], unchanged: [] as Sample[], agenda: [] as Sample[] }
  for (let round = 0; round < rounds; round += 1) {
    await seed(server)
    samples.first.push(await measured('the first syncs', syncAll))
    samples.agenda.push(await measured("Agenda's jobs", runJobs))
    await server.sql`update instance set next_sync_at = now()`
    samples.unchanged.push(await measured('the syncs', syncAll))
    process.stderr.write(`round ${round + 1} of ${rounds}\n`)
  }
  print(samples)
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`)
  code = 1
}
await end(code)

/** Agenda leaves a timer behind for each job that has ended, and a wait that was given up its own: nothing is waited for. */
async function end(code: number): Promise<never> {
  await within(stopSeconds, server.stop(), 'Postgres has not stopped').catch(() => {})
  process.exit(code)
}

/** Do it, within the limit, and count what it costs; it returns after how many seconds each run or job had ended. */
async function measured(what: string, work: (server: Server) => Promise<number[]>): Promise<Sample> {
  const commits = await commitsOf(server)
  const before = { node: process.cpuUsage(), postgres: server.cpuSeconds() }
  const ended = (await within(limitSeconds, work(server), `${what} are not over`)).toSorted((a, b) => a - b)
  const { user, system } = process.cpuUsage(before.node)
  const at = (share: number) => ended[Math.ceil(ended.length * share) - 1] ?? Number.NaN
  return {
    perSecond: ended.length / at(1),
    p50Seconds: at(0.5),
    p99Seconds: at(0.99),
    lastSeconds: at(1),
    nodeMs: (user + system) / 1_000 / ended.length,
    postgresMs: ((server.cpuSeconds() - before.postgres) * 1_000) / ended.length,
    commits: ((await commitsOf(server)) - commits) / ended.length,
  }
}

async function commitsOf({ sql }: Server): Promise<number> {
  // Connections say what they have committed a second after it, or when they end.
  await new Promise(done => setTimeout(done, 1_500))
  const rows = await sql<{ n: string }[]>`
    select xact_commit as n from pg_stat_database where datname = current_database()`
  return Number(rows[0]?.n)
}

/** Instances of one company each, on a host of its own, all of them due now. */
async function seed({ sql }: Server): Promise<void> {
  await sql`truncate instance, sync_host, outbox cascade`
  await sql`
    insert into instance (id, team_id, name, connector, settings, status, owner, created_by, created_at, updated_at, next_sync_at)
    select gen_random_uuid(), 'T1', 'instance ' || n, 'okta', jsonb_build_object('domain', 'company' || n || '.okta.com'),
      'live', 'U1', 'U1', now(), now(), now() from generate_series(1, ${due}::int) n`
  await sql`analyze instance`
}

/** The sweep and the lanes as in a process that works, without the job store that rings between them. */
async function syncAll({ url, sql }: Server): Promise<number[]> {
  const db: Db = openDb(url)
  const bells = new Set<Bell>()
  const limits = { ...runLimits, runsAtOnce: lanes }
  const work: Work = {
    ...{ db, engine, clock: systemClock, log: silentLog, seal: createSeal([randomBytes(32)]) },
    ...{ channel: 'C0SYNC', owner: newId(), patienceMs: 60_000, limits },
    ...{ showProgress: async () => {}, goneDays: 30 },
    ring(bell) {
      bells.add(bell)
      if (bell === 'sync') drain.wake()
    },
  }
  const failed = new AbortController()
  const runner = createRunner(work)
  const drain = createDrain(
    () => runner.runDue(failed.signal),
    error => failed.abort(error),
    runner.nudge,
  )
  const [from] = await sql<{ at: Date }[]>`select now() as at`
  const begun = from?.at ?? new Date()
  await createSweep(work)(failed.signal)
  await drain.idle()
  // As jobs do: what could not be taken at once is looked at when its time comes.
  for (let ms = await runner.nextDue(); ms !== undefined; ms = await runner.nextDue()) {
    failed.signal.throwIfAborted()
    await new Promise(done => setTimeout(done, ms))
    drain.wake()
    await drain.idle()
  }
  await db.close()
  failed.signal.throwIfAborted()
  const rows = await sql<{ s: number }[]>`
    select extract(epoch from ended_at - ${begun}::timestamptz)::float8 as s from sync_run
    where requested_at >= ${begun} and state = 'succeeded' order by 1`
  if (rows.length !== due) {
    const states = await sql`select state, fault, count(*)::int from sync_run group by 1, 2 limit 5`
    throw new Error(`${rows.length} of ${due} runs have succeeded: ${JSON.stringify(states)}`)
  }
  return rows.map(row => row.s)
}

/** Agenda alone, as many jobs that do nothing; given room to lock and run as many as it likes. */
async function runJobs({ url, sql }: Server): Promise<number[]> {
  const store = await openStore({ kind: 'postgres', url }, silentLog)
  const agenda = new Agenda({
    backend: store.backend,
    processEvery: 100,
    defaultConcurrency: 20,
    maxConcurrency: 20,
    removeOnComplete: true,
  })
  const ended: number[] = []
  let from = 0
  let finish = () => {}
  const all = new Promise<void>(resolve => {
    finish = resolve
  })
  agenda.define('nothing', async () => {
    ended.push((performance.now() - from) / 1_000)
    if (ended.length === due) finish()
  })
  await agenda.ready
  await sql`truncate agenda_jobs`
  for (let n = 0; n < due; n += 50)
    await Promise.all(
      Array.from({ length: Math.min(50, due - n) }, (_, at) => agenda.now('nothing', { n: n + at })),
    )
  // Asked for already: only what is done counts, while saasm's own asking does.
  from = performance.now()
  await agenda.start()
  await all
  await agenda.stop(false)
  await store.close()
  return ended
}

function print(samples: Readonly<Record<Row, readonly Sample[]>>): void {
  const of = (name: Row, field: keyof Sample) => median(samples[name].map(sample => sample[field]))
  const line = (label: string, cells: readonly string[]) =>
    `${label.padEnd(44)}${cells.map(cell => cell.padStart(10)).join('')}\n`
  const names = ['unchanged', 'first', 'agenda'] as const
  const table = names.map(name =>
    line(
      rows[name],
      columns.map(({ field, digits, unit }) => `${of(name, field).toFixed(digits)}${unit}`),
    ),
  )
  const ratio = (name: Row) => (of(name, 'perSecond') / of('agenda', 'perSecond')).toFixed(2)
  process.stdout.write(
    `${due} due at one moment, ${lanes} lanes, medians of ${rounds} rounds; CPU and commits are of one run\n` +
      line(
        '',
        columns.map(({ heading }) => heading),
      ) +
      table.join('') +
      `saasm's whole sync against Agenda's empty job: ${ratio('unchanged')} x as many a second unchanged, ${ratio('first')} x first and told (aim: 1)\n`,
  )
}
