// bench:sync: what a directory sync costs beside the limits it cannot pass, all measured side by side in one run.
import { type ChildProcess, fork } from 'node:child_process'
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

const work = join('.saasm', 'bench', 'pages')
/** Enough for a process that is as one that has run for a while: compiled, connected, its heap grown. */
const warmPeople = 20_000
/** Somebody new, somebody known and somebody changed take three ways, each by as many instances as a compiler waits for. */
const warmEditions = ['first', 'delta'] as const
const warmInstances = 6
/** More are not warmed up in a round. */
const warmMax = 11
const loopResolutionMs = 2

if (process.argv[2] === 'child') await child()
else await measure()

/** In a process of its own: make ready, say so, wait for the word, do it, say what it took. */
async function child(): Promise<void> {
  const say = (message: object) => process.send?.(message)
  const told = new Promise<Task>(resolve => process.once('message', resolve as () => void))
  say({ listening: true })
  const task = await told
  const { db, run } = prepare(task)
  for (const id of task.warmUp?.instanceIds ?? [])
    for (const file of task.warmUp?.files ?? []) await run(file, id)
  await db.sql`select 1`
  const go = new Promise(resolve => process.once('message', resolve))
  say({ ready: true })
  await go
  const loop = monitorEventLoopDelay({ resolution: loopResolutionMs })
  loop.enable()
  const cpu = process.cpuUsage()
  const from = performance.now()
  const done = await run(task.file, task.instanceId)
  const wallMs = performance.now() - from
  const { user, system } = process.cpuUsage(cpu)
  loop.disable()
  const loopMs = Math.max(0, loop.max / 1e6 - loopResolutionMs)
  say({ wallMs, nodeCpuMs: (user + system) / 1_000, peakMb: peakMb(), loopMs, done })
  await db.close()
  process.exit(0)
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
      for (let round = 0; round < rounds; round += 1) {
        // The common upsert of a million takes minutes: one round is enough to see by how much.
        const upsert = !process.argv.includes('--no-upsert') && (people < 1_000_000 || round === 0)
        await oneRound(server, people, { samples, upsert })
        process.stderr.write(`${people} people: round ${round + 1} of ${rounds}\n`)
      }
      process.stdout.write(ratios(people, samples))
      for (const edition of ['first', 'delta', 'active'] as const) rmSync(fileOf(people, edition))
    }
    process.stdout.write(memoryLine(all))
  } finally {
    await server.stop()
    rmSync(work, { recursive: true, force: true })
  }
}

function fileOf(people: number, edition: Edition | 'rows'): string {
  return join(work, `${people}-${edition}`)
}

/** Each design once, in an order in which every sync stands beside its limit. */
async function oneRound(
  server: Server,
  people: number,
  options: { samples: Map<string, Sample[]>; upsert: boolean },
): Promise<void> {
  const db = openDb(server.url)
  const step = async (name: string, design: Design, edition: Edition | 'rows', instanceId: string) => {
    const instanceIds = warmIds.splice(0, warmInstances)
    const warmUp =
      design === 'copy' || design === 'remove'
        ? null
        : {
            files: warmEditions.map(edition => fileOf(warmPeople, edition)),
            instanceIds,
          }
    const task: Task = { design, url: server.url, file: fileOf(people, edition), instanceId, warmUp }
    // Once the child is warm, which leaves dead rows in the table: the next to read it would write WAL for taking them out.
    const before = name === 'unchanged, settled' ? () => settle(server) : async () => {}
    const { sample, done } = await inChild(server, task, before)
    expectDone(name, people, done)
    options.samples.set(name, [...(options.samples.get(name) ?? []), sample])
    await server.sql`delete from account where instance_id in ${server.sql(instanceIds)}`
  }
  // Connected before the one that is measured: whoever loads for the first time is most often the newest.
  const warmIds: string[] = []
  for (let one = 0; one < warmMax * warmInstances; one += 1) warmIds.push(await freshInstance(db))
  const id = await freshInstance(db)
  await empty(server)
  await step('load', 'sync', 'first', id)
  await writeRows(server, id, fileOf(people, 'rows'))
  await step('parse', 'parse', 'first', id)
  await step('unchanged', 'sync', 'first', id)
  await step('hash', 'hash', 'first', id)
  await step('unchanged, settled', 'sync', 'first', id)
  await step('delta', 'sync', 'delta', id)
  await step('active', 'sync', 'active', id)
  await empty(server)
  await step('copy', 'copy', 'rows', id)
  await step('remove', 'remove', 'rows', id)
  if (options.upsert) {
    await empty(server)
    await step('upsert load', 'upsert', 'first', id)
    await step('upsert unchanged', 'upsert', 'first', id)
  }
  rmSync(fileOf(people, 'rows'))
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
 * The rows that the load has written, in COPY's text format: what the limit of a first load is fed. On a connection of its
 * own: postgres.js may leave one paused after a COPY to the client, and what it is asked next is never answered.
 */
async function writeRows(server: Server, instanceId: string, path: string): Promise<void> {
  const sql = postgres(server.url, { max: 1 })
  const out = await sql
    .unsafe(`copy (select * from account where instance_id = '${instanceId}') to stdout`)
    .readable()
  await pipeline(out, createWriteStream(path))
  await sql.end({ timeout: 0 })
}

/** Counted from the word to the answer; WAL and Postgres's CPU from outside. */
async function inChild(
  server: Server,
  task: Task,
  before: () => Promise<void>,
): Promise<{ sample: Sample; done: Done }> {
  const process_ = fork(fileURLToPath(import.meta.url), ['child'], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    execArgv: [...process.execArgv, ...startFlags()],
  })
  const ended = new Promise(resolve => process_.once('exit', resolve))
  await answer(process_)
  process_.send(task)
  await answer(process_)
  await before()
  const [cpu, wal] = [server.cpuSeconds(), await server.walBytes()]
  process_.send('go')
  const { done, wallMs, nodeCpuMs, peakMb, loopMs } = await answer(process_)
  const postgresCpuMs = (server.cpuSeconds() - cpu) * 1_000
  const walBytes = (await server.walBytes()) - wal
  await ended
  return { sample: { wallMs, nodeCpuMs, peakMb, loopMs, postgresCpuMs, walBytes }, done }
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
  const wanted = expected[name] ?? (name === 'copy' ? {} : { people })
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
