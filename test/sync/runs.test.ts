// What a run promises: one at a time, nothing from a lost claim, nobody removed on doubt, and an end on every path.
import { sql } from 'drizzle-orm'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ProviderError, type ProviderProblem } from '../../src/connectors/errors.ts'
import { editInstance, moveInstance } from '../../src/instances/store.ts'
import { claimRuns } from '../../src/sync/claim.ts'
import { runLimits } from '../../src/sync/limits.ts'
import { requestRun } from '../../src/sync/request.ts'
import { until } from '../support/world.ts'
import { gate, halting, type Pages, people, type Sync, startSync, whole } from './synced.ts'

let room: Sync
beforeAll(async () => {
  room = await startSync()
})
afterAll(() => room.database.drop())

function failing(problem: ProviderProblem, until?: Date): Pages {
  return async function* () {
    yield people(0, 1)
    const facts = { message: 'The vendor said no.', detail: 'GET /users 500' }
    throw new ProviderError(problem, until ? { ...facts, until } : facts)
  }
}

const edit = async (id: string) => {
  const before = await room.refreshed(id)
  await room.db.transaction(async tx => {
    const target = { id, version: before.version }
    await editInstance(tx, target, { settings: { domain: 'other' } }, room.clock.now())
  })
  await room.ask(id, 'edited')
}

describe('one at a time', () => {
  test('the second press of Sync now finds the first, whether it waits or runs', async () => {
    const { id } = await room.instance()
    const presses = await Promise.all([room.ask(id), room.ask(id), room.ask(id)])
    expect(presses.filter(press => press.created)).toHaveLength(1)
    expect(new Set(presses.map(press => press.run.id)).size).toBe(1)
    const at = gate()
    room.vendor(halting(at))
    const running = room.runDue()
    await at.reached
    expect(await room.ask(id)).toMatchObject({ created: false, run: { state: 'running' } })
    at.open()
    await running
    expect(await room.history(id)).toHaveLength(1)
    expect((await room.ask(id)).created).toBe(true)
    await room.runDue()
  })

  test('two processes at once never run one instance twice', async () => {
    const { id } = await room.instance()
    let [now, most] = [0, 0]
    room.vendor(async function* () {
      now += 1
      most = Math.max(most, now)
      yield people(0, 3)
      now -= 1
      return whole
    })
    await room.ask(id, 'manual')
    await Promise.all([room.runDue(), room.runDue(undefined, 'second')])
    await edit(id)
    await Promise.all([room.runDue(), room.runDue(undefined, 'second')])
    expect(most).toBe(1)
    expect((await room.history(id)).map(run => run.state)).toEqual(['succeeded', 'succeeded'])
  })

  test('a change during a run gets a run of its own after it', async () => {
    const { id } = await room.instance()
    await room.ask(id)
    const at = gate()
    room.vendor(halting(at))
    const running = room.runDue()
    await at.reached
    await room.ask(id, 'reactivated')
    // A second worker finds nothing to take while the first run goes on.
    await room.runDue(undefined, 'second')
    expect((await room.history(id)).map(run => run.state).toSorted()).toEqual(['requested', 'running'])
    at.open()
    await running
    expect((await room.history(id)).map(run => run.state)).toEqual(['succeeded', 'succeeded'])
  })
})

describe('a worker that died', () => {
  test('its run is taken over, and what it writes later does nothing', async () => {
    const { id } = await room.instance()
    await room.ask(id)
    const at = gate()
    const slow = room.runDue(undefined, 'first', halting(at, people(0, 5), people(100, 105)))
    await at.reached
    await room.die()
    await room.runDue(undefined, 'second', async function* () {
      yield people(0, 2)
      yield people(2, 6)
      return whole
    })
    const taken = await room.latest(id)
    expect(taken).toMatchObject({ state: 'succeeded', fence: 2, attempt: 2, added: 6 })
    at.open()
    await slow
    expect(await room.latest(id)).toEqual(taken)
    expect(await room.users(id)).toHaveLength(6)
    expect(await room.staged(), 'nothing of it stays behind').toBe(0)
  })

  test('it wakes while its successor reads, and takes nothing away from it', async () => {
    const { id } = await room.instance()
    await room.sync(id, people(0, 20))
    room.clock.advance(1)
    await room.ask(id)
    const [old, fresh] = [gate(), gate()]
    const slow = room.runDue(undefined, 'first', halting(old))
    await old.reached
    await room.die()
    const successor = room.runDue(undefined, 'second', halting(fresh, people(0, 10), people(10, 20)))
    await fresh.reached
    old.open()
    await slow
    fresh.open()
    await successor
    expect(await room.latest(id)).toMatchObject({ state: 'succeeded', removed: 0, unchanged: 20 })
    expect(await room.users(id)).toHaveLength(20)
  })

  test('a run that takes five workers down ends as failed, with a reference', async () => {
    const { id } = await room.instance()
    const { run } = await room.ask(id)
    for (let crash = 1; crash <= 5; crash += 1) {
      const [at, dead] = [gate(), new AbortController()]
      void room.runDue(dead.signal, `worker ${crash}`, halting(at)).catch(() => {})
      await at.reached
      expect(await room.latest(id)).toMatchObject({ state: 'running', attempt: crash })
      dead.abort()
      await room.die()
    }
    await room.runDue(undefined, 'sixth')
    const ended = await room.latest(id)
    expect(ended).toMatchObject({ id: run.id, state: 'failed', fault: { problem: 'internal' } })
    expect(ended.fault?.message).toContain(ended.fault?.reference)
    expect((await room.refreshed(id)).status, 'our own doing never makes it Inactive').toBe('live')
  })
})

describe('a vendor that fails', () => {
  test.each(['broken', 'unreadable', 'settings', 'busy'] as const)(
    '%s: the people stay as they were, and nothing stays in staging',
    async problem => {
      const { id } = await room.instance()
      await room.sync(id, people(0, 30))
      const before = await room.rows('select *, xmin, ctid from account where instance_id = $1', id)
      room.clock.advance(1)
      room.vendor(failing(problem))
      await room.ask(id)
      await room.runDue()
      expect(await room.latest(id)).toMatchObject({ state: 'failed', fault: { code: problem }, added: null })
      expect(await room.rows('select *, xmin, ctid from account where instance_id = $1', id)).toEqual(before)
      expect(await room.staged()).toBe(0)
      expect(await room.refreshed(id)).toMatchObject({ status: 'live', lastOutcome: 'failed' })
    },
  )

  test.each([0, 30])(
    'one that lists without an end is left, and people are told why (%i known before)',
    async known => {
      const { id } = await room.instance()
      if (known > 0) await room.sync(id, people(0, known))
      room.clock.advance(1)
      await room.ask(id)
      const endless: Pages = async function* (signal) {
        yield people(0, 5)
        await new Promise((_, no) =>
          signal.addEventListener('abort', () => no(new Error('The socket was cut'))),
        )
        return whole
      }
      await room.runDue(undefined, 'first', endless, { readingMaxMs: 20 })
      expect(await room.latest(id)).toMatchObject({
        state: 'failed',
        fault: { code: 'broken', message: 'Okta did not list everybody within 1 hour.' },
      })
      expect(await room.users(id)).toHaveLength(known)
      expect(await room.staged()).toBe(0)
      expect((await room.refreshed(id)).status).toBe('live')
    },
  )

  test.each([
    ['credentials', 'token_inactive'],
    ['permission', 'insufficient_permissions'],
  ] as const)('%s: the instance becomes Inactive and keeps its people', async (problem, reason) => {
    const { id } = await room.instance()
    await room.sync(id, people(0, 3))
    room.clock.advance(1)
    room.vendor(failing(problem))
    await room.ask(id)
    await room.runDue()
    expect(await room.refreshed(id)).toMatchObject({
      status: 'inactive',
      inactiveReason: reason,
      nextSyncAt: null,
    })
    expect(await room.users(id)).toHaveLength(3)
    expect((await room.told(id)).at(-1)).toBe('revoked')
  })

  test('a run that has waited for its turn for long may be put off as any other; for six hours in all', async () => {
    // Time goes on while it is executed.
    const hourMs = 3_600_000 + 30_000
    const { id } = await room.instance()
    await room.ask(id)
    room.clock.advance(7 * 3_600_000)
    for (let hours = 0; hours < 6; hours += 1) {
      room.vendor(failing('busy', new Date(room.clock.now().getTime() + hourMs)))
      await room.runDue()
      expect(await room.latest(id), `after ${hours} hours`).toMatchObject({ state: 'requested' })
      room.clock.advance(hourMs + 1)
    }
    room.vendor(failing('busy', new Date(room.clock.now().getTime() + hourMs)))
    await room.runDue()
    expect(await room.latest(id)).toMatchObject({ state: 'failed', fault: { code: 'busy' } })
  })

  test('busy for longer than patience: the run waits until then, and no attempt is spent', async () => {
    const { id } = await room.instance()
    const until = new Date(room.clock.now().getTime() + 3_600_000)
    room.vendor(failing('busy', until))
    await room.ask(id)
    await room.runDue()
    expect(await room.latest(id)).toMatchObject({
      state: 'requested',
      attempt: 0,
      dueAt: until,
      endedAt: null,
    })
    room.list(people(0, 2))
    await room.runDue()
    expect((await room.latest(id)).state, 'not before its time').toBe('requested')
    room.clock.advance(3_600_001)
    await room.runDue()
    expect(await room.latest(id)).toMatchObject({ state: 'succeeded', attempt: 1, added: 2 })
    expect(await room.told(id), 'a wait is told to nobody').toEqual(['initial-succeeded'])
  })

  test('a fault of our own is called so, with a reference, and not told as the vendor’s', async () => {
    const { id } = await room.instance()
    await room.ask(id)
    room.vendor(async function* () {
      yield people(0, 1)
      throw new TypeError('undefined is not a function')
    })
    await room.runDue()
    const { fault, state } = await room.latest(id)
    expect(state).toBe('failed')
    expect(fault?.message).toMatch(/saasm could not finish .* not Okta’s fault.* E[A-Z0-9]{7}/)
    expect(fault?.message).not.toContain('undefined is not')
  })
})

describe('changed while it runs', () => {
  test('an edit cancels the merge of the run under way, and the edited run merges', async () => {
    const { id } = await room.instance()
    await room.sync(id, people(0, 3))
    room.clock.advance(1)
    await room.ask(id)
    const at = gate()
    room.vendor(halting(at, people(50, 55)))
    const running = room.runDue()
    await at.reached
    await edit(id)
    room.list(people(0, 4))
    at.open()
    await running
    const runs = await room.history(id)
    expect(runs.map(run => run.state).toSorted()).toEqual(['cancelled', 'succeeded', 'succeeded'])
    expect(runs.find(run => run.trigger === 'edited')).toMatchObject({ state: 'succeeded', added: 1 })
    expect(await room.users(id)).toHaveLength(4)
    expect(await room.staged()).toBe(0)
  })

  test('a run that waits is claimed by nobody while an edit is saved: it would sync what was there before', async () => {
    const { id, version } = await room.instance()
    await room.ask(id)
    const claimant = { owner: 'other', now: room.clock.now(), limits: runLimits, places: 10 }
    await room.db.transaction(async tx => {
      await editInstance(tx, { id, version }, { settings: { domain: 'other' } }, room.clock.now())
      const by = { instanceId: id, trigger: 'edited' as const, by: 'U1', now: room.clock.now() }
      expect((await requestRun(tx, by, () => {})).created).toBe(false)
      expect((await claimRuns(room.db, claimant)).runs).toEqual([])
    })
    expect((await claimRuns(room.db, claimant)).runs).toMatchObject([{ instanceId: id }])
    await room.die()
    room.list(people(0, 3))
    await room.runDue()
    expect(await room.users(id)).toHaveLength(3)
  })

  test('an edit that is saved while a run that waited is being claimed is followed by a run of its own', async () => {
    const { id } = await room.instance()
    const { run } = await room.ask(id)
    const asked = await room.db.transaction(async tx => {
      await tx.execute(sql`update sync_run set state = 'running' where id = ${run.id}`)
      const asking = room.ask(id, 'edited')
      const waits = `select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`
      await until('the edit waits', async () => (await room.rows(waits)).length > 0)
      return { asking }
    })
    expect((await asked.asking).created).toBe(true)
    expect((await room.history(id)).map(one => one.state).toSorted()).toEqual(['requested', 'running'])
    // Nobody is at work on it.
    await room.rows('delete from sync_run where instance_id = $1', id)
  })

  test.each(['inactive', 'deleting'] as const)(
    '%s meanwhile: the run is cancelled, and says nothing',
    async to => {
      const { id } = await room.instance()
      await room.ask(id)
      const at = gate()
      room.vendor(halting(at))
      const running = room.runDue()
      await at.reached
      const inactivation = { reason: 'user' as const, detail: null, by: 'U1' }
      await room.db.transaction(tx => moveInstance(tx, id, to, { now: room.clock.now(), inactivation }))
      at.open()
      await running
      expect((await room.latest(id)).state).toBe('cancelled')
      expect(await room.users(id)).toEqual([])
      expect(await room.staged()).toBe(0)
      expect(await room.told(id)).toEqual([])
    },
  )

  test('a vendor that fails after an edit does not make the edited instance Inactive', async () => {
    const { id } = await room.instance()
    await room.ask(id)
    const at = gate()
    const refused = failing('credentials')
    room.vendor(async function* (signal) {
      await at.wait()
      return yield* refused(signal)
    })
    const running = room.runDue()
    await at.reached
    await edit(id)
    room.list(people(0, 1))
    at.open()
    await running
    expect(await room.refreshed(id)).toMatchObject({ status: 'live', lastOutcome: 'succeeded' })
  })

  test('a stop of the process gives the run back at the edge of a page, and no attempt is spent', async () => {
    const { id } = await room.instance()
    await room.ask(id)
    const at = gate()
    const stop = new AbortController()
    room.vendor(halting(at))
    const running = room.runDue(stop.signal)
    await at.reached
    stop.abort(new Error('saasm is stopping'))
    at.open()
    await running
    expect(await room.latest(id)).toMatchObject({
      state: 'requested',
      attempt: 0,
      leaseUntil: null,
      leaseOwner: null,
    })
    expect(await room.users(id)).toEqual([])
    room.list(people(0, 8))
    await room.runDue()
    expect(await room.latest(id)).toMatchObject({ state: 'succeeded', added: 8, attempt: 1 })
  })
})
