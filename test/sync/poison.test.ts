// Rows and errors that no database takes as they are: each is stored clean or named, and a run with them ends the first time.
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ProviderError } from '../../src/connectors/errors.ts'
import { okta } from '../../src/connectors/okta/okta.ts'
import { readRows } from '../../src/connectors/rows.ts'
import { type Sync, startSync, whole } from './synced.ts'

/** A listing is read without settings here, and nothing was looked up. */
const by = { credentials: {}, looked: new Map<string, string>() }
let room: Sync
beforeAll(async () => {
  room = await startSync()
})
afterAll(() => room.database.drop())

const listing = okta.listings[0]
if (!listing) throw new Error('Okta lists nobody')

/** Text that somebody might have in a directory, and text that nobody should. */
const poison = fc.oneof(
  { weight: 2, arbitrary: fc.string({ unit: 'binary', maxLength: 30 }) },
  fc.constantFrom(
    ...[
      '',
      ' ',
      '\0',
      'a\0b',
      '\ud800',
      'x\udfff',
      '\uFFFD',
      '\\N',
      '\\.',
      '{"a","b"}',
      'tab\tline\nreturn\r',
    ],
    ...['👩‍👩‍👧‍👦', 'שלום \u202Eעולם', 'é', 'e\u0301', '<!channel>', '=HYPERLINK("x")', '\u2028', 'NULL'],
    'n'.repeat(10_000),
  ),
)
const date = fc.oneof(
  fc.constantFrom('0001-01-01T00:00:00Z', '9999-12-31T23:59:59Z', '+275760-09-13T00:00:00Z', 'never', ''),
  fc.constantFrom(null, undefined, '2024-05-01T00:00:00Z'),
)
/** Few ids, so that many are there twice. */
const id = fc.oneof(
  { weight: 5, arbitrary: fc.integer({ min: 1, max: 40 }).map(n => `u${n}`) },
  { weight: 2, arbitrary: poison },
  fc.constantFrom(7, null, undefined, 'i'.repeat(256)),
)
const item = fc.record({
  id,
  status: fc.oneof({ weight: 8, arbitrary: fc.constant('ACTIVE') }, fc.constantFrom('ASTRAL', null, '\0')),
  created: date,
  lastLogin: date,
  profile: fc.record({ email: poison, login: poison, displayName: poison }),
})

test('whatever a directory lists, every row is a user, a duplicate of one, or named; the run ends at once', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(item, { maxLength: 25 }), { minLength: 1, maxLength: 4 }),
      async raw => {
        // Over the wire and back, as a vendor's page comes: U+0000 and lone surrogates survive as escapes.
        const pages = raw.map(items => readRows(listing, JSON.parse(JSON.stringify(items)), by))
        const problems = pages.flatMap(page => page.problems)
        const people = new Map(
          pages
            .flatMap(page => page.accounts)
            .toReversed()
            .map(account => [account.externalId, account]),
        )
        const items = raw.flat().length
        expect(pages.flatMap(page => page.accounts).length + problems.length).toBe(items)
        const instance = await room.instance()
        room.vendor(async function* () {
          yield* pages
          return { ...whole, complete: problems.length === 0 }
        })
        await room.ask(instance.id, 'scheduled', null)
        await room.runDue()
        const run = await room.latest(instance.id)
        expect(run).toMatchObject({
          attempt: 1,
          state: problems.length === 0 ? 'succeeded' : 'partial',
          added: people.size,
          fault: null,
        })
        expect(await room.users(instance.id)).toHaveLength(people.size)
        const named = await room.rows(
          'select external_id, message from account_problem where run_id = $1 order by position',
          run.id,
        )
        expect(named.map(row => ({ externalId: row.external_id, message: row.message }))).toEqual(problems)
        for (const { externalId, message } of problems) {
          expect(externalId).not.toBe('')
          expect(message).toMatch(/^The (account|field) .+\.$/)
        }
      },
    ),
    { numRuns: 40 },
  )
}, 120_000)

test('names are cut, addresses that are none and dates that mean never are left out, and nobody is lost for it', () => {
  const read = readRows(
    listing,
    [
      {
        id: 'u1',
        status: 'ACTIVE',
        created: '0001-01-01T00:00:00Z',
        lastLogin: '9999-12-31T23:59:59Z',
        profile: { email: 'not an address', displayName: `\0\ud800${'n'.repeat(10_000)}` },
      },
      {
        id: 'u2',
        status: 'ACTIVE',
        profile: { email: 'x\0@acme.example', displayName: '👩‍👩‍👧 שלום \u202Eעולם' },
      },
    ],
    by,
  )
  expect(read.problems).toEqual([])
  expect(read.accounts[0]).toMatchObject({ email: null, createdAt: null, lastActiveAt: null })
  expect(read.accounts[0]?.name).toBe(`${'n'.repeat(299)}…`)
  expect(read.accounts[1]).toMatchObject({ email: 'x@acme.example', name: '👩‍👩‍👧 שלום \u202Eעולם' })
})

test('two ids that differ only in what cannot be stored are one user and one named row, never one user of two', () => {
  const row = (given: string) => ({ id: given, status: 'ACTIVE', profile: { email: 'a@b.example' } })
  const { accounts, problems } = readRows(listing, ['u1', 'u\u00001', 'u1\ud800', 'u1\uFFFD'].map(row), by)
  expect(accounts.map(account => account.externalId)).toEqual(['u1'])
  expect(problems).toEqual(
    Array.from({ length: 3 }, () => ({
      externalId: 'u1',
      message: 'The account has an id with characters that cannot be stored.',
    })),
  )
})

test.each([
  [
    'a vendor’s refusal that names a permission with U+0000 and half a character',
    () =>
      new ProviderError('permission', {
        message: 'The token lacks a\0b.',
        detail: 'GET / 403 \0\ud800',
        missing: ['users\0.read', '\ud83d', 'groups.read'],
      }),
    { code: 'permission:groups.read,users.read', missing: ['users.read', 'groups.read'] },
  ],
  [
    'a vendor’s outage whose words cannot be stored',
    () => new ProviderError('broken', { message: 'x\0'.repeat(2_000), detail: '\0'.repeat(10_000) }),
    { code: 'broken' },
  ],
  [
    'an error of our own that quotes what was sent',
    () => new SyntaxError('Unexpected token \0\ud800 in JSON'),
    { code: 'internal', detail: 'SyntaxError: Unexpected token  in JSON' },
  ],
])('%s fails the run once, and the failure is stored and told', async (_what, thrown, fault) => {
  const instance = await room.instance()
  room.vendor(() => {
    throw thrown()
  })
  await room.ask(instance.id, 'scheduled', null)
  await room.runDue()
  const run = await room.latest(instance.id)
  expect(run).toMatchObject({ state: 'failed', attempt: 1, fault })
  expect(JSON.stringify(run.fault)).not.toMatch(/\\u0000|\\ud8/i)
  expect(await room.told(instance.id)).toHaveLength(1)
  expect((await room.refreshed(instance.id)).lastFaultCode).toBe(fault.code)
})
