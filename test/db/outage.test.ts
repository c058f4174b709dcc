// A pool whose Postgres goes away: what is under way fails, the process lives, and the pool works once Postgres is back.
import { sql } from 'drizzle-orm'
import { Pool } from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { isUnreachable, openDb } from '../../src/db/db.ts'
import { startProxy } from '../faults/proxy.ts'
import { freePort } from '../faults/stage.ts'
import { type TestDatabase, testDatabase } from '../support/postgres.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await testDatabase()
})
afterAll(() => database.drop())

const port = () => Number(new URL(database.url).port)

test('a pool that was refused more often than it has connections works again once Postgres is there', async () => {
  const at = await freePort()
  const url = new URL(database.url)
  url.port = String(at)
  const db = openDb(url.href, { connectionsMax: 2 })
  for (let times = 0; times < 6; times += 1) await expect(db.sql`select 1`).rejects.toThrow(/ECONNREFUSED/)
  const proxy = await startProxy({ port: port() }, at)
  expect(await db.sql`select 1 as one`).toEqual([{ one: 1 }])
  await db.close(1)
  await proxy.stop()
})

test('a transaction whose connection is reset in the middle fails, and the next one succeeds', async () => {
  const proxy = await startProxy({ port: port() })
  const db = openDb(proxy.through(database.url), { connectionsMax: 1 })
  for (let times = 0; times < 3; times += 1) {
    const cut = db.transaction(async tx => {
      await tx.execute(sql`select 1`)
      proxy.set({ kind: 'reset' })
      await tx.execute(sql`select 2`)
    })
    await expect(cut).rejects.toThrow()
    proxy.set({ kind: 'pass' })
    expect(await db.transaction(tx => tx.execute(sql`select 3 as three`))).toEqual([{ three: 3 }])
  }
  await db.close(1)
  await proxy.stop()
})

test('a transaction whose backend is ended in the middle fails, and the one after the next succeeds at the latest', async () => {
  const db = openDb(database.url, { connectionsMax: 1 })
  for (let times = 0; times < 3; times += 1) {
    const cut = db.transaction(async tx => {
      const [own] = await tx.execute<{ pid: number }>(sql`select pg_backend_pid() as pid`)
      await database.db.sql`select pg_terminate_backend(${own?.pid ?? 0})`
      await tx.execute(sql`select 2`)
    })
    await expect(cut).rejects.toThrow()
    // postgres.js may still answer the first statement of a new connection with the end of the old one.
    const next = () => db.transaction(tx => tx.execute(sql`select 3 as three`))
    expect(await next().catch(next)).toEqual([{ three: 3 }])
  }
  await db.close(1)
})

test.each([
  ['has no connection free', { connectionTimeoutMillis: 100 }, 'select 1', true],
  ['answers too late', { query_timeout: 100 }, 'select pg_sleep(5)', false],
])(
  'a job store that %s is away for a while, and not a reason to stop',
  async (_what, limits, text, taken) => {
    const pool = new Pool({ connectionString: database.url, max: 1, ...limits })
    pool.on('error', () => {})
    const client = taken ? await pool.connect() : undefined
    const error = await pool.query(text).catch(thrown => thrown)
    client?.release()
    void pool.end()
    expect(isUnreachable(error), String(error)).toBe(true)
  },
)
