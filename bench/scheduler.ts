// bench:scheduler: many instances due at one moment, how fast they are synced and how late the last is; beside Agenda's own empty jobs.
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
import { type Server, startServer } from './server.ts'

interface Sample {
  perSecond: number
  /** How long after it was due the last one had ended, in seconds. */
  lastSeconds: number
  medianSeconds: number
}

const numberOf = (name: string, otherwise: number) =>
  Number(new RegExp(`--${name}=(\\d+)`).exec(process.argv.join(' '))?.[1] ?? otherwise)
const due = numberOf('due', 10_000)
const rounds = numberOf('rounds', 3)
const lanes = numberOf('lanes', runLimits.runsAtOnce)
const peopleEach = 3

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
try {
  // It is what clears away the rows that work has passed through; a queue is never without it.
  await server.sql.unsafe('alter system reset autovacuum')
  await server.sql`select pg_reload_conf()`
  const samples = { first: [] as Sample[], ours: [] as Sample[], agenda: [] as Sample[] }
  for (let round = 0; round < rounds; round += 1) {
    await seed(server)
    samples.first.push(await syncAll(server))
    samples.agenda.push(await runJobs(server))
    await server.sql`update instance set next_sync_at = now()`
    samples.ours.push(await syncAll(server))
    process.stderr.write(`round ${round + 1} of ${rounds}\n`)
  }
  print(samples)
} finally {
  await server.stop()
}
// Agenda leaves a timer behind for each job that has ended.
process.exit(0)

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
async function syncAll({ url, sql }: Server): Promise<Sample> {
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
  const never = new AbortController().signal
  const runner = createRunner(work)
  const drain = createDrain(() => runner.runDue(never), fail, runner.nudge)
  const [from] = await sql<{ at: Date }[]>`select now() as at`
  const begun = from?.at ?? new Date()
  await createSweep(work)(never)
  await drain.idle()
  // As jobs do: what could not be taken at once is looked at when its time comes.
  for (let ms = await runner.nextDue(); ms !== undefined; ms = await runner.nextDue()) {
    await new Promise(done => setTimeout(done, ms))
    drain.wake()
    await drain.idle()
  }
  await db.close()
  const rows = await sql<{ s: number }[]>`
    select extract(epoch from ended_at - ${begun}::timestamptz)::float8 as s from sync_run
    where requested_at >= ${begun} and state = 'succeeded' order by 1`
  if (rows.length !== due) {
    const states = await sql`select state, fault, count(*)::int from sync_run group by 1, 2 limit 5`
    throw new Error(`${rows.length} of ${due} runs have succeeded: ${JSON.stringify(states)}`)
  }
  return sampleOf(rows.map(row => row.s))
}

/** Agenda alone, as many jobs that do nothing; given room to lock and run as many as it likes. */
async function runJobs({ url, sql }: Server): Promise<Sample> {
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
  // Asked for as the sweep asks: all of it counts.
  from = performance.now()
  for (let n = 0; n < due; n += 50)
    await Promise.all(
      Array.from({ length: Math.min(50, due - n) }, (_, at) => agenda.now('nothing', { n: n + at })),
    )
  await agenda.start()
  await all
  await agenda.stop(false)
  await store.close()
  return sampleOf(ended)
}

function fail(error: unknown): void {
  throw error
}

function sampleOf(seconds: readonly number[]): Sample {
  const sorted = seconds.toSorted((a, b) => a - b)
  const last = sorted.at(-1) ?? 0
  return {
    perSecond: sorted.length / last,
    lastSeconds: last,
    medianSeconds: sorted[Math.floor(sorted.length / 2)] ?? 0,
  }
}

function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? 0
}

function print(samples: Readonly<Record<'first' | 'ours' | 'agenda', readonly Sample[]>>): void {
  const labels = {
    ours: `saasm: a sync of ${peopleEach} people, unchanged`,
    first: `saasm: a first sync of ${peopleEach} people, told`,
    agenda: 'Agenda alone: a job that does nothing',
  }
  const of = (name: keyof typeof labels, field: keyof Sample) =>
    median(samples[name].map(sample => sample[field]))
  process.stdout.write(`${due} due at one moment, ${lanes} lanes, medians of ${rounds} rounds\n`)
  process.stdout.write(
    `${''.padEnd(44)}${'a second'.padStart(10)}${'half by'.padStart(10)}${'last by'.padStart(10)}\n`,
  )
  for (const name of ['ours', 'first', 'agenda'] as const)
    process.stdout.write(
      `${labels[name].padEnd(44)}${of(name, 'perSecond').toFixed(0).padStart(10)}${`${of(name, 'medianSeconds').toFixed(1)} s`.padStart(10)}${`${of(name, 'lastSeconds').toFixed(1)} s`.padStart(10)}\n`,
    )
  process.stdout.write(
    `saasm's whole sync against Agenda's empty job: ${(of('ours', 'perSecond') / of('agenda', 'perSecond')).toFixed(2)} x as many a second\n`,
  )
}
