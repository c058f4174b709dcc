// What an account's row promises: it is stored as it was read, by whichever of COPY's formats it came, and compared as it is stored.
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { cellsOf, hashOf, personCells, personColumns, textOf, writeCells } from '../../src/accounts/row.ts'
import type { Account } from '../../src/connectors/account.ts'
import { createBinaryRows } from '../../src/db/binary.ts'
import { createCopies } from '../../src/db/copies.ts'
import { copyRows } from '../../src/db/copy.ts'
import { type TestDatabase, testDatabase } from '../support/postgres.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await testDatabase()
  for (const name of ['as_text', 'as_binary'])
    await database.db.sql.unsafe(`create table ${name} as select ${personColumns} from account`)
})
afterAll(() => database.drop())

/** Whatever a vendor may write, but what is cleaned before: NUL, which Postgres does not store, and halves of characters. */
const words = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 80 }),
  fc.string({ maxLength: 80 }),
  fc.constantFrom(
    '',
    '\\N',
    '\\.',
    'tab\t',
    '{"a",b\\}',
    'NULL',
    'é'.repeat(70),
    'a'.repeat(70),
    `${'a'.repeat(63)}é`,
    '𝒳',
  ),
)
const text = words.map(word => word.replaceAll('\0', ''))
const told = fc.option(text)
const moment = fc.option(
  fc.date({ min: new Date('1900-01-01'), max: new Date('2199-12-31'), noInvalidDate: true }),
)
const truth = fc.option(fc.boolean())
const account: fc.Arbitrary<Account> = fc.record({
  externalId: text,
  email: told,
  name: told,
  status: fc.constantFrom('active', 'invited', 'suspended', 'deactivated'),
  kind: fc.constantFrom('human', 'guest', 'service'),
  roles: fc.array(text, { maxLength: 4 }),
  admin: truth,
  licences: fc.array(text, { maxLength: 4 }),
  mfa: truth,
  lastActiveAt: moment,
  createdAt: moment,
})

test('an account is stored as it was read, by either format, and two are the same row just when their texts are the same', async () => {
  const { db } = database
  const stored = async (table: string) => {
    const found = await db.sql.unsafe(
      `select external_id as "externalId", email, name, status, kind, roles, admin, licences, mfa,
        last_active_at as "lastActiveAt", created_at as "createdAt", hash from ${table} order by ctid`,
    )
    const at = (told: string | null) => (told === null ? null : new Date(told))
    return found.map(one => ({ ...one, lastActiveAt: at(one.lastActiveAt), createdAt: at(one.createdAt) }))
  }
  await fc.assert(
    fc.asyncProperty(fc.array(account, { minLength: 1, maxLength: 20 }), async accounts => {
      await db.sql`truncate as_text, as_binary`
      const lines = accounts.map(one => `${cellsOf(one.externalId, textOf(one))}\n`)
      await copyRows(db.sql, `as_text (${personColumns})`, lines.join(''))
      await db.transaction(async tx => {
        const rows = createBinaryRows()
        const copies = createCopies(tx.sql, `as_binary (${personColumns})`, rows)
        for (const one of accounts) {
          rows.row(personCells)
          writeCells(rows, one, hashOf(one))
        }
        await copies.end()
      })
      const expected = accounts.map(one => ({ ...one, hash: hashOf(one) }))
      expect(await stored('as_text')).toEqual(expected)
      expect(await stored('as_binary')).toEqual(expected)
      const [kinds] = await db.sql.unsafe(
        `select count(distinct (${personColumns.replace('external_id, ', '').replace(', hash', '')}))::int as rows,
          count(distinct hash)::int as hashes from as_binary`,
      )
      expect(kinds?.hashes).toBe(kinds?.rows)
    }),
    { numRuns: 150 },
  )
})
