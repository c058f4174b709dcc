// The doorbell: each ring is heard, none piles up, the sweep comes by itself, and losing the job store loses only time.
import { createServer, connect as dial, type Socket } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createJobs, type Handler, type Jobs } from '../../src/jobs/jobs.ts'
import { newId } from '../../src/lib/ids.ts'
import { silentLog } from '../../src/lib/log.ts'
import { type TestDatabase, testDatabase } from '../support/postgres.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await testDatabase()
})
afterAll(() => database.drop())

const mongoUrl = process.env.SAASM_TEST_MONGODB_URI
const never = 3_600_000
const soon = { timeout: 10_000, interval: 10 }

/** A process: how often each handler has begun, and a gate that holds `sync` while it is closed. */
function worker(
  store: { kind: 'postgres' | 'mongo'; url: string },
  options: { sweepEveryMs?: number; work?: boolean } = {},
) {
  const begun = { sweep: 0, sync: 0, removal: 0, deliver: 0 }
  let gate: Promise<void> | undefined
  let open: (() => void) | undefined
  const counting =
    (name: keyof typeof begun): Handler =>
    async () => {
      begun[name] += 1
      if (name === 'sync') await gate
    }
  const jobs = createJobs({
    store,
    log: silentLog,
    name: newId(),
    sweepEveryMs: options.sweepEveryMs ?? never,
    handlers:
      options.work === false
        ? null
        : {
            sweep: counting('sweep'),
            sync: counting('sync'),
            removal: counting('removal'),
            deliver: counting('deliver'),
          },
  })
  return {
    jobs,
    begun,
    hold() {
      gate = new Promise(done => {
        open = done
      })
    },
    release() {
      gate = undefined
      open?.()
    },
  }
}

const stores: ['Postgres' | 'MongoDB', () => { kind: 'postgres' | 'mongo'; url: string }][] = [
  ['Postgres', () => ({ kind: 'postgres', url: database.url })],
  ...(mongoUrl
    ? [['MongoDB', () => ({ kind: 'mongo', url: mongoUrl })] satisfies [string, () => unknown]]
    : []),
] as never

if (!mongoUrl) {
  // biome-ignore lint/suspicious/noSkippedTests: the reason is its name
  test.skip('MongoDB is left out: SAASM_TEST_MONGODB_URI is not set', () => {})
}

describe.each(stores)('on %s', (_name, store) => {
  const running: Jobs[] = []
  const started = async (options?: { sweepEveryMs?: number; work?: boolean }) => {
    const one = worker(store(), options)
    running.push(one.jobs)
    await one.jobs.start()
    return one
  }
  const stopAll = () => Promise.all(running.splice(0).map(jobs => jobs.stop(1_000)))

  test('a ring from a process that does no work wakes the one that does', async () => {
    const chat = await started({ work: false })
    const work = await started()
    expect(await work.jobs.ready()).toBe(true)
    chat.jobs.ring('deliver')
    await expect.poll(() => work.begun.deliver, soon).toBeGreaterThan(0)
    expect(work.begun.removal).toBe(0)
    await stopAll()
  })

  test('rings during a run make it run once more, however many', async () => {
    const work = await started()
    work.hold()
    work.jobs.ring('sync')
    await expect.poll(() => work.begun.sync, soon).toBe(1)
    for (let times = 0; times < 5; times += 1) work.jobs.ring('sync')
    work.jobs.ring('deliver')
    await expect.poll(() => work.begun.deliver, soon).toBe(1)
    work.release()
    await expect.poll(() => work.begun.sync, soon).toBeGreaterThanOrEqual(2)
    expect(work.begun.sync, 'they do not pile up').toBeLessThanOrEqual(6)
    await stopAll()
  })

  test('the sweep comes by itself, again and again', async () => {
    const work = await started({ sweepEveryMs: 200 })
    await expect.poll(() => work.begun.sweep, soon).toBeGreaterThanOrEqual(3)
    await stopAll()
  })

  test('stop waits for what runs, and nothing is heard after it', async () => {
    const work = await started()
    work.hold()
    work.jobs.ring('sync')
    await expect.poll(() => work.begun.sync, soon).toBe(1)
    const order: string[] = []
    const stopped = work.jobs.stop(5_000).then(() => order.push('stopped'))
    order.push('released')
    work.release()
    await stopped
    expect(order).toEqual(['released', 'stopped'])
    work.jobs.ring('sync')
    expect(work.begun.sync).toBe(1)
    running.splice(0)
  })

  test('ten processes that start at once all come up', async () => {
    const all = Array.from({ length: 10 }, () => worker(store()))
    await Promise.all(all.map(one => one.jobs.start()))
    for (const one of all) expect(await one.jobs.ready()).toBe(true)
    await Promise.all(all.map(one => one.jobs.stop(1_000)))
  })
})

test('a job table that is emptied gets its sweep back', async () => {
  const work = worker({ kind: 'postgres', url: database.url }, { sweepEveryMs: 200 })
  await work.jobs.start()
  await expect.poll(() => work.begun.sweep, soon).toBeGreaterThanOrEqual(1)
  for (let times = 0; times < 3; times += 1) {
    await database.db.sql`truncate agenda_jobs`
    const before = work.begun.sweep
    await expect.poll(() => work.begun.sweep, soon).toBeGreaterThan(before + 1)
  }
  await work.jobs.stop(1_000)
})

test('rings that the store takes and never gives back cost a sweep’s interval, in every worker', async () => {
  const all = [0, 1].map(() => worker({ kind: 'postgres', url: database.url }, { sweepEveryMs: 300 }))
  for (const one of all) {
    await one.jobs.start()
    one.jobs.ring('sync')
  }
  await expect.poll(() => Math.max(...all.map(one => one.begun.sync)), soon).toBeGreaterThan(0)
  await database.db.sql.unsafe(`create function keep() returns trigger language plpgsql as
    $$ begin if new.name = 'ring' then new.next_run_at = now() + interval '1 day'; end if; return new; end $$`)
  await database.db.sql.unsafe(
    'create trigger keep before insert on agenda_jobs for each row execute function keep()',
  )
  const looked = all.filter(one => one.begun.sync > 0)
  const before = looked.map(one => one.begun.sync)
  await expect.poll(() => looked.every((one, at) => one.begun.sync > (before[at] ?? 0) + 2), soon).toBe(true)
  for (const one of all) await one.jobs.stop(1_000)
  await database.db.sql.unsafe('drop trigger keep on agenda_jobs')
})

test('a store that is down at the start is waited for, and said to be down', async () => {
  const real = new URL(database.url)
  const sockets = new Set<Socket>()
  const proxy = createServer(socket => {
    const to = dial(Number(real.port), real.hostname)
    for (const one of [socket, to]) {
      sockets.add(one)
      one.on('error', () => one.destroy())
    }
    socket.pipe(to).pipe(socket)
  })
  const port = await new Promise<number>(done =>
    proxy.listen(0, '127.0.0.1', () => {
      const address = proxy.address()
      done(typeof address === 'object' && address ? address.port : 0)
    }),
  )
  await new Promise(done => proxy.close(done))
  const through = database.url.replace(`:${real.port}/`, `:${port}/`)
  const work = worker({ kind: 'postgres', url: through }, { sweepEveryMs: 200 })
  await work.jobs.start()
  expect(await work.jobs.ready()).toBe(false)
  work.jobs.ring('sync')
  await new Promise<void>(done => proxy.listen(port, '127.0.0.1', () => done()))
  await expect.poll(() => work.jobs.ready(), soon).toBe(true)
  await expect.poll(() => work.begun.sweep, soon).toBeGreaterThan(0)
  await work.jobs.stop(1_000)
  for (const socket of sockets) socket.destroy()
  await new Promise(done => proxy.close(done))
})
