// What a transaction promises: all or nothing, and rings only after the commit.
import { sql } from 'drizzle-orm'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type TestDatabase, testDatabase } from '../support/postgres.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await testDatabase()
})
afterAll(() => database.drop())

test('a ring is heard only once its commit is visible to others', async () => {
  await database.db.sql`create table bell (n int)`
  let seen: Promise<number> | undefined
  await database.db.transaction(async tx => {
    await tx.execute(sql`insert into bell values (1)`)
    tx.afterCommit(() => {
      seen = database.db.sql`select n from bell`.then(rows => rows.length)
    })
    expect(seen).toBeUndefined()
  })
  expect(await seen).toBe(1)
})

test('a rolled-back transaction rings nobody and keeps nothing', async () => {
  await database.db.sql`create table quiet (n int)`
  let rung = false
  const failed = database.db.transaction(async tx => {
    await tx.execute(sql`insert into quiet values (1)`)
    tx.afterCommit(() => {
      rung = true
    })
    throw new Error('changed my mind')
  })
  await expect(failed).rejects.toThrow('changed my mind')
  expect(rung).toBe(false)
  expect(await database.db.sql`select * from quiet`).toHaveLength(0)
})

test.each([{ patient: false }, { patient: true }])(
  'a statement with parameters is prepared, and costs one round trip from then on: %o',
  async how => {
    const kept = await database.db.transaction(async tx => {
      await tx.execute(sql`select ${'once'}::text as asked_for`)
      return tx.execute(
        sql`select statement from pg_prepared_statements where statement like '%as asked\_for'`,
      )
    }, how)
    expect(kept).toEqual([{ statement: 'select $1::text as asked_for' }])
  },
)
