// What is believed of a vendor's list: a few may vanish at once, too many may not, and who is new is always taken over.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { people, type Sync, startSync } from './synced.ts'

let room: Sync
beforeAll(async () => {
  room = await startSync()
})
afterAll(() => room.database.drop())

test.each([
  { before: 450, gone: 40, state: 'succeeded' },
  { before: 450, gone: 90, state: 'succeeded' },
  { before: 450, gone: 91, state: 'held' },
  { before: 450, gone: 100, state: 'held' },
  { before: 12, gone: 10, state: 'succeeded' },
  { before: 12, gone: 11, state: 'held' },
  { before: 3, gone: 1, state: 'succeeded' },
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
  if (state === 'held') expect(run.warnings.join(' ')).toContain(`of ${before} were missing`)
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
