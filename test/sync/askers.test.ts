// What askers are promised: whoever asks for a sync hears its end directly, once, also where it was there already.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ProviderError } from '../../src/connectors/errors.ts'
import { lockInstance, moveInstance } from '../../src/instances/store.ts'
import { cancelWaiting } from '../../src/sync/askers.ts'
import { requestRemoval } from '../../src/sync/request.ts'
import { until } from '../support/world.ts'
import { gate, halting, listing, people, type Sync, startSync } from './synced.ts'

let room: Sync
beforeAll(async () => {
  room = await startSync()
})
afterAll(() => room.database.drop())

/** Who was told the end of a sync of this instance, and how it ended, in order of names. */
const ends = async (id: string) =>
  (
    await room.rows(
      `select destination, announcement from outbox
       where announcement->>'kind' = 'run-ended' and announcement->>'instanceId' = $1 order by 1, created_at`,
      id,
    )
  ).map(
    ({ destination, announcement }) =>
      `${destination} ${announcement.stopped ? 'stopped' : announcement.failure ? 'failed' : 'done'}`,
  )

/** An instance that has synced well once, whose ends are counted from here. */
async function synced(count = 5) {
  const { id } = await room.instance()
  await room.ask(id, 'initial', null)
  room.list(people(0, count))
  await room.runDue()
  return id
}

test('each of several who ask for a sync that waits hears its end, once', async () => {
  const id = await synced()
  expect(await room.ask(id, 'manual', 'UANN')).toMatchObject({ created: true, hears: true })
  expect(await room.ask(id, 'edited', 'UBEN')).toMatchObject({ created: false, hears: true })
  expect(await room.ask(id, 'manual', 'UCLEO')).toMatchObject({ created: false, hears: true })
  expect(await room.ask(id, 'manual', 'UBEN')).toMatchObject({ created: false, hears: true })
  expect(await room.ask(id, 'manual', 'UANN')).toMatchObject({ created: false, hears: true })
  await room.runDue()
  expect(await ends(id)).toEqual(['UANN done', 'UBEN done', 'UCLEO done'])
  expect(await room.history(id)).toHaveLength(2)
})

test('who presses Sync now while a sync runs hears its end, whoever had asked for it', async () => {
  const id = await synced()
  const stop = gate()
  room.vendor(halting(stop))
  await room.ask(id, 'manual', 'UANN')
  const running = room.runDue()
  await stop.reached
  expect(await room.ask(id, 'manual', 'UBEN')).toMatchObject({ created: false, hears: true })
  stop.open()
  await running
  expect(await ends(id)).toEqual(['UANN done', 'UBEN done'])
})

test('and where only the schedule had, also of a sync that finds nothing new', async () => {
  const id = await synced()
  const stop = gate()
  room.vendor(halting(stop, people(0, 3), people(3, 5)))
  await room.ask(id, 'scheduled', null)
  const running = room.runDue()
  await stop.reached
  expect(await room.ask(id, 'manual', 'UBEN')).toMatchObject({ created: false, hears: true })
  stop.open()
  await running
  expect(await ends(id)).toEqual(['UBEN done'])
  expect(await room.latest(id)).toMatchObject({ state: 'succeeded', unchanged: 5, requestedBy: null })
})

test('a sync of the schedule’s that waits is theirs who presses Sync now', async () => {
  const id = await synced()
  await room.ask(id, 'scheduled', null)
  await room.ask(id, 'manual', 'UBEN')
  expect(await room.latest(id)).toMatchObject({ trigger: 'manual', requestedBy: 'UBEN', urgent: true })
  await room.runDue()
  expect(await ends(id)).toEqual(['UBEN done'])
})

test('who connected an instance and presses Sync now in its initial sync hears the end directly, too', async () => {
  const { id } = await room.instance()
  const stop = gate()
  room.vendor(halting(stop))
  await room.ask(id, 'initial', 'UANN')
  const running = room.runDue()
  await stop.reached
  expect(await room.ask(id, 'manual', 'UANN')).toMatchObject({ created: false, hears: true })
  stop.open()
  await running
  expect(await ends(id)).toEqual(['UANN done'])
  expect(await room.told(id)).toEqual(['initial-succeeded'])
})

test('twenty more hear an end; the next one is promised nothing and told nothing', async () => {
  const id = await synced()
  await room.ask(id, 'manual', 'UANN')
  const others = Array.from({ length: 21 }, (_, at) => `U${String(at).padStart(2, '0')}`)
  for (const by of others.slice(0, 20)) expect((await room.ask(id, 'manual', by)).hears, by).toBe(true)
  expect(await room.ask(id, 'manual', others[20])).toMatchObject({ created: false, hears: false })
  expect((await room.ask(id, 'manual', others[3])).hears, 'one of them once more').toBe(true)
  await room.runDue()
  expect(await ends(id)).toEqual([...others.slice(0, 20).map(by => `${by} done`), 'UANN done'])
})

test('while a sync is being ended, Sync now waits for nothing: it asks for one of its own', async () => {
  const id = await synced()
  const stop = gate()
  room.vendor(halting(stop))
  await room.ask(id, 'manual', 'UANN')
  const running = room.runDue()
  await stop.reached
  // As a merge of a million does, which may take seconds.
  await room.db.sql.begin(async sql => {
    await sql`select 1 from sync_run where instance_id = ${id} and state = 'running' for no key update`
    expect(await room.ask(id, 'manual', 'UBEN')).toMatchObject({ created: true, hears: true })
  })
  stop.open()
  await running
  await room.runDue()
  expect(await ends(id)).toEqual(['UANN done', 'UBEN done'])
  expect(await room.history(id)).toHaveLength(3)
})

test('who waits for a sync hears that the instance was set Inactive before it began; who did that does not', async () => {
  const id = await synced()
  await room.ask(id, 'manual', 'UANN')
  await room.ask(id, 'manual', 'UBEN')
  await room.db.transaction(async tx => {
    const now = room.clock.now()
    const inactivation = { reason: 'user' as const, detail: null, by: 'UBEN' }
    const moved = await moveInstance(tx, id, 'inactive', { now, inactivation })
    if (!moved) throw new Error('It was Live')
    await cancelWaiting(tx, { now, ring: () => {} }, moved, { by: 'UBEN', next: 'It is Inactive.' })
  })
  await room.runDue()
  expect(await ends(id)).toEqual(['UANN stopped'])
})

test('and so of one whose users are deleted, and of one that is taken up after the instance was set Inactive', async () => {
  const deleted = await synced()
  await room.ask(deleted, 'manual', 'UANN')
  await room.db.transaction(tx =>
    requestRemoval(tx, { instanceId: deleted, kind: 'users', by: 'UBEN', now: room.clock.now() }, () => {}),
  )
  await room.removeDue()
  expect(await ends(deleted)).toEqual(['UANN stopped'])
  const inactive = await synced()
  await room.ask(inactive, 'manual', 'UANN')
  await room.db.transaction(async tx => {
    await lockInstance(tx, inactive)
    const inactivation = { reason: 'user' as const, detail: null, by: 'UBEN' }
    await moveInstance(tx, inactive, 'inactive', { now: room.clock.now(), inactivation })
  })
  await room.runDue()
  expect(await ends(inactive)).toEqual(['UANN stopped'])
})

test('who waits for a sync that a busy vendor has put off hears the end of the newer one that takes its place', async () => {
  const id = await synced()
  const stop = gate()
  room.vendor(async function* () {
    yield people(0, 3)
    await stop.wait()
    const until = new Date(room.clock.now().getTime() + 60_000)
    throw new ProviderError('busy', { message: 'Okta is busy.', detail: 'GET /users: 429', until })
  })
  await room.ask(id, 'manual', 'UANN')
  const running = room.runDue()
  await stop.reached
  await room.ask(id, 'manual', 'UBEN')
  await until('a message that shows how far it is', async () => {
    room.clock.advance(1_000)
    const found = await room.rows(
      'select 1 from sync_run where instance_id = $1 and progress_id is not null',
      id,
    )
    return found.length > 0
  })
  expect(await room.ask(id, 'edited', 'UCLEO')).toMatchObject({ created: true })
  stop.open()
  await running
  expect(await ends(id), 'the message that showed how far it was').toEqual(['UANN stopped'])
  room.vendor(listing(people(0, 5)))
  room.clock.advance(120_000)
  await room.runDue()
  expect(await ends(id)).toEqual(['UANN stopped', 'UANN done', 'UBEN done', 'UCLEO done'])
})
