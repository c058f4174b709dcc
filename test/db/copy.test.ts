// What COPY promises: all rows or none, and an answer in every case, also to what postgres.js tells nobody of.
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { copyRows } from '../../src/db/copy.ts'
import { type TestDatabase, testDatabase } from '../support/postgres.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await testDatabase()
  await database.db.sql`create table number (n int primary key)`
})
beforeEach(() => database.db.sql`truncate number`)
afterAll(() => database.drop())

const numbers = async () => (await database.db.sql`select n from number order by n`).map(row => row.n)

test('rows arrive, and a refused one leaves none and says why', async () => {
  const { sql } = database.db
  await copyRows(sql, 'number (n)', '1\n2\n')
  await expect(copyRows(sql, 'number (n)', '3\n2\n')).rejects.toMatchObject({ code: '23505' })
  await expect(copyRows(sql, 'number (n)', '4\nfour\n')).rejects.toMatchObject({ code: '22P02' })
  await expect(copyRows(sql, 'nothing', '1\n')).rejects.toMatchObject({ code: '42P01' })
  expect(await numbers()).toEqual([1, 2])
})

test('a refused row ends the transaction around it, and the next one works', async () => {
  const { db } = database
  const load = (text: string) => db.transaction(tx => copyRows(tx.sql, 'number (n)', text))
  await expect(load('1\n1\n')).rejects.toMatchObject({ code: '23505' })
  await load('1\n2\n')
  expect(await numbers()).toEqual([1, 2])
})

test('a connection that is lost in a transaction ends it with an error, and the process goes on', async () => {
  const { db } = database
  let goOn = () => {}
  let lost: Promise<unknown> = Promise.resolve()
  const begun = new Promise<number>(resolve => {
    const gone = db.transaction(async tx => {
      const [row] = await tx.sql`select pg_backend_pid() as pid`
      const told = new Promise<void>(done => {
        goOn = done
      })
      resolve(Number(row?.pid))
      await told
      throw new Error('too late')
    })
    lost = gone.catch(error => error)
  })
  await db.sql`select pg_terminate_backend(${await begun}, 5000)`
  expect(await lost).toMatchObject({ code: expect.stringMatching(/CONNECTION_|57P01/) })
  goOn()
  expect(await numbers()).toEqual([])
})
