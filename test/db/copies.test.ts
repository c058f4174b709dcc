// What a row of COPYs promises: all rows or none, an answer in every case, and no more rows in memory than its bound.
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { type BinaryRows, createBinaryRows } from '../../src/db/binary.ts'
import { type Copies, createCopies } from '../../src/db/copies.ts'
import type { Tx } from '../../src/db/db.ts'
import { type TestDatabase, testDatabase } from '../support/postgres.ts'
import { until } from '../support/world.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await testDatabase()
  await database.db.sql`create table team (n bigint primary key)`
  await database.db.sql`create table member (n bigint primary key, team bigint references team, name text)`
  await database.db.sql`insert into team values (1)`
})
beforeEach(() => database.db.sql`truncate member`)
afterAll(() => database.drop())

/** Of several COPYs, each of a megabyte. */
const many = 40_000
const name = 'n'.repeat(80)

function write(rows: BinaryRows, n: number, team = 1, text = name): void {
  rows.row(3)
  rows.bigint(n)
  rows.bigint(team)
  rows.text(text)
}

/** In a transaction: these numbers, handed on a thousand at a time, then `after`. */
function copy(
  numbers: Iterable<number>,
  after: (copies: Copies, rows: BinaryRows) => Promise<void> = copies => copies.end(),
  tx?: Tx,
): Promise<void> {
  const within = async ({ sql }: Tx) => {
    const rows = createBinaryRows()
    const copies = createCopies(sql, 'member (n, team, name)', rows)
    try {
      let waiting = 0
      for (const n of numbers) {
        write(rows, n)
        waiting += 1
        if (waiting % 1_000 === 0) await copies.send()
      }
      await after(copies, rows)
    } catch (error) {
      await copies.cancel()
      throw error
    }
  }
  return tx ? within(tx) : database.db.transaction(within)
}

const range = (from: number, to: number) => Array.from({ length: to - from }, (_, n) => from + n)
const stored = async () =>
  (
    await database.db
      .sql`select count(*)::int as n, count(distinct n)::int as different, max(length(name)) as name from member`
  )[0]

test('rows of many COPYs are all in, those of none as well, and a text of any length', async () => {
  await copy(range(-5, many))
  expect(await stored()).toEqual({ n: many + 5, different: many + 5, name: name.length })
  await copy([])
  expect(await stored()).toMatchObject({ n: many + 5 })
  const long = '€'.repeat(300_000)
  await copy([many], async (copies, rows) => {
    write(rows, many + 1, 1, long)
    write(rows, many + 2)
    await copies.end()
  })
  expect(await stored()).toMatchObject({ n: many + 8, name: long.length })
})

test('what Postgres refuses of any of the COPYs is told, and none of them is left', async () => {
  const duplicates = [
    [1, ...range(1, many)],
    [...range(1, many), 1],
    [...range(1, many), many - 1],
  ]
  for (const numbers of duplicates) await expect(copy(numbers)).rejects.toMatchObject({ code: '23505' })
  const stranger = async (copies: Copies, rows: BinaryRows) => {
    write(rows, 0, 2)
    await copies.end()
  }
  // Told at the end of the first COPY, when the second one is on its way.
  const strangerFirst = async (copies: Copies, rows: BinaryRows) => {
    for (const n of range(0, many)) {
      write(rows, n, n === 0 ? 2 : 1)
      if (n % 1_000 === 0) await copies.send()
    }
    await copies.end()
  }
  await expect(copy(range(1, many), stranger)).rejects.toMatchObject({ code: '23503' })
  await expect(copy([], strangerFirst)).rejects.toMatchObject({ code: '23503' })
  expect(await stored()).toMatchObject({ n: 0 })
})

test('a transaction goes on with other statements and other COPYs when one row of them has ended', async () => {
  await database.db.transaction(async tx => {
    await copy(range(0, many), undefined, tx)
    await tx.sql`delete from member where n >= 10`
    await copy(range(10, 20), undefined, tx)
  })
  expect(await stored()).toMatchObject({ n: 20 })
})

test('what is not wanted any more is taken back at once, wherever it is, and the connection works on', async () => {
  const halfWay = async (copies: Copies) => copies.cancel()
  const behindItsEnd = async (copies: Copies, rows: BinaryRows) => {
    for (const n of range(many, 2 * many)) write(rows, n)
    const sent = copies.send().catch(() => {})
    await copies.cancel()
    await sent
    await expect(copies.send()).rejects.toThrow()
  }
  for (const [numbers, after] of [
    [[], halfWay],
    [range(0, 10), halfWay],
    [range(0, many), halfWay],
    [range(0, many), behindItsEnd],
  ] as const) {
    const transaction = copy(numbers, async (copies, rows) => {
      await after(copies, rows)
      throw new Error('not wanted')
    })
    await expect(transaction).rejects.toThrow('not wanted')
    expect(await stored()).toMatchObject({ n: 0 })
  }
})

test('while Postgres takes nothing, whoever makes the rows waits after a bounded number of them', async () => {
  const { db } = database
  let free = () => {}
  const freed = new Promise<void>(resolve => {
    free = resolve
  })
  let begun = () => {}
  const locked = new Promise<void>(resolve => {
    begun = resolve
  })
  const holder = db.transaction(async tx => {
    await tx.sql`lock table member in access exclusive mode`
    begun()
    await freed
  })
  await locked
  let made = 0
  const numbers = function* () {
    for (; made < many; made += 1) yield made
  }
  const copied = copy(numbers())
  await until('the COPY waits for the lock', async () => {
    const waiting =
      await db.sql`select from pg_stat_activity where wait_event_type = 'Lock' and query like 'copy member %' and datname = current_database()`
    return waiting.length > 0
  })
  const madeMeanwhile = made
  free()
  await Promise.all([holder, copied])
  expect(madeMeanwhile).toBeGreaterThan(1_000)
  expect(madeMeanwhile).toBeLessThan(10_000)
  expect(await stored()).toMatchObject({ n: many })
})
