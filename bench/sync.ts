// bench:sync: what a directory sync costs beside the limits it cannot pass, all measured side by side in one run.
import { type ChildProcess, fork } from 'node:child_process'
import { on } from 'node:events'
import { createWriteStream, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { pipeline } from 'node:stream/promises'
import { fileURLToPath } from 'node:url'
import postgres from 'postgres'
import { openDb } from '../src/db/db.ts'
import { type Design, type Done, freshInstance, prepare, type Task } from './designs.ts'
import { type Edition, writePages } from './people.ts'
import { ratios } from './ratios.ts'
import { type Server, startServer } from './server.ts'

export interface Sample {
  wallMs: number
  nodeCpuMs: number
  postgresCpuMs: number
  walBytes: number
  /** The highest resident memory of the process, its start included. */
  peakMb: number
  /** The longest that the event loop was held up. */
  loopMs: number
}

/** Of rows, as COPY reads them. */
type Format = 'text' | 'binary'

const work = join('.saasm', 'bench', 'pages')
/** Few people and many runs: what begins and ends a run is as well compiled as what reads. */
const warmPeople = 5_000
/** Somebody new, somebody known and somebody changed take three ways. */
const warmEditions = ['first', 'delta'] as const
/** A process is warmed up by so many, to be as one that has run for a while: compiled, its heap grown. */
const warmInstances = 30
/** And before each later round by so many: its connections were closed meanwhile. */
const warmAgain = 1
/** So many designs are warmed up in a round. */
const warmMax = 9
const loopResolutionMs = 2

if (process.argv[2] === 'child') await child()
else await measure()

/** In a process of its own, for each task that it is told: make ready, say so, wait for the word, do it, say what it took. */
async function child(): Promise<void> {
  const say = (message: object) => process.send?.(message)
  process.once('disconnect', () => process.exit(0))
  const told = on(process, 'message')
  say({ listening: true })
  let ready: ReturnType<typeof prepare> | undefined
  let task: Task | undefined
  for await (const [message] of told) {
    if (message !== 'go') {
      task = message as Task
      ready ??= prepare(task)
      for (const id of task.warmUp?.instanceIds ?? [])
        for (const file of task.warmUp?.files ?? []) await ready.run(file, id)
      for (const sql of [ready.db.sql, ready.db.pages]) await sql`select 1`
      say({ ready: true })
    } else if (ready && task) say(await measured(ready.run, task))
  }
}

async function measured(
  run: ReturnType<typeof prepare>['run'],
  { file, instanceId }: Task,
): Promise<Omit<Sample, 'postgresCpuMs' | 'walBytes'> & { done: Done }> {
  const loop = monitorEventLoopDelay({ resolution: loopResolutionMs })
  loop.enable()
  const cpu = process.cpuUsage()
  const from = performance.now()
  const done = await run(file, instanceId)
  const wallMs = performance.now() - from
  const { user, system } = process.cpuUsage(cpu)
  loop.disable()
  const loopMs = Math.max(0, loop.max / 1e6 - loopResolutionMs)
  return { wallMs, nodeCpuMs: (user + system) / 1_000, peakMb: peakMb(), loopMs, done }
}

function peakMb(): number {
  return Number(/VmHWM:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? 0) / 1_024
}

async function measure(): Promise<void> {
  const rounds = Number(/--rounds=(\d+)/.exec(process.argv.join(' '))?.[1] ?? 5)
  const only = /--people=(\d+)/.exec(process.argv.join(' '))?.[1]
  const sizes = only
    ? [Number(only)]
    : process.argv.includes('--million')
      ? [10_000, 100_000, 1_000_000]
      : [10_000, 100_000]
  mkdirSync(work, { recursive: true })
  const server = await startServer()
  const all = new Map<number, Map<string, Sample[]>>()
  try {
    for (const edition of ['first', 'delta'] as const)
      writePages(fileOf(warmPeople, edition), warmPeople, edition)
    for (const people of sizes) {
      const samples = new Map<string, Sample[]>()
      all.set(people, samples)
      for (const edition of ['first', 'delta', 'active'] as const)
        writePages(fileOf(people, edition), people, edition)
      const children = createChildren(server)
      try {
        for (let round = 0; round < rounds; round += 1) {
          // The common upsert of a million takes minutes: one round is enough to see by how much.
          const upsert = !process.argv.includes('--no-upsert') && (people < 1_000_000 || round === 0)
          await oneRound(server, people, { children, samples, upsert })
          process.stderr.write(`${people} people: round ${round + 1} of ${rounds}\n`)
        }
      } finally {
        children.end()
      }
      process.stdout.write(ratios(people, samples))
      for (const edition of ['first', 'delta', 'active', 'text', 'binary'] as const)
        rmSync(fileOf(people, edition))
    }
    process.stdout.write(memoryLine(all))
  } finally {
    await server.stop()
    rmSync(work, { recursive: true, force: true })
  }
}

function fileOf(people: number, edition: Edition | Format): string {
  return join(work, `${people}-${edition}`)
}

/** Every design, in an order in which each sync stands beside its limit. */
async function oneRound(
  server: Server,
  people: number,
  { children, samples, upsert }: { children: Children; samples: Map<string, Sample[]>; upsert: boolean },
): Promise<void> {
  const db = openDb(server.url)
  const warmOnes = samples.size === 0 ? warmInstances : warmAgain
  const step = async (
    name: string,
    what: { design: Design; edition: Edition | Format },
    before = async () => {},
  ) => {
    const { design, edition } = what
    const cold = design.startsWith('copy') || design === 'remove'
    const instanceIds = cold ? [] : warmIds.splice(0, warmOnes)
    const warmUp = cold ? null : { files: warmEditions.map(one => fileOf(warmPeople, one)), instanceIds }
    const task: Task = { design, url: server.url, file: fileOf(people, edition), instanceId: id, warmUp }
    const { sample, done } = await children.measure(name, task, before)
    expectDone(name, people, done)
    samples.set(name, [...(samples.get(name) ?? []), sample])
    if (!cold) await server.sql`delete from account where instance_id in ${server.sql(instanceIds)}`
  }
  // Connected before the one that is measured: whoever loads for the first time is most often the newest.
  const warmIds: string[] = []
  for (let one = 0; one < warmMax * warmOnes; one += 1) warmIds.push(await freshInstance(db))
  const id = await freshInstance(db)
  const sync = (edition: Edition) => ({ design: 'sync', edition }) as const
  const first = { edition: 'first' } as const
  const copy = { design: 'copy', edition: 'text' } as const
  // The limit stands on both sides of the load: with the rows of the round before, and with its own.
  if (samples.has('copy')) await step('copy', copy, () => empty(server))
  // Once the child is warm, which leaves rows: a load and its limit both go into an empty table.
  await step('load', sync('first'), () => empty(server))
  for (const format of ['text', 'binary'] as const)
    await writeRows(server, id, { path: fileOf(people, format), format })
  await step('parse', { design: 'parse', ...first })
  await step('unchanged', sync('first'))
  await step('hash', { design: 'hash', ...first })
  // The next to read dead rows would write WAL for taking them out.
  await step('unchanged, settled', sync('first'), () => settle(server))
  await step('delta', sync('delta'))
  await step('active', sync('active'))
  await step('copy binary', { design: 'copy binary', edition: 'binary' }, () => empty(server))
  await step('copy', copy, () => empty(server))
  await step('remove', { design: 'remove', edition: 'text' })
  if (upsert) {
    await step('upsert load', { design: 'upsert', ...first }, () => empty(server))
    await step('upsert unchanged', { design: 'upsert', ...first })
  }
  await db.close()
}

/** What a server does by itself within minutes of a load: statistics and hint bits. */
async function settle(server: Server): Promise<void> {
  await server.sql`vacuum (analyze) account`
}

async function empty(server: Server): Promise<void> {
  await server.sql`truncate account, account_staging`
  await server.sql`checkpoint`
}

/**
 * The rows that the load has written, in a format of COPY: what the limit of a first load is fed. On a connection of its
 * own: postgres.js may leave one paused after a COPY to the client, and what it is asked next is never answered.
 */
async function writeRows(
  server: Server,
  instanceId: string,
  { path, format }: { path: string; format: Format },
): Promise<void> {
  const sql = postgres(server.url, { max: 1 })
  const out = await sql
    .unsafe(`copy (select * from account where instance_id = '${instanceId}') to stdout (format ${format})`)
    .readable()
  await pipeline(out, createWriteStream(path))
  await sql.end({ timeout: 0 })
}

interface Children {
  /** Counted from the word to the answer; WAL and Postgres's CPU from outside. `before` is what is done once it is ready. */
  measure(name: string, task: Task, before: () => Promise<void>): Promise<{ sample: Sample; done: Done }>
  end(): void
}

/** A process for each name, which stays for the rounds to come: only its first warm-up is a long one. */
function createChildren(server: Server): Children {
  const children = new Map<string, ChildProcess>()
  return {
    async measure(name, task, before) {
      const process_ = children.get(name) ?? (await startChild())
      children.set(name, process_)
      process_.send(task)
      await answer(process_)
      await before()
      const [cpu, wal] = [server.cpuSeconds(), await server.walBytes()]
      process_.send('go')
      const { done, wallMs, nodeCpuMs, peakMb, loopMs } = await answer(process_)
      const postgresCpuMs = (server.cpuSeconds() - cpu) * 1_000
      const walBytes = (await server.walBytes()) - wal
      return { sample: { wallMs, nodeCpuMs, peakMb, loopMs, postgresCpuMs, walBytes }, done }
    },
    end() {
      for (const process_ of children.values()) process_.disconnect()
    },
  }
}

async function startChild(): Promise<ChildProcess> {
  const process_ = fork(fileURLToPath(import.meta.url), ['child'], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    execArgv: [...process.execArgv, ...startFlags()],
  })
  await answer(process_)
  return process_
}

/** What `npm start` tells Node. */
function startFlags(): string[] {
  const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: { start: string } }
  return scripts.start.split(' ').filter(word => word.startsWith('--'))
}

function answer(process_: ChildProcess): Promise<Sample & { done: Done }> {
  return new Promise((resolve, reject) => {
    const ended = (code: number | null) => reject(new Error(`A measured process ended with ${code}`))
    process_.once('exit', ended)
    process_.once('message', message => {
      process_.off('exit', ended)
      resolve(message as Sample & { done: Done })
    })
  })
}

/** A design that did something else was not measured. */
function expectDone(name: string, people: number, done: Done): void {
  const percent = Math.floor(people / 100)
  const expected: Record<string, Done> = {
    load: { added: people, changed: 0, removed: 0, unchanged: 0 },
    unchanged: { added: 0, changed: 0, removed: 0, unchanged: people },
    'unchanged, settled': { added: 0, changed: 0, removed: 0, unchanged: people },
    delta: { added: percent, changed: percent, removed: percent, unchanged: people - 2 * percent },
    active: { added: 0, changed: people, removed: 0, unchanged: 0 },
  }
  const wanted = expected[name] ?? (name.startsWith('copy') ? {} : { people })
  if (JSON.stringify(wanted) !== JSON.stringify(done))
    throw new Error(`${name} did ${JSON.stringify(done)} and not ${JSON.stringify(wanted)}`)
}

function memoryLine(all: Map<number, Map<string, Sample[]>>): string {
  const peaks = [...all].map(([people, samples]) => {
    const syncs = ['load', 'unchanged', 'unchanged, settled', 'delta', 'active'].flatMap(
      name => samples.get(name) ?? [],
    )
    return { people, peak: Math.max(...syncs.map(({ peakMb }) => peakMb)) }
  })
  const words = peaks.map(({ people, peak }) => `${people}: ${peak.toFixed(0)} MB`)
  const spread = Math.max(...peaks.map(one => one.peak)) - Math.min(...peaks.map(one => one.peak))
  return `Highest resident memory of a syncing process, by people: ${words.join(', ')}; spread ${spread.toFixed(0)} MB (aim: 64)\n`
}
