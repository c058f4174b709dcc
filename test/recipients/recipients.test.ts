// What an address may look like, and what a list of recipients keeps.
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { listRecipients, readAddress, recipientsOf, saveRecipients } from '../../src/recipients/recipients.ts'
import { type TestDatabase, testDatabase } from '../support/postgres.ts'

let database: TestDatabase
let seconds = 0
beforeAll(async () => {
  database = await testDatabase()
})
afterAll(() => database.drop())

/** Each save comes a second after the last one. */
const later = () => new Date(Date.UTC(2026, 10, 1, 10, 0, seconds++))
const common = { teamId: 'T1', instanceId: null }
const save = (addresses: string[]) =>
  database.db.transaction(tx => saveRecipients(tx, common, { addresses, by: 'U1', now: later() }))

test.each([
  ' ada@example.com ',
  'a.b+c@sub.example.co',
  "o'neil@example.com",
  'jörg@bücher.example',
  '<ada@example.com>',
])('“%s” is accepted', typed => {
  expect(readAddress(typed)).toMatchObject({ ok: true })
})

test.each([
  '',
  'ada',
  '@example.com',
  'ada@',
  'ada@example',
  'a b@example.com',
  'ada@exa mple.com',
  'ada@-example.com',
  'a..b@example.com',
  'ada@example.com, max@example.com',
  'ada@example.com\nBcc: all@example.com',
  `${'a'.repeat(65)}@example.com`,
  `ada@${'a.'.repeat(130)}com`,
])('“%s” is refused with a reason', typed => {
  const read = readAddress(typed)
  expect(read.ok ? '' : read.reason).toMatch(/.{10,}\.$|.{10,}\)\.$/)
})

test('no text whatever becomes an address with a space, a line break or two @', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.emailAddress()), typed => {
      const read = readAddress(typed)
      return !read.ok || /^[^\s@<>,;]+@[^\s@<>,;]+$/.test(read.address)
    }),
  )
})

test('a list is what was saved, each address once whatever its case, and says what changed', async () => {
  expect(await save(['ada@example.com', 'ADA@example.com', 'max@example.com'])).toMatchObject({ removed: [] })
  expect(await listRecipients(database.db.conn, common)).toHaveLength(2)
  const changed = await save(['max@example.com', 'new@example.com'])
  expect(changed).toEqual({ added: ['new@example.com'], removed: ['ada@example.com'] })
  expect(await listRecipients(database.db.conn, common)).toEqual(['max@example.com', 'new@example.com'])
})

test('500 addresses are kept in their order, and emptied at once', async () => {
  const many = Array.from({ length: 500 }, (_, position) => `person${position}@example.com`)
  await save(many)
  expect(await listRecipients(database.db.conn, common)).toEqual(many)
  await save([])
  expect(
    await recipientsOf(database.db.conn, { teamId: 'T1', id: '00000000-0000-4000-8000-000000000001' }),
  ).toEqual([])
})
