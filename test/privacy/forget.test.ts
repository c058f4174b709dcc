// Forgetting a person: nothing in the database names them any more, nobody else is touched, and what is left is said.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { appendAudit } from '../../src/audit/store.ts'
import { newId } from '../../src/lib/ids.ts'
import { forgetPerson, said } from '../../src/privacy/forget.ts'
import { withoutTraces } from '../../src/privacy/person.ts'
import { type TestDatabase, testDatabase } from '../support/postgres.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await testDatabase()
  await fill()
})
afterAll(() => database.drop())

const address = 'Eve.Example+x@acme.example'
const name = 'Eve "E" Example'
const rows = (text: string, ...values: (string | number)[]) => database.db.sql.unsafe(text, values)
const [okta, zendesk, run] = [newId(), newId(), newId()]

/** Every cell of every table, as text. */
async function everything(): Promise<string> {
  const tables = await rows(
    "select table_name from information_schema.tables where table_schema = 'public' and table_type = 'BASE TABLE'",
  )
  expect(tables.length).toBeGreaterThan(8)
  const texts = await Promise.all(
    tables.map(({ table_name }) => rows(`select to_jsonb(t)::text as row from "${table_name}" t order by 1`)),
  )
  return texts.flatMap((found, at) => found.map(({ row }) => `${tables[at]?.table_name}: ${row}`)).join('\n')
}

async function fill(): Promise<void> {
  for (const [id, called, connector] of [
    [okta, 'okta-prod', 'okta'],
    [zendesk, 'helpdesk', 'scim'],
  ] as const)
    await rows(
      `insert into instance (id, team_id, name, connector, status, owner, created_by, created_at, updated_at, last_outcome, next_sync_at)
       values ($1, 'T1', $2, $3, 'live', 'U1', 'U1', now(), now(), 'succeeded', now() + interval '1 hour')`,
      ...[id, called, connector],
    )
  const account = `insert into account (instance_id, external_id, email, name, status, kind, roles, licences, hash, first_seen_at)
    values ($1, $2, $3, $4, 'active', 'human', '{}', '{}', '', now())`
  await rows(account, okta, '00uEVE', address.toUpperCase(), name)
  await rows(account, zendesk, address, '', 'Eve')
  await rows(account, okta, '00uADA', 'ada@acme.example', 'Ada Admin')
  await rows(
    `insert into sync_run (id, instance_id, trigger, state, due_at, requested_at, ended_at, warnings, fault)
     values ($1, $2, 'manual', 'failed', now(), now(), now(), $3::jsonb, '{"message": "x"}')`,
    ...[run, okta, JSON.stringify([`${address} could not be read`])],
  )
  await rows(
    `insert into account_problem values ($1, 0, '00uEVE', 'The field “status” cannot be read.'), ($1, 1, '00uADA', 'No.')`,
    run,
  )
  await rows(
    `insert into recipient (id, team_id, email, added_by, added_at) values (gen_random_uuid(), 'T1', $1, 'U1', now()), (gen_random_uuid(), 'T1', 'ada@acme.example', 'U1', now())`,
    address,
  )
  await rows(
    `insert into recipient_draft values (gen_random_uuid(), 'T1', 'U1', $1::jsonb, '[]', now())`,
    JSON.stringify([address]),
  )
  const outbox = `insert into outbox (id, team_id, instance_id, transition_seq, medium, destination, announcement, rendered, state, due_at, created_at)
    values (gen_random_uuid(), 'T1', $1, $2, $3, $4, $5::jsonb, $6::jsonb, 'sent', now(), now())`
  const held = { kind: 'held', held: { names: [name, 'Ada Admin'] } }
  const body = { subject: 'Held', text: `Missing: ${name}, Ada Admin` }
  await rows(outbox, okta, 1, 'email', address.toLowerCase(), JSON.stringify(held), JSON.stringify(body))
  await rows(outbox, okta, 1, 'email', 'ada@acme.example', JSON.stringify(held), JSON.stringify(body))
  await rows(outbox, okta, 1, 'slack', 'C1', JSON.stringify(held), 'null')
  await database.db.transaction(tx =>
    appendAudit(tx, {
      ...{ teamId: 'T1', actor: 'U1', source: 'modal', action: 'recipients.updated' },
      ...{
        before: { recipients: ['ada@acme.example'] },
        after: { recipients: ['ada@acme.example', address] },
      },
      instance: { id: okta, name: 'okta-prod' },
    }),
  )
}

test('after it no cell of any table holds their address, their name or their vendor id, and nobody else is touched', async () => {
  const before = await everything()
  expect(before.toLowerCase()).toContain(address.toLowerCase())
  const found = await forgetPerson(database.db, ` ${address} `)
  const after = await everything()
  for (const trace of [address, 'Eve', '00uEVE'])
    expect(after.toLowerCase()).not.toContain(trace.toLowerCase())
  expect(after).toContain('(forgotten)')
  expect(await rows("select 1 from account where external_id = '00uADA'")).toHaveLength(1)
  expect(await rows('select email from recipient')).toEqual([{ email: 'ada@acme.example' }])
  expect(
    await rows("select announcement->'held'->'names' as names from outbox where medium = 'slack'"),
  ).toEqual([{ names: ['(forgotten)', 'Ada Admin'] }])
  expect(
    await rows("select after->'recipients' as r from audit where action = 'recipients.updated'"),
  ).toEqual([{ r: ['ada@acme.example', '(forgotten)'] }])
  const text = said(found)
  for (const place of [
    'account',
    'account_problem',
    'recipient',
    'recipient_draft',
    'outbox',
    'audit',
    'sync_run',
  ])
    expect(text, place).toMatch(new RegExp(`^ {2}\\d+ in ${place}: `, 'm'))
  expect(text).toContain('okta-prod brings them back at its next sync')
  expect(text).toMatch(/Not reached from here: .*Slack.*backups/)
})

test('it is written down without the address, and a second time finds nothing', async () => {
  const entries = await rows("select actor, source, after from audit where action = 'person.forgotten'")
  expect(entries).toHaveLength(1)
  expect(entries[0]).toMatchObject({ actor: 'saasm', source: 'operator' })
  const again = await forgetPerson(database.db, address)
  expect(again).toEqual({ taken: [], left: [] })
  expect(said(again)).toContain('saasm knows nothing of this address.')
})

test('an address that a connection signs in with stays, and is said', async () => {
  await rows(`update instance set settings = '{"user": "robot@acme.example"}' where id = $1`, zendesk)
  expect((await forgetPerson(database.db, 'robot@acme.example')).left).toEqual([
    'helpdesk signs in to its application with this address: change it in Edit Instance.',
  ])
})

test('what holds no trace is the same object, and a name is taken out only where a list holds exactly it', () => {
  const traces = { email: 'a.b@c.d', names: ['live'] }
  const kept = { status: 'live', deep: [{ names: ['alive'] }], n: 1 }
  expect(withoutTraces(kept, traces)).toBe(kept)
  expect(withoutTraces({ a: ['live'], b: 'to A.B@c.d, aXb@c.d' }, traces)).toEqual({
    a: ['(forgotten)'],
    b: 'to (forgotten), aXb@c.d',
  })
})

test('a longer address that holds theirs is somebody else’s, and stays', () => {
  const traces = { email: 'ann@acme.com', names: [] }
  const others = [
    'joann@acme.com',
    'jo.ann@acme.com',
    'x+ann@acme.com',
    'ann@acme.com.au',
    'ann@acme.community',
  ]
  expect(withoutTraces(others, traces)).toBe(others)
  for (const told of [
    'Ann@acme.com.',
    '<mailto:ann@acme.com>',
    '“ann@acme.com”, you',
    '?by=ann@acme.com&x',
    '- ann@acme.com',
  ])
    expect(withoutTraces(told, traces)).toBe(told.replace(/ann@acme\.com/i, '(forgotten)'))
})
