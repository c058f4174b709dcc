// What a start promises of the schema: it waits for another process that changes it, but not for ever.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { migrate } from '../../src/db/migrate.ts'
import { type TestDatabase, testDatabase } from '../support/postgres.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await testDatabase()
})
afterAll(() => database.drop())

const folder = 'drizzle/migrations'
const rows = (text: string) => database.db.sql.unsafe(text)
const made = async () => (await rows('select 1 from drizzle.__drizzle_migrations')).length

test('a database that is up to date is not waited for', async () => {
  const sql = await database.db.sql.reserve()
  await sql`select pg_advisory_lock(7215001)`
  await migrate(database.url, folder, 1)
  await sql`select pg_advisory_unlock(7215001)`
  sql.release()
})

test('who changes it for longer than a start waits is named as what to look for; afterwards it is brought up to date', async () => {
  const before = await made()
  await rows('alter table sync_run drop column worked_ms')
  await rows(
    'delete from drizzle.__drizzle_migrations where created_at = (select max(created_at) from drizzle.__drizzle_migrations)',
  )
  const sql = await database.db.sql.reserve()
  await sql`select pg_advisory_lock(7215001)`
  await expect(migrate(database.url, folder, 50)).rejects.toThrow(
    /has held a lock for 1 min\. Another saasm.*start again/,
  )
  expect(await made()).toBe(before - 1)
  await sql`select pg_advisory_unlock(7215001)`
  sql.release()
  await Promise.all([migrate(database.url, folder), migrate(database.url, folder)])
  expect(await made()).toBe(before)
})
