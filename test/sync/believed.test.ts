// What is believed of a vendor's list: a few may vanish at once, too many may not, and who is new is always taken over.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { releaseMissing } from '../../src/accounts/held.ts'
import { lockInstance } from '../../src/instances/store.ts'
import { decideHeld } from '../../src/sync/held.ts'
import { createSweep } from '../../src/sync/sweep.ts'
import { until } from '../support/world.ts'
import { people, type Sync, startSync } from './synced.ts'

let room: Sync
beforeAll(async () => {
  room = await startSync()
})
afterAll(() => room.database.drop())

/** A run has come to its end, and waits for the instance's lock. */
const mergeWaits = ({ rows }: Sync) =>
  until('the merge waits', () =>
    rows(
      "select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'",
    ).then(found => found.at(0)),
  )

test.each([
  { before: 450, gone: 40, state: 'succeeded' },
  { before: 450, gone: 90, state: 'succeeded' },
  { before: 450, gone: 91, state: 'held' },
  { before: 450, gone: 100, state: 'held' },
  { before: 450, gone: 410, state: 'held' },
  { before: 450, gone: 450, state: 'held' },
  { before: 12, gone: 10, state: 'succeeded' },
  { before: 12, gone: 11, state: 'held' },
  { before: 3, gone: 1, state: 'succeeded' },
  { before: 3, gone: 2, state: 'succeeded' },
  { before: 3, gone: 3, state: 'held' },
  { before: 1, gone: 1, state: 'held' },
])('$gone of $before: $state', async ({ before, gone, state }) => {
  const { id } = await room.instance()
  await room.sync(id, people(0, before))
  room.clock.advance(1)
  const run = await room.sync(id, people(gone, before))
  const removed = state === 'held' ? 0 : gone
  expect(run).toMatchObject({ state, removed, unchanged: before - gone })
  expect(await room.users(id)).toHaveLength(before - removed)
  expect((await room.refreshed(id)).lastOutcome).toBe(state)
  if (state === 'held') expect(run.warnings.join(' ')).toMatch(new RegExp(`of ${before} (was|were) missing`))
})

test.each([
  { people: 1, percent: 20, before: 3, gone: 1, state: 'succeeded' },
  { people: 1, percent: 20, before: 3, gone: 2, state: 'held' },
  { people: 0, percent: 0, before: 50, gone: 1, state: 'held' },
  { people: 0, percent: 50, before: 50, gone: 25, state: 'succeeded' },
  { people: 1_000_000, percent: 100, before: 50, gone: 49, state: 'succeeded' },
  { people: 1_000_000, percent: 100, before: 50, gone: 50, state: 'held' },
])('with thresholds of $people people and $percent %, $gone of $before: $state', async asked => {
  const { id } = await room.instance()
  await room.db
    .sql`update instance set removal_people_max = ${asked.people}, removal_percent_max = ${asked.percent} where id = ${id}`
  await room.sync(id, people(0, asked.before))
  room.clock.advance(1)
  expect(await room.sync(id, people(asked.gone, asked.before))).toMatchObject({ state: asked.state })
})

test.each([
  { before: 100, off: 20, gone: 0, state: 'succeeded' },
  { before: 100, off: 21, gone: 0, state: 'held' },
  { before: 100, off: 11, gone: 10, state: 'held' },
  { before: 5, off: 5, gone: 0, state: 'held' },
])('$off disabled and $gone gone of $before: $state, and a held status stays as it was', async asked => {
  const { id } = await room.instance()
  await room.sync(id, people(0, asked.before))
  room.clock.advance(1)
  const off = people(asked.gone, asked.gone + asked.off, { status: 'suspended', name: 'Off' })
  const run = await room.sync(id, off, people(asked.gone + asked.off, asked.before))
  const held = asked.state === 'held'
  expect(run).toMatchObject({ state: asked.state, changed: held ? 0 : asked.off })
  const suspended = await room.rows(
    "select 1 from account where instance_id = $1 and status = 'suspended' and name = 'Off'",
    id,
  )
  expect(suspended).toHaveLength(held ? 0 : asked.off)
})

test('who was disabled already, and is so still, counts for nothing', async () => {
  const { id } = await room.instance()
  await room.sync(id, people(0, 50, { status: 'deactivated' }), people(50, 100))
  room.clock.advance(1)
  const renamed = people(0, 50, { status: 'suspended', name: 'Renamed' })
  expect(await room.sync(id, renamed, people(50, 100))).toMatchObject({ state: 'succeeded', changed: 50 })
})

test('a listing that is not complete cannot disable too many either, and leaves who is held back as they are', async () => {
  const { id } = await room.instance()
  await room.sync(id, people(0, 50))
  const off = people(0, 20, { status: 'suspended' })
  const partly = async function* () {
    yield off
    return { complete: false, warnings: ['Not everybody is reported.'] }
  }
  const suspended = async () =>
    (await room.rows("select 1 from account where instance_id = $1 and status = 'suspended'", id)).length
  for (let again = 0; again < 2; again += 1) {
    room.clock.advance(1)
    room.vendor(partly)
    await room.ask(id)
    await room.runDue()
    expect((await room.latest(id)).state).toBe('held')
    expect(await suspended()).toBe(0)
  }
  expect(await room.users(id)).toHaveLength(50)
})

test('a directory that stays as it is while people are held back is not written to again', async () => {
  const { id } = await room.instance()
  await room.sync(id, people(0, 100))
  const accounts = () =>
    room.rows('select external_id, xmin, ctid from account where instance_id = $1 order by 1', id)
  room.clock.advance(1)
  expect((await room.sync(id, people(50, 100))).state).toBe('held')
  const before = await accounts()
  room.clock.advance(1)
  expect((await room.sync(id, people(50, 100))).state).toBe('held')
  expect(await accounts()).toEqual(before)
})

test('people who vanished are kept for as long as it is set, then purged; one who returns before is the same account', async () => {
  const { id } = await room.instance()
  await room.sync(id, people(0, 20))
  room.clock.advance(1)
  const run = await room.sync(id, people(2, 20))
  const gone = await room.rows(
    'select gone_run_id from account where gone_at is not null and instance_id = $1',
    id,
  )
  expect(gone).toEqual([{ gone_run_id: run.id }, { gone_run_id: run.id }])
  const sweep = createSweep({ ...room.work, goneDays: 7 })
  const left = async () => (await room.rows('select 1 from account where instance_id = $1', id)).length
  room.clock.advance(6 * 86_400_000)
  await sweep(new AbortController().signal)
  expect(await left()).toBe(20)
  expect(await room.sync(id, people(1, 20))).toMatchObject({ added: 1 })
  room.clock.advance(2 * 86_400_000)
  await sweep(new AbortController().signal)
  expect(await left(), 'nobody, before the sync that it asks for has ended').toBe(20)
  await room.runDue()
  await sweep(new AbortController().signal)
  expect(await left(), 'only who stayed away').toBe(19)
})

test.each([
  { known: 'nobody' },
  { known: 'by what is read of them', remembers: true },
  { known: 'by the vendor’s bytes', remembers: true, cuts: true },
])(
  'who comes back at last is not purged while the sync that found them ends (known again: $known)',
  async options => {
    const other = await startSync(options)
    const { id } = await other.instance()
    await other.sync(id, people(0, 100))
    other.clock.advance(1_000)
    await other.sync(id, people(5, 100))
    other.clock.advance(31 * 86_400_000)
    const sweep = createSweep(other.work)
    other.list(people(0, 100))
    await other.ask(id)
    const { running } = await other.db.transaction(async tx => {
      await lockInstance(tx, id)
      const running = other.runDue()
      await mergeWaits(other)
      await sweep(new AbortController().signal)
      return { running }
    })
    await running
    expect((await other.users(id)).length).toBe(100)
    other.clock.advance(1_000)
    expect(await other.sync(id, people(5, 100))).toMatchObject({ state: 'succeeded', removed: 5 })
    other.clock.advance(31 * 86_400_000)
    await other.rows("update instance set next_sync_at = '2100-01-01' where id = $1", id)
    await sweep(new AbortController().signal)
    expect(
      await other.rows('select 1 from account where instance_id = $1', id),
      'by the next one',
    ).toHaveLength(95)
    await other.database.drop()
  },
)

test('a merge that waits while a held removal is allowed finds the people as that leaves them', async () => {
  const { id } = await room.instance()
  await room.sync(id, people(0, 100))
  room.clock.advance(1)
  const held = await room.sync(id, people(40, 100))
  expect(held.state).toBe('held')
  room.clock.advance(1)
  room.list(people(40, 100))
  await room.ask(id)
  const { running } = await room.db.transaction(async tx => {
    await lockInstance(tx, id)
    const running = room.runDue()
    await mergeWaits(room)
    const now = room.clock.now()
    await releaseMissing(tx, id, { markedBy: held.id, runId: held.id, now })
    await decideHeld(tx, held.id, { what: 'allowed', by: 'U1', at: now })
    return { running }
  })
  await running
  expect(await room.latest(id)).toMatchObject({ state: 'succeeded', removed: 0, unchanged: 60 })
  expect(await room.users(id)).toHaveLength(60)
})

test('who is new or changed is taken over even when a removal is held', async () => {
  const { id } = await room.instance()
  await room.sync(id, people(0, 100))
  room.clock.advance(1)
  const run = await room.sync(id, people(0, 10, { name: 'Renamed' }), people(200, 205))
  expect(run).toMatchObject({ state: 'held', added: 5, changed: 10, removed: 0 })
  expect(await room.users(id)).toHaveLength(105)
  expect(await room.told(id)).toEqual(['initial-succeeded', 'held'])
  room.clock.advance(1)
  await room.sync(id, people(0, 10, { name: 'Renamed' }), people(200, 205))
  const mails = await room.rows(
    "select 1 from outbox where instance_id = $1 and medium = 'email' and announcement->>'kind' = 'held'",
    id,
  )
  expect(mails, 'held again is told to nobody').toHaveLength(1)
})

test('a listing that is not complete removes nobody and ends as partial', async () => {
  const { id } = await room.instance()
  await room.sync(id, people(0, 30))
  room.clock.advance(1)
  room.vendor(async function* () {
    yield { ...people(0, 29), problems: [{ externalId: 'p000029', message: 'No status.' }] }
    return { complete: false, warnings: ['Not everybody is reported.'] }
  })
  await room.ask(id)
  await room.runDue()
  const run = await room.latest(id)
  expect(run).toMatchObject({ state: 'partial', removed: 0, unchanged: 29 })
  expect(run.warnings).toEqual([
    'Not everybody is reported.',
    expect.stringMatching(/^1 row could not be read/),
  ])
  expect(await room.users(id)).toHaveLength(30)
  expect(await room.rows('select message from account_problem where run_id = $1', run.id)).toHaveLength(1)
})
