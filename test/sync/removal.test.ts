// What a removal promises: everybody goes, in batches that may be cut anywhere; it wins over a sync; it is counted and told once.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createInstance, moveInstance, recordOutcome, regenerateInstance } from '../../src/instances/store.ts'
import { newId } from '../../src/lib/ids.ts'
import type { RemovalKind } from '../../src/sync/removal.ts'
import { requestRemoval } from '../../src/sync/request.ts'
import { until } from '../support/world.ts'
import { gate, people, type Sync, startSync, whole } from './synced.ts'

let room: Sync
beforeAll(async () => {
  room = await startSync()
})
afterAll(() => room.database.drop())

/** As the windows of Delete All Users and Delete Instance ask for it. */
const ask = (id: string, kind: RemovalKind, by = 'U1') =>
  room.db.transaction(async tx => {
    const now = room.clock.now()
    if (kind === 'instance') await moveInstance(tx, id, 'deleting', { now })
    else await regenerateInstance(tx, id, now)
    return requestRemoval(tx, { instanceId: id, kind, by, now }, bell => room.rings.push(bell))
  })

const removals = (id: string) => room.rows('select * from removal where instance_id = $1', id)
const accounts = async (id: string) =>
  Number((await room.rows('select count(*) n from account where instance_id = $1', id))[0]?.n)

/** Hold one person's row, so that the batch that takes it has to wait until the work given is done. */
async function holding(id: string, externalId: string, work: () => Promise<unknown>): Promise<void> {
  await room.db.sql.begin(async sql => {
    await sql`select 1 from account where instance_id = ${id} and external_id = ${externalId} for update`
    await work()
  })
}

/** Connections of this database that wait for somebody's lock. */
const waitingForLocks = async () =>
  (
    await room.rows(
      "select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'",
    )
  ).length

const removed = (id: string, count: number) =>
  until(`${count} removed`, async () => Number((await removals(id))[0]?.removed) === count)

test('all users of an instance go, gone ones too, and the count says how many were reported', async () => {
  const { id } = await room.instance()
  const other = await room.instance()
  await room.sync(id, people(0, 1_300), people(1_300, 2_500))
  await room.sync(other.id, people(0, 10))
  await room.sync(id, people(7, 2_500))
  expect(await room.users(id)).toHaveLength(2_493)
  const { created } = await ask(id, 'users')
  expect(created).toBe(true)
  await room.removeDue()
  expect(await accounts(id)).toBe(0)
  expect(await removals(id)).toMatchObject([{ state: 'done', removed: 2_493 }])
  expect(await room.refreshed(id)).toMatchObject({ status: 'live', deletedAt: null })
  expect(await room.users(other.id), 'nobody else’s people').toHaveLength(10)
  const told = await room.toldDirectly(id)
  expect(told.filter(({ kind }) => kind === 'users-deleted')).toMatchObject([{ removed: 2_493 }])
})

test('while the many users of one instance are being removed, another one’s first load, changes and removals come to their end', async () => {
  const { id } = await room.instance()
  const [fresh, known] = [await room.instance(), await room.instance()]
  await room.sync(id, people(0, 4_500))
  await room.sync(known.id, people(0, 500))
  await ask(id, 'users')
  let removing: Promise<void> | undefined
  // The third batch is in the middle of its transaction, and stays there.
  await holding(id, 'p002500', async () => {
    removing = room.removeDue()
    await removed(id, 2_000)
    await until('the batch waits', async () => (await waitingForLocks()) === 1)
    expect(await room.sync(fresh.id, people(0, 2_000))).toMatchObject({ state: 'succeeded', added: 2_000 })
    room.clock.advance(1)
    const changed = people(5, 300, { name: 'Renamed' })
    expect(await room.sync(known.id, changed, people(300, 700))).toMatchObject({
      ...{ state: 'succeeded', added: 200, changed: 295, removed: 5, unchanged: 200 },
    })
    expect(await waitingForLocks(), 'the removal is where it was').toBe(1)
    expect(await removals(id)).toMatchObject([{ state: 'running', removed: 2_000 }])
  })
  await removing
  expect(await removals(id)).toMatchObject([{ state: 'done', removed: 4_500 }])
  expect(await accounts(id)).toBe(0)
  expect(await accounts(fresh.id), 'nobody else’s people').toBe(2_000)
  expect(await room.users(known.id)).toHaveLength(695)
})

test('a small removal does not wait for the whole of a huge one', async () => {
  const [huge, small] = [await room.instance(), await room.instance()]
  await room.sync(huge.id, people(0, 1_500))
  await room.sync(small.id, people(0, 3))
  await ask(huge.id, 'users')
  await ask(small.id, 'users')
  let removing: Promise<void> | undefined
  await holding(huge.id, 'p001400', async () => {
    removing = room.removeDue()
    await until('the small one is done', async () => (await removals(small.id))[0]?.state === 'done')
    expect((await removals(huge.id))[0]?.state).toBe('running')
  })
  await removing
  expect((await removals(huge.id))[0]?.state).toBe('done')
})

test('a removal stopped between two batches goes on where it was', async () => {
  const { id } = await room.instance()
  await room.sync(id, people(0, 2_500))
  await ask(id, 'instance')
  const stop = new AbortController()
  let stopped: Promise<void> | undefined
  await holding(id, 'p001500', async () => {
    stopped = room.removeDue(stop.signal)
    await removed(id, 1_000)
    stop.abort()
  })
  await stopped
  expect(await removals(id)).toMatchObject([{ state: 'requested', removed: 2_000 }])
  expect(await accounts(id)).toBe(500)
  expect((await room.refreshed(id)).status).toBe('deleting')
  await room.removeDue()
  expect(await removals(id)).toMatchObject([{ state: 'done', removed: 2_500 }])
  expect(await room.refreshed(id)).toMatchObject({ status: 'deleted', sealed: null, settings: {} })
})

test('a removal whose worker died is taken over, nobody is counted twice, and it is told once', async () => {
  const { id } = await room.instance()
  await room.sync(id, people(0, 2_500))
  await ask(id, 'instance')
  let both: Promise<unknown> | undefined
  await holding(id, 'p001500', async () => {
    const first = room.removeDue()
    await removed(id, 1_000)
    await room.rows("update removal set lease_until = now() - interval '1 second' where state = 'running'")
    both = Promise.all([first, room.removeDue()])
    await until('the second claim', async () => Number((await removals(id))[0]?.fence) === 2)
  })
  await both
  expect(await removals(id)).toMatchObject([{ state: 'done', removed: 2_500, fence: '2' }])
  expect((await room.told(id)).filter(kind => kind === 'instance-deleted')).toHaveLength(1)
  expect((await room.toldDirectly(id)).filter(({ kind }) => kind === 'instance-deleted')).toHaveLength(1)
  expect(
    await room.rows("select 1 from audit where instance_id = $1 and action = 'instance.deleted'", id),
  ).toHaveLength(1)
})

test('asked for twice, it is done once', async () => {
  const { id } = await room.instance()
  await room.sync(id, people(0, 3))
  const [first, second] = [await ask(id, 'users'), await ask(id, 'users')]
  expect(second).toMatchObject({ created: false, removal: { id: first.removal.id } })
  await room.removeDue()
  expect((await room.toldDirectly(id)).filter(({ kind }) => kind === 'users-deleted')).toHaveLength(1)
})

test.each([
  ['users', 'the removal ends before the run', true],
  ['users', 'the run ends before the removal', false],
  ['instance', 'the removal ends before the run', true],
  ['instance', 'the run ends before the removal', false],
] as const)('a removal of %s wins over a running sync: %s', async (kind, _order, removalFirst) => {
  const { id } = await room.instance()
  await room.sync(id, people(0, 20))
  room.clock.advance(1)
  await room.ask(id)
  const at = gate()
  room.vendor(async function* () {
    yield people(0, 10)
    await at.wait()
    yield people(10, 25)
    return whole
  })
  const running = room.runDue()
  await at.reached
  await ask(id, kind)
  if (removalFirst) await room.removeDue()
  at.open()
  await running
  await room.removeDue()
  expect(await accounts(id)).toBe(0)
  expect(await removals(id)).toMatchObject([{ state: 'done', removed: 20 }])
  expect((await room.latest(id)).state).toBe('cancelled')
  expect(await room.staged()).toBe(0)
})

test('a run that waits is not begun for an instance whose users are to go', async () => {
  const { id } = await room.instance()
  await room.ask(id)
  await ask(id, 'instance')
  room.list(people(0, 5))
  await room.runDue()
  await room.removeDue()
  await room.runDue()
  expect((await room.latest(id)).state).toBe('cancelled')
  expect(await accounts(id)).toBe(0)
})

test('a sync asked for while users are being removed begins once they are gone, and loses nobody', async () => {
  const { id } = await room.instance()
  await room.sync(id, people(0, 20))
  room.clock.advance(1)
  await ask(id, 'users')
  await room.ask(id)
  room.list(people(0, 20))
  await room.runDue()
  expect((await room.latest(id)).state, 'it waits').toBe('requested')
  const rung = room.rings.length
  await room.removeDue()
  expect(room.rings.slice(rung), 'and is called when its turn has come').toContain('sync')
  await room.runDue()
  expect(await removals(id)).toMatchObject([{ removed: 20 }])
  expect(await room.latest(id)).toMatchObject({ state: 'succeeded', added: 20 })
  expect(await room.users(id)).toHaveLength(20)
})

test('a Live instance whose first sync was cancelled by Delete All Users is still scheduled', async () => {
  const { id } = await room.instance()
  await room.ask(id, 'initial')
  await ask(id, 'users')
  await room.removeDue()
  await room.runDue()
  expect((await room.latest(id)).state).toBe('cancelled')
  const { nextSyncAt } = await room.refreshed(id)
  const inMs = (nextSyncAt?.getTime() ?? 0) - room.clock.now().getTime()
  expect(inMs).toBeGreaterThan(22 * 3_600_000)
  expect(inMs).toBeLessThanOrEqual(24 * 3_600_000)
})

test('Delete All Users does not put off a sync that is scheduled', async () => {
  const { id } = await room.instance()
  await room.sync(id, people(0, 3))
  const soon = new Date(room.clock.now().getTime() + 60_000)
  await room.db.transaction(tx => recordOutcome(tx, id, { nextSyncAt: soon }))
  await ask(id, 'users')
  await room.removeDue()
  expect((await room.refreshed(id)).nextSyncAt).toEqual(soon)
})

test('connecting again after a deletion makes another instance with all its users, and the old one stays as it ended', async () => {
  const old = await room.instance()
  await room.sync(old.id, people(0, 30))
  await ask(old.id, 'instance')
  await room.removeDue()
  const { name, teamId, connector, tenantKey, tenantName, owner, createdBy } = old
  const facts = { id: newId(), name, teamId, connector, tenantKey, tenantName, owner, createdBy }
  const fresh = await room.db.transaction(tx =>
    createInstance(tx, { ...facts, settings: {}, sealed: null }, room.clock.now()),
  )
  expect(fresh.id).not.toBe(old.id)
  await room.ask(fresh.id, 'initial')
  room.list(people(0, 30))
  await room.runDue()
  expect(await room.latest(fresh.id)).toMatchObject({ state: 'succeeded', added: 30 })
  expect(await accounts(old.id)).toBe(0)
  expect((await room.refreshed(old.id)).status).toBe('deleted')
})
