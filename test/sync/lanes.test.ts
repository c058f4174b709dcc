// What one error leaves of a process's lanes: they go on, no more of them than before, and a stop waits for them.
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import type { Db } from '../../src/db/db.ts'
import { createDrain } from '../../src/jobs/drain.ts'
import { createRunner } from '../../src/sync/lanes.ts'
import { runLimits } from '../../src/sync/limits.ts'
import type { Work } from '../../src/sync/work.ts'
import { until } from '../support/world.ts'
import { gate, halting, listing, type Pages, people, type Sync, startSync } from './synced.ts'

let room: Sync
beforeAll(async () => {
  room = await startSync()
})
afterAll(() => room.database.drop())
beforeEach(() => room.rows('truncate sync_host, instance cascade'))

/** A process of its own, which can be told that its next transaction fails. */
function processOf(vendor: Pages, limits: Partial<Work['limits']> = {}) {
  let fails = false
  const transaction: Db['transaction'] = async (work, options) => {
    // A claim's, and not that of a first load.
    if (!fails || options?.patient) return room.db.transaction(work, options)
    fails = false
    throw Object.assign(new Error('deadlock detected'), { code: '40P01' })
  }
  const errors: unknown[] = []
  const runner = createRunner({
    ...room.work,
    db: { ...room.db, transaction },
    engine: {
      ...room.work.engine,
      pages: (_connector, _credentials, { signal, from }) => vendor(signal, from),
    },
    limits: { ...runLimits, hostRunsAtOnce: 100, hostStartsPerSecond: 10_000, ...limits },
  })
  const signal = new AbortController().signal
  const drain = createDrain(
    () => runner.runDue(signal),
    error => void errors.push(error),
    runner.nudge,
  )
  return {
    ...drain,
    errors,
    async failOnce() {
      fails = true
      drain.wake()
      await until('it fails', () => !fails)
    },
  }
}

/** Lists nobody until it is opened, and counts who waits. */
function busyVendor() {
  const all: ReturnType<typeof gate>[] = []
  let [now, most] = [0, 0]
  const pages: Pages = async function* (signal, from) {
    const one = gate()
    all.push(one)
    now += 1
    most = Math.max(most, now)
    const end = yield* halting(one)(signal, from)
    now -= 1
    return end
  }
  return { pages, asked: () => all.length, most: () => most, open: () => all.forEach(one => void one.open()) }
}

test('a claim that fails takes no more lanes than there are, and a stop still waits for what runs', async () => {
  const vendor = busyVendor()
  const one = processOf(vendor.pages, { runsAtOnce: 2 })
  const [first, ...others] = await Promise.all(Array.from({ length: 4 }, () => room.instance()))
  await room.ask(first?.id ?? '')
  one.wake()
  await until('one runs', () => vendor.asked() === 1)
  await one.failOnce()
  for (const { id } of others) await room.ask(id)
  await room.rows("update sync_run set size = 'small'")
  await room.rows('update sync_host set smallest = 1')
  one.wake()
  await until('another one runs', () => vendor.asked() === 2)
  const idle = one.idle().then(() => 'idle')
  expect(await Promise.race([idle, room.rows('select 1').then(() => 'at work')])).toBe('at work')
  const opening = setInterval(vendor.open, 10)
  await idle
  clearInterval(opening)
  expect(one.errors).toMatchObject([{ message: 'deadlock detected' }])
  expect(vendor.asked()).toBe(4)
  expect(vendor.most()).toBe(2)
})

test('a run whose end cannot be written keeps nobody from being claimed while a huge one goes on', async () => {
  const huge = gate()
  let asked = 0
  const one = processOf((signal, from) => {
    asked += 1
    return asked === 1 ? halting(huge)(signal, from) : listing(people(0, 1))(signal)
  })
  const [first, bad, other] = [
    await room.instance(),
    await room.instance('github'),
    await room.instance('slack'),
  ]
  await room.ask(first.id)
  one.wake()
  await huge.reached
  await room.rows(`create function no_end() returns trigger language plpgsql as
    $$ begin if new.instance_id = '${bad.id}' and new.state in ('succeeded', 'failed') then raise exception 'no space left' using errcode = '53100'; end if; return new; end $$`)
  await room.rows('create trigger no_end before update on sync_run for each row execute function no_end()')
  await room.ask(bad.id)
  one.wake()
  await until('it was read', () => asked === 2)
  await room.ask(other.id)
  one.wake()
  await until('the other one has ended', async () => (await room.latest(other.id)).state === 'succeeded')
  expect((await room.latest(bad.id)).state).toBe('running')
  await room.rows('drop trigger no_end on sync_run')
  huge.open()
  await one.idle()
})
