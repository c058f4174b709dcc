// What a host's line promises: nobody in it is hidden or starved by who else waits there, and nobody asks it in vain.
import { sql } from 'drizzle-orm'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { editInstance } from '../../src/instances/store.ts'
import { claimRuns } from '../../src/sync/claim.ts'
import { joinLines, nextRunMs, paceMs } from '../../src/sync/hosts.ts'
import { runLimits } from '../../src/sync/limits.ts'
import { requestRun } from '../../src/sync/request.ts'
import type { RunSize, SyncRun } from '../../src/sync/run.ts'
import { giveBack } from '../../src/sync/stop.ts'
import { settleRun } from '../../src/sync/store.ts'
import { createSweep } from '../../src/sync/sweep.ts'
import { until } from '../support/world.ts'
import { gate, halting, type Sync, startSync } from './synced.ts'

let room: Sync
beforeAll(async () => {
  room = await startSync()
})
afterAll(() => room.database.drop())
beforeEach(() => room.rows('truncate sync_host, instance cascade'))

/** So many instances with a run of this size that waits on a host. */
async function waiting(many: number, host: string, size: RunSize): Promise<void> {
  for (let n = 0; n < many; n += 1) {
    const { id } = await room.instance()
    await room.ask(id, 'scheduled', null)
    await room.rows('update sync_run set host = $1, size = $2 where instance_id = $3', host, size, id)
  }
  await room.rows('delete from sync_host where host <> $1', host)
  await joinLines(room.db.conn, [host])
}

const claim = async (owner = 'first', places = 4) => {
  await room.rows('update sync_host set ready_at = now(), next_start_at = now()')
  return (await claimRuns(room.db, { owner, now: room.clock.now(), limits: runLimits, places })).runs
}

test('two huge instances of one vendor host leave a place there for its many small ones', async () => {
  await waiting(2, 'www.example.com', 'large')
  const large = [...(await claim('first')), ...(await claim('second'))]
  expect(large).toHaveLength(runLimits.hostRunsAtOnce - 1)
  await waiting(3, 'www.example.com', 'small')
  expect(await claim('third')).toMatchObject([{ size: 'small' }])
})

test('a small one that is urgent is not hidden by a large one that joins its line in the same moment', async () => {
  const [small, large] = [await room.instance(), await room.instance()]
  let second: Promise<unknown> | undefined
  await room.db.transaction(async tx => {
    const { run } = await requestRun(
      tx,
      { instanceId: small.id, trigger: 'manual', by: 'U1', now: room.clock.now() },
      () => {},
    )
    await tx.execute(sql`update sync_run set size = 'small'`)
    await joinLines(tx, [run.host])
    second = room.db.transaction(async other => {
      await requestRun(
        other,
        { instanceId: large.id, trigger: 'scheduled', by: null, now: room.clock.now() },
        () => {},
      )
    })
    await until('the second waits', async () => {
      const waits =
        "select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
      return (await room.rows(waits)).length > 0
    })
  })
  await second
  expect(await room.rows('select urgent, smallest from sync_host')).toEqual([{ urgent: true, smallest: 1 }])
})

test('and a line that hides one all the same is put right by the sweep', async () => {
  await waiting(1, 'www.example.com', 'small')
  await room.rows('update sync_host set smallest = 3')
  await createSweep(room.work)(new AbortController().signal)
  expect(await room.rows('select smallest from sync_host')).toEqual([{ smallest: 1 }])
})

test('a run that its vendor has put off does not carry its whole line past everybody else meanwhile', async () => {
  const { id } = await room.instance()
  await room.ask(id)
  const [run] = await claim()
  if (!run) throw new Error('It was due')
  const dueAt = new Date(room.clock.now().getTime() + 3_600_000)
  expect(await giveBack(room.work, run, { dueAt, putOffMs: 3_600_000 })).toBe(true)
  await room.ask(id, 'manual', 'U2')
  expect(await room.rows('select urgent from sync_host')).toEqual([{ urgent: false }])
  room.clock.advance(3_600_001)
  await room.ask(id, 'manual', 'U3')
  expect(await room.rows('select urgent from sync_host')).toEqual([{ urgent: true }])
})

test('the time that a vendor puts a run off makes none large', async () => {
  const { id } = await room.instance()
  const run = async () => {
    await room.ask(id)
    const [claimed] = await claim()
    if (!claimed) throw new Error('It was due')
    return claimed
  }
  const end = async (claimed: SyncRun) => {
    await settleRun(room.db.conn, claimed, 'succeeded', { endedAt: room.clock.now() })
    room.clock.advance(1)
  }
  const putOffMs = 3_600_000
  const first = await run()
  const dueAt = new Date(room.clock.now().getTime() + putOffMs)
  await giveBack(room.work, first, { dueAt, putOffMs })
  room.clock.advance(putOffMs + 1)
  const again = await run()
  expect(again.id).toBe(first.id)
  room.clock.advance(119_000)
  await end(again)
  const second = await run()
  expect(second.size).toBe('small')
  room.clock.advance(121_000)
  await end(second)
  expect((await run()).size).toBe('large')
})

test('an edit that moves an instance to another host moves its waiting run to that host’s line', async () => {
  const made = await room.instance()
  const edit = async (version: number, domain: string) =>
    room.db.transaction(async tx => {
      const edited = await editInstance(
        tx,
        { id: made.id, version },
        { settings: { domain } },
        room.clock.now(),
      )
      await requestRun(
        tx,
        { instanceId: made.id, trigger: 'edited', by: 'U1', now: room.clock.now() },
        () => {},
      )
      return edited?.version ?? 0
    })
  const version = await edit(made.version, 'old.okta.com')
  await edit(version, 'new.okta.com')
  expect(await room.latest(made.id)).toMatchObject({ host: 'new.okta.com', state: 'requested' })
  expect(await claim()).toMatchObject([{ host: 'new.okta.com' }])
})

test('and Sync now, which may know the old address, leaves it there', async () => {
  const { id } = await room.instance()
  await room.ask(id, 'scheduled', null)
  await room.rows("update sync_run set host = 'new.okta.com' where instance_id = $1", id)
  await room.ask(id, 'manual', 'U2')
  expect(await room.latest(id)).toMatchObject({ host: 'new.okta.com', urgent: true })
  expect(await room.rows("select urgent from sync_host where host = 'new.okta.com'")).toEqual([
    { urgent: true },
  ])
})

test('a process that has no place for what waits is not told to look again at once', async () => {
  await waiting(1, 'www.example.com', 'large')
  await room.rows('update sync_host set ready_at = next_start_at')
  const now = room.clock.now()
  expect(await paceMs(room.db.conn, now, ['small', 'unknown'])).toBeUndefined()
  expect(await paceMs(room.db.conn, now, ['small', 'unknown', 'large'])).toBeGreaterThan(0)
})

test('a lease that is over and that nobody may take up makes no process look without a pause', async () => {
  const { id } = await room.instance()
  const stop = gate()
  await room.ask(id)
  const running = room.runDue(undefined, 'busy', halting(stop))
  await stop.reached
  expect(await nextRunMs(room.db.conn, room.clock.now())).toBeGreaterThan(1_000)
  await room.die()
  expect(await nextRunMs(room.db.conn, room.clock.now())).toBeUndefined()
  stop.open()
  await running
})
