// Whom a held removal is about, as a list: whole and in order however many they are, and never all of them at once.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { eachHeld } from '../../src/accounts/held.ts'
import { newId } from '../../src/lib/ids.ts'
import { type Sync, startSync } from '../sync/synced.ts'

let room: Sync
beforeAll(async () => {
  room = await startSync()
})
afterAll(() => room.database.drop())

const held = `insert into account (instance_id, external_id, name, status, kind, roles, licences, hash, first_seen_at, missing_run_id, missing_since, gone_at)
  select $1, 'p' || lpad(n::text, 6, '0'), 'Person ' || lpad((n * 7 % 1803)::text, 6, '0'), 'active', 'human', '{}', '{}', 'x', now(), $2::uuid, now(), case when n % 100 = 0 then now() end
  from generate_series(1, 1802) n`

test('everybody is listed once, by name, a few hundred at a time, and nobody who is gone or was marked by another run', async () => {
  const { id } = await room.instance()
  const { id: other } = await room.instance()
  const run = newId()
  await room.rows(held, id, run)
  await room.rows(held, other, run)
  await room.rows(
    `insert into account (instance_id, external_id, status, kind, roles, licences, hash, first_seen_at, missing_run_id)
      values ($1, 'marked otherwise', 'active', 'human', '{}', '{}', 'x', now(), gen_random_uuid())`,
    id,
  )
  const pages: string[][] = []
  await eachHeld(room.db, { instanceId: id, markedBy: run }, async people => {
    pages.push(people.map(({ name }) => name))
    return true
  })
  const expected = Array.from({ length: 1_802 }, (_, at) => at + 1)
    .filter(n => n % 100 !== 0)
    .map(n => `Person ${String((n * 7) % 1_803).padStart(6, '0')}`)
  expect(pages.flat()).toEqual(expected.toSorted())
  expect(Math.max(...pages.map(page => page.length))).toBeLessThanOrEqual(500)
})

test('who has enough is given no more', async () => {
  const { id } = await room.instance()
  const run = newId()
  await room.rows(held, id, run)
  let pages = 0
  await eachHeld(room.db, { instanceId: id, markedBy: run }, async () => {
    pages += 1
    return pages < 2
  })
  expect(pages).toBe(2)
})

test('a list that breaks off in the middle is none: who asked for it hears that', async () => {
  const { id } = await room.instance()
  const run = newId()
  await room.rows(held, id, run)
  const broken = eachHeld(room.db, { instanceId: id, markedBy: run }, async () => {
    await room.rows(
      "select pg_terminate_backend(pid, 5000) from pg_stat_activity where datname = current_database() and state = 'idle in transaction'",
    )
    return true
  })
  await expect(broken).rejects.toThrow()
})
