// What progress promises: one message to who asked, a row read and never waited for, and an end that is told once, in its place.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { editInstance, moveInstance, regenerateInstance } from '../../src/instances/store.ts'
import { requestRemoval } from '../../src/sync/request.ts'
import { until } from '../support/world.ts'
import { gate, halting, people, type Sync, startSync } from './synced.ts'

let room: Sync
beforeAll(async () => {
  room = await startSync()
})
afterAll(() => room.database.drop())

/** What is written to be told to one person about an instance, oldest first. */
const told = (id: string) =>
  room.rows(
    `select id, medium, edits, announcement->>'kind' kind, announcement->'progress' progress from outbox
     where instance_id is null and announcement->>'instanceId' = $1 order by created_at, id`,
    id,
  )
const shownOf = (id: string) => room.shown.filter(({ told }) => told.instanceId === id)

/** Move the clock until `look` says yes: sleepers are woken by it. */
const moving = <T>(what: string, look: () => Promise<T> | T) =>
  until(what, async () => {
    room.clock.advance(1_000)
    return look()
  })

test('a sync that somebody asked for shows how far it is in one message, whose last edit is the end', async () => {
  const { id } = await room.instance()
  await room.sync(id, people(0, 40))
  const stop = gate()
  room.vendor(halting(stop, people(0, 15), people(15, 40)))
  room.clock.advance(60_000)
  await room.ask(id)
  const running = room.runDue()
  await stop.reached
  const before = (await told(id)).length
  const post = await moving('the message', async () => (await told(id)).at(before))
  expect(post).toMatchObject({ medium: 'slack-direct', kind: 'progress' })
  const edit = await moving('an edit', () => shownOf(id).find(({ told }) => told.progress?.done))
  expect(edit).toMatchObject({
    id: post.id,
    told: { kind: 'progress', progress: { doing: 'sync', done: 15, of: 40 } },
  })
  stop.open()
  await running
  const edits = shownOf(id).length
  expect((await told(id)).slice(before + 1)).toMatchObject([
    { medium: 'slack-edit', edits: post.id, kind: 'run-ended' },
  ])
  room.clock.advance(60_000)
  await new Promise(done => setImmediate(done))
  expect(shownOf(id), 'nothing is shown after the end').toHaveLength(edits)
})

test('a short sync posts its end only, and one that nobody asked for posts nothing', async () => {
  const { id } = await room.instance()
  await room.sync(id, people(0, 5))
  expect((await told(id)).map(row => row.kind)).toEqual(['run-ended'])
  const stop = gate()
  room.vendor(halting(stop))
  room.clock.advance(60_000)
  await room.ask(id, 'scheduled', null)
  const running = room.runDue()
  await stop.reached
  room.clock.advance(60_000)
  await new Promise(done => setImmediate(done))
  stop.open()
  await running
  expect((await told(id)).map(row => row.kind)).toEqual(['run-ended'])
})

test.each(['edited', 'reactivated'] as const)(
  'who has %s an instance hears the end of the sync that follows',
  async trigger => {
    const { id } = await room.instance()
    await room.sync(id, people(0, 5))
    const before = (await told(id)).length
    await room.ask(id, trigger)
    await room.runDue()
    expect((await told(id)).slice(before).map(row => row.kind)).toEqual(['run-ended'])
  },
)

test('and so they do where the schedule had asked for it before them: it is theirs, and says so', async () => {
  const { id } = await room.instance()
  await room.sync(id, people(0, 5))
  const before = (await told(id)).length
  await room.ask(id, 'scheduled', null)
  await room.ask(id, 'edited')
  await room.runDue()
  expect(await room.latest(id)).toMatchObject({ trigger: 'edited', requestedBy: 'U1', state: 'succeeded' })
  expect(await room.history(id)).toHaveLength(2)
  expect((await told(id)).slice(before).map(row => row.kind)).toEqual(['run-ended'])
})

test('who asked for a sync that an edit has cancelled hears that, however short it was', async () => {
  const { id } = await room.instance()
  await room.sync(id, people(0, 5))
  const before = (await told(id)).length
  const stop = gate()
  room.vendor(halting(stop))
  await room.ask(id)
  const running = room.runDue()
  await stop.reached
  const { version } = await room.refreshed(id)
  await room.db.transaction(tx =>
    editInstance(tx, { id, version }, { settings: { other: 'x' } }, room.clock.now()),
  )
  stop.open()
  await running
  const [end, ...more] = (await room.toldDirectly(id)).slice(before)
  expect(end).toMatchObject({ kind: 'run-ended', stopped: true })
  expect(more).toEqual([])
})

test('a worker that takes the run over goes on with the same message', async () => {
  const { id } = await room.instance()
  const [first, second] = [gate(), gate()]
  await room.ask(id)
  const died = room.runDue(undefined, 'first', halting(first))
  await first.reached
  await moving('the message', async () => (await told(id)).length === 1)
  await room.die()
  const running = room.runDue(undefined, 'second', halting(second))
  await second.reached
  const [post] = await told(id)
  const before = shownOf(id).length
  await moving('an edit by the second', () => shownOf(id).length > before)
  second.open()
  await running
  first.open()
  await died
  const all = await told(id)
  expect(all.map(row => row.kind)).toEqual(['progress', 'run-ended'])
  expect(all[1]?.edits).toBe(post?.id)
})

test('a sync that was stopped by a change says so in its message', async () => {
  const { id } = await room.instance()
  const stop = gate()
  room.vendor(halting(stop))
  await room.ask(id)
  const running = room.runDue()
  await stop.reached
  await moving('the message', async () => (await told(id)).length === 1)
  await room.db.transaction(tx =>
    moveInstance(tx, id, 'inactive', {
      now: room.clock.now(),
      inactivation: { reason: 'user', detail: null, by: 'U1' },
    }),
  )
  stop.open()
  await running
  expect((await room.toldDirectly(id)).length).toBe(1)
  const [, end] = await room.rows(
    "select announcement from outbox where instance_id is null and announcement->>'instanceId' = $1 order by created_at",
    id,
  )
  expect(end?.announcement).toMatchObject({ kind: 'run-ended', stopped: true })
})

test('a removal counts what it has to do, and its message becomes the end', async () => {
  const { id } = await room.instance()
  await room.sync(id, people(0, 1_500))
  const before = (await told(id)).length
  await room.db.transaction(async tx => {
    const now = room.clock.now()
    await regenerateInstance(tx, id, now)
    return requestRemoval(tx, { instanceId: id, kind: 'users', by: 'U1', now }, () => {})
  })
  // The second batch waits for a row, so that there is something to watch.
  await room.db.sql.begin(async sql => {
    await sql`select 1 from account where instance_id = ${id} and external_id = 'p001400' for update`
    const removing = room.removeDue()
    await until('a batch', async () =>
      (await room.rows('select 1 from removal where instance_id = $1 and removed = 1000', id)).at(0),
    )
    await moving('an edit', () => shownOf(id)[0])
    expect(shownOf(id)[0]?.told.progress).toMatchObject({ doing: 'users-deletion', done: 1_000, of: 1_500 })
    // The row is let go at the end of this block.
    void removing
  })
  await until('the end', async () => (await told(id)).length === before + 2)
  const [post, end] = (await told(id)).slice(before)
  expect(end).toMatchObject({ medium: 'slack-edit', edits: post?.id, kind: 'users-deleted' })
})

test('a removal that ends just as its message would be begun ends at once, and its end is the message', async () => {
  const { id } = await room.instance()
  await room.sync(id, people(0, 3))
  const before = (await told(id)).length
  await room.db.transaction(async tx => {
    const now = room.clock.now()
    await regenerateInstance(tx, id, now)
    return requestRemoval(tx, { instanceId: id, kind: 'users', by: 'U1', now }, () => {})
  })
  // Whoever marks it as done stands still while the lock is held: its row is locked, and nothing is committed.
  await room.rows(`create function stand_still() returns trigger language plpgsql as
    $$ begin perform pg_advisory_xact_lock_shared(4242); return new; end $$`)
  await room.rows(
    "create trigger stand_still after update on removal for each row when (new.state = 'done') execute function stand_still()",
  )
  const standing =
    "select 1 from pg_stat_activity where datname = current_database() and wait_event = 'advisory'"
  let removing: Promise<void> | undefined
  await room.db.sql.begin(async sql => {
    await sql`select pg_advisory_xact_lock(4242)`
    removing = room.removeDue()
    await until('the end is being written', async () => (await room.rows(standing)).at(0))
    room.clock.advance(60_000)
    // Many times what a message that is begun asks before it writes into the row.
    for (let asked = 0; asked < 100; asked += 1) await room.rows('select 1')
  })
  await until('the end', async () => (await told(id)).length > before)
  await removing
  await room.rows('drop trigger stand_still on removal')
  expect((await told(id)).slice(before)).toMatchObject([{ medium: 'slack-direct', kind: 'users-deleted' }])
})
