// What a removal that does not end promises: it is tried ever more seldom and for ever, people hear of it once, and it holds up nobody else.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { regenerateInstance } from '../../src/instances/store.ts'
import { one } from '../../src/lib/assert.ts'
import { claimRemoval } from '../../src/sync/removals.ts'
import { requestRemoval } from '../../src/sync/request.ts'
import { people, type Sync, startSync } from './synced.ts'

let room: Sync
beforeAll(async () => {
  room = await startSync()
})
afterAll(() => room.database.drop())

const ask = (id: string, by = 'U1') =>
  room.db.transaction(async tx => {
    await regenerateInstance(tx, id, room.clock.now())
    const wanted = { instanceId: id, kind: 'users' as const, by, now: room.clock.now() }
    return requestRemoval(tx, wanted, bell => room.rings.push(bell))
  })

/** An instance whose users are to go. */
async function leaving(count = 3): Promise<string> {
  const { id } = await room.instance()
  await room.sync(id, people(0, count))
  await ask(id)
  return id
}

const removal = async (id: string) =>
  one(
    await room.rows(
      `select state, attempt, removed, fence::int, due_at, lease_owner,
        round(extract(epoch from lease_until - now()))::int as lease_seconds from removal where instance_id = $1`,
      id,
    ),
    'a removal was asked for',
  )

/** What is written to be told of it, to whom, oldest first; how far something is left out. */
const told = (id: string) =>
  room.rows(
    `select destination, medium, announcement->>'kind' kind, announcement->'failure'->>'message' message from outbox
     where instance_id is null and announcement->>'instanceId' = $1 and announcement->>'kind' like '%removal%' or
       instance_id is null and announcement->>'instanceId' = $1 and announcement->>'kind' = 'users-deleted'
     order by created_at, destination`,
    id,
  )

/** While `work` goes on no removal can be marked as done. */
async function withoutEnd(work: () => Promise<void>): Promise<void> {
  await room.rows("alter table removal add constraint no_end check (state <> 'done') not valid")
  try {
    await work()
  } finally {
    await room.rows('alter table removal drop constraint no_end')
  }
}

/** Its next attempt, as soon as that is due; returns the pause before it, in seconds: some of that has passed already. */
async function nextAttempt(id: string): Promise<number> {
  const waits = new Date((await removal(id)).due_at).getTime() - room.clock.now().getTime()
  room.clock.advance(Math.max(0, waits))
  await room.removeDue()
  return Math.min(3_600, 15 * 2 ** Math.ceil(Math.log2(waits / 15_000)))
}

test('a removal whose end cannot be written is tried again after ever longer pauses, is told once, and ends once it can', async () => {
  const id = await leaving()
  await withoutEnd(async () => {
    await room.removeDue()
    expect(await removal(id)).toMatchObject({ state: 'requested', attempt: 1, lease_owner: null })
    const waited: number[] = []
    for (let attempt = 2; attempt <= 7; attempt += 1) waited.push(await nextAttempt(id))
    expect(waited).toEqual([15, 30, 60, 120, 240, 480])
    expect(await told(id), 'nobody is troubled yet').toEqual([])
    for (let attempt = 8; attempt <= 11; attempt += 1) waited.push(await nextAttempt(id))
    expect(waited.slice(6)).toEqual([960, 1_920, 3_600, 3_600])
    expect(await removal(id)).toMatchObject({ state: 'requested', attempt: 11 })
  })
  const stuck = { kind: 'removal-stuck', medium: 'slack-direct' }
  expect(await told(id)).toMatchObject([
    { ...stuck, destination: 'U1' },
    { ...stuck, destination: 'admins' },
  ])
  await nextAttempt(id)
  expect(await removal(id)).toMatchObject({ state: 'done', removed: 3 })
  expect((await told(id)).slice(2)).toMatchObject([{ kind: 'users-deleted', destination: 'U1' }])
})

test('attempts are counted from the last one that removed anybody', async () => {
  const id = await leaving(2_500)
  await room.rows('update removal set attempt = 7 where instance_id = $1', id)
  await withoutEnd(() => room.removeDue())
  expect(await removal(id)).toMatchObject({ state: 'requested', attempt: 1, removed: 2_000 })
  expect(await told(id)).toEqual([])
  await nextAttempt(id)
  expect(await removal(id)).toMatchObject({ state: 'done', removed: 2_500 })
})

test('a removal whose workers die in it is taken over after ever longer pauses, and people hear of it after eight of them', async () => {
  const id = await leaving()
  const leases: number[] = []
  for (let death = 1; death <= 8; death += 1) {
    await claimRemoval(room.db, 'dead', room.clock.now())
    leases.push((await removal(id)).lease_seconds)
    await room.rows("update removal set lease_until = now() - interval '1 second' where state = 'running'")
  }
  expect(leases).toEqual([60, 60, 60, 120, 240, 480, 960, 1_920])
  await room.removeDue()
  expect(await removal(id)).toMatchObject({ state: 'done', fence: 9 })
  expect((await told(id)).map(row => [row.kind, row.destination])).toEqual(
    expect.arrayContaining([
      ['removal-stuck', 'U1'],
      ['removal-stuck', 'admins'],
      ['users-deleted', 'U1'],
    ]),
  )
})

test('a removal that fails keeps no other one waiting', async () => {
  const [broken, other] = [await leaving(), await leaving()]
  await room.rows(
    `alter table removal add constraint no_end check (state <> 'done' or instance_id <> '${broken}') not valid`,
  )
  await room.removeDue()
  await room.rows('alter table removal drop constraint no_end')
  expect((await removal(broken)).state).toBe('requested')
  expect((await removal(other)).state).toBe('done')
})
