// Retention: what is old enough goes, and what somebody may still need stays, however old it is.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { examine, report } from '../../src/db/doctor.ts'
import { movableClock } from '../../src/lib/clock.ts'
import { newId } from '../../src/lib/ids.ts'
import { silentLog } from '../../src/lib/log.ts'
import { createRetention } from '../../src/privacy/retention.ts'
import { type TestDatabase, testDatabase } from '../support/postgres.ts'

let database: TestDatabase
const instance = newId()
beforeAll(async () => {
  database = await testDatabase()
  await rows(
    `insert into instance (id, team_id, name, connector, status, owner, created_by, created_at, updated_at, last_outcome, next_sync_at)
     values ($1, 'T1', 'okta-prod', 'okta', 'live', 'U1', 'U1', now(), now(), 'succeeded', now() + interval '1 hour')`,
    instance,
  )
})
afterAll(() => database.drop())

const rows = (text: string, ...values: string[]) => database.db.sql.unsafe(text, values)
const run = (id: string, daysAgo: number, state = 'succeeded') =>
  rows(
    `insert into sync_run (id, instance_id, trigger, state, due_at, requested_at, ended_at, added)
     values ($1, $2, 'manual', '${state}', now(), now() - interval '${daysAgo} days', now() - interval '${daysAgo} days', 0)`,
    ...[id, instance],
  )
const clock = movableClock()
const retain = (historyDays = 100, auditDays = 200) =>
  createRetention(
    { db: database.db, clock, log: silentLog },
    { historyDays, auditDays },
  )(new AbortController().signal)

test('runs older than the history go with their unread rows; the newest, and one that still asks, stay', async () => {
  const [old, asking, young] = [newId(), newId(), newId()]
  await run(old, 150)
  await run(asking, 140, 'held')
  await run(young, 99)
  await rows(
    `insert into account (instance_id, external_id, status, kind, roles, licences, hash, first_seen_at, missing_run_id)
     values ($1, 'a', 'active', 'human', '{}', '{}', '', now(), $2)`,
    ...[instance, asking],
  )
  await rows("insert into account_problem values ($1, 0, 'x', 'No.'), ($2, 0, 'y', 'No.')", old, young)
  await retain()
  expect((await rows('select id from sync_run order by requested_at')).map(row => row.id)).toEqual([
    asking,
    young,
  ])
  expect((await rows('select run_id from account_problem')).map(row => row.run_id)).toEqual([young])
  await rows('update account set missing_run_id = null')
  await retain(7, 30)
  expect(
    (await rows('select id from sync_run')).map(row => row.id),
    'the newest stays',
  ).toEqual([young])
})

test('tellings and bodies go when they are old enough; an open incident keeps its message, and what is not sent stays', async () => {
  const [open, closed] = [newId(), newId()]
  await rows(
    `insert into incident values ($1, $3, now() - interval '150 days', null, 'x'), ($2, $3, now() - interval '190 days', now() - interval '150 days', 'x')`,
    ...[open, closed, instance],
  )
  const tell = (seq: number, daysAgo: number, more: { incident?: string; state?: string } = {}) =>
    rows(
      `insert into outbox (id, team_id, instance_id, transition_seq, medium, destination, announcement, rendered, state, due_at, created_at, sent_at, incident_id)
       values (gen_random_uuid(), 'T1', $1, ${seq}, 'slack', 'C1', '{}', '{"text": "x"}', '${more.state ?? 'sent'}', now(),
         now() - interval '${daysAgo} days', now() - interval '${daysAgo} days', ${more.incident ? `'${more.incident}'` : 'null'})`,
      instance,
    )
  await tell(1, 150)
  await tell(2, 150, { incident: open })
  await tell(3, 150, { incident: closed })
  await tell(4, 99, { state: 'parked' })
  await tell(7, 150, { state: 'parked' })
  await tell(5, 8)
  await tell(6, 6)
  for (let change = 1; change <= 7; change += 1)
    await rows(
      "insert into audit (team_id, actor, source, action, instance_id) values ('T1', 'saasm', 'run', 'x', $1)",
      instance,
    )
  await retain()
  expect(
    await rows('select transition_seq as seq, rendered is not null as body from outbox order by 1'),
  ).toEqual([
    { seq: 2, body: false },
    { seq: 4, body: false },
    { seq: 5, body: false },
    { seq: 6, body: true },
  ])
  expect((await rows('select id from incident')).map(row => row.id)).toEqual([open])
  const found = await examine(database.url, 'drizzle/doctor.sql')
  expect(found.findings, report(found)).toEqual([])
})

test('audit rows go after their own time, never before 30 days, whoever asks', async () => {
  await rows('delete from audit')
  for (const daysAgo of [201, 199, 29])
    await rows(
      `insert into audit (at, team_id, actor, source, action) values (now() - interval '${daysAgo} days', 'T1', 'saasm', 'run', '${daysAgo}')`,
    )
  const left = async () => (await rows('select action from audit order by at')).map(row => row.action)
  await retain()
  expect(await left()).toEqual(['199', '29'])
  await expect(rows("select purge_audit(interval '1 second', 100)")).rejects.toThrow(/at least 30 days/)
  await retain(7, 30)
  expect(await left()).toEqual(['29'])
})
