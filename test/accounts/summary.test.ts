// What is asked about accounts is answered at once, also by a table that Postgres knows nothing of yet.
import { sql } from 'drizzle-orm'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { onlyHere, removeAccounts } from '../../src/accounts/summary.ts'
import type { Tx } from '../../src/db/db.ts'
import { createInstance } from '../../src/instances/store.ts'
import { newId } from '../../src/lib/ids.ts'
import { type TestDatabase, testDatabase } from '../support/postgres.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await testDatabase()
})
afterAll(() => database.drop())

const now = new Date('2026-11-01T10:00:00Z')

/** An instance of this team with people of these numbers, and their addresses. */
async function instanceWith(teamId: string, from: number, to: number): Promise<string> {
  const id = newId()
  const fresh = { id, teamId, name: id, connector: 'okta', tenantKey: id, tenantName: null }
  await database.db.transaction(tx =>
    createInstance(tx, { ...fresh, settings: {}, sealed: null, owner: 'U1', createdBy: 'U1' }, now),
  )
  await database.db.sql`
    insert into account (instance_id, external_id, email, status, kind, roles, licences, hash, first_seen_at)
    select ${id}, n::text, 'person' || n || '@example.com', 'active', 'human', '{}', '{}', '', now()
    from generate_series(${from}::int, ${to}::int) n`
  return id
}

test('who has an account nowhere else is looked up by address, in a table that was never analyzed', async () => {
  const id = await instanceWith('T1', 1, 500)
  const other = await instanceWith('T1', 251, 6_250)
  await instanceWith('T2', 1, 100)
  await database.db.sql`
    update account set email = 'Person' || external_id || '@Example.com' where instance_id = ${other} and external_id < '3'`
  await database.db
    .sql`update account set gone_at = now() where instance_id = ${other} and external_id = '500'`
  // Of a table of many pages that was never analyzed Postgres expects the same: many rows, and next to nobody reported.
  await database.db.sql`update pg_class set relpages = 1, reltuples = 200000 where oid = 'account'::regclass`
  const read = await database.db.transaction(async tx => {
    const before = await readIn(tx)
    expect(await onlyHere(tx, { id, teamId: 'T1' })).toEqual({ users: 500, onlyHere: 251 })
    return (await readIn(tx)) - before
  })
  // Each of them, and who has the same address; everybody elsewhere held against each would be millions.
  expect(read).toBeLessThan(3_000)
})

test('a removal reads each of those it deletes once, in a table that was never analyzed', async () => {
  const id = await instanceWith('T1', 1, 6_000)
  await database.db.sql`update pg_class set relpages = 0, reltuples = -1 where oid = 'account'::regclass`
  const read: number[] = []
  const deleted: number[] = []
  for (let after = ''; ; ) {
    const batch = await database.db.transaction(async tx => {
      const before = await readIn(tx)
      const removed = await removeAccounts(tx, id, { after, limit: 1_000 })
      read.push((await readIn(tx)) - before)
      return removed
    })
    deleted.push(batch.deleted)
    if (batch.last === null) break
    after = batch.last
  }
  expect(deleted).toEqual([1_000, 1_000, 1_000, 1_000, 1_000, 1_000, 0])
  // Looked for and deleted; a batch that reads all that is left makes a removal of a million take the square of it.
  expect(Math.max(...read)).toBeLessThan(2_500)
})

async function readIn(tx: Tx): Promise<number> {
  const [row] = await tx.execute<{ n: number }>(
    sql`select (seq_tup_read + idx_tup_fetch)::int as n from pg_stat_xact_user_tables where relname = 'account'`,
  )
  return row?.n ?? Number.NaN
}
