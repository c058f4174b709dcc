// The doctor finds nothing in a sound database, and each planted fault by name, with what helps.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { examine, report } from '../../src/db/doctor.ts'
import { type TestDatabase, testDatabase } from '../support/postgres.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await testDatabase()
})
afterAll(() => database.drop())

const look = () => examine(database.url, 'drizzle/doctor.sql')
const plant = (text: string) => database.db.sql.unsafe(text)
const instance = (name: string, more: string) =>
  plant(`insert into instance (id, team_id, name, connector, status, owner, created_by, created_at, updated_at, ${more.split('|')[0]})
    values (gen_random_uuid(), 'T', '${name}', 'okta', 'live', 'U', 'U', now(), now(), ${more.split('|')[1]}) returning id`)

test('an empty database is sound', async () => {
  const found = await look()
  expect(found.findings).toEqual([])
  expect(found.asked).toBeGreaterThan(10)
  expect(report(found)).toMatch(/^All is well: \d+ questions/)
})

test('each planted fault is found, and said with what to do', async () => {
  const [forgotten] = await instance('forgotten', "last_outcome | 'succeeded'")
  await instance('odd', "inactive_reason | 'user'")
  await plant(`update instance set status = 'deleting' where name = 'odd'`)
  await plant(`insert into sync_run (id, instance_id, trigger, state, due_at, requested_at, lease_until)
    values (gen_random_uuid(), '${forgotten?.id}', 'manual', 'running', now(), now(), now() - interval '1 hour')`)
  await plant(`insert into outbox (id, team_id, instance_id, transition_seq, medium, destination, announcement, state, due_at, created_at, lease_until)
    values (gen_random_uuid(), 'T', '${forgotten?.id}', 1, 'email', 'a@b.c', '{}', 'sending', now(), now(), now() - interval '1 hour')`)
  const [waiting] = await instance('waiting', "last_outcome | 'never'")
  const [run] =
    await plant(`insert into sync_run (id, instance_id, trigger, state, due_at, requested_at, lease_owner)
    values (gen_random_uuid(), '${waiting?.id}', 'manual', 'requested', now() - interval '2 hours', now(), 'w') returning id`)
  await plant(`insert into account_staging (run_id, fence, page, external_id, status, kind, roles, licences, hash)
    values ('${run?.id}', 7, 1, 'p', 'active', 'human', '{}', '{}', 'x')`)
  await plant(`insert into sync_run (id, instance_id, trigger, state, due_at, requested_at, ended_at)
    values (gen_random_uuid(), '${waiting?.id}', 'manual', 'succeeded', now(), now(), now())`)
  await plant(`insert into account_memory (instance_id, version, reported)
    select instance_id, id, 1 from sync_run where instance_id = '${waiting?.id}' and state = 'succeeded'`)
  await plant(`insert into account_chunk values ('${waiting?.id}', 0, '0123456789012345678901[1,2)')`)
  await plant(`insert into removal (id, instance_id, kind, state, requested_by, due_at, requested_at)
    values (gen_random_uuid(), '${waiting?.id}', 'users', 'done', 'U', now(), now())`)
  await plant(`insert into removal (id, instance_id, kind, state, requested_by, due_at, requested_at, attempt)
    values (gen_random_uuid(), '${forgotten?.id}', 'users', 'requested', 'U', now(), now(), 12)`)
  await plant(`insert into outbox (id, team_id, instance_id, transition_seq, medium, destination, announcement, state, due_at, created_at, lease_owner)
    values (gen_random_uuid(), 'T', '${waiting?.id}', 1, 'email', 'a@b.c', '{}', 'sent', now(), now(), null),
      (gen_random_uuid(), 'T', '${waiting?.id}', 2, 'email', 'a@b.c', '{}', 'pending', now() - interval '2 hours', now(), null),
      (gen_random_uuid(), 'T', '${waiting?.id}', 3, 'email', 'a@b.c', '{}', 'parked', now(), now(), 'w')`)
  const said = report(await look())
  for (const wrong of [
    'a run counts as running although its worker is gone',
    'a telling was begun and never settled',
    'an instance is being deleted and no removal works on it',
    'status and reason contradict each other',
    'an announced change has no audit row',
    'a telling counts as sent, and nothing says when',
    'a telling is done with, and somebody still holds it',
    'a telling waits long past its time',
    'a run waits long past its time',
    'a run or a removal is done with, and somebody still holds it',
    'a removal ended and was not told',
    'a removal of users has been begun ten times in a row and more',
    'staging holds rows of a claim that never was',
    'people are remembered as they were listed who are not reported',
  ])
    expect(said).toContain(wrong)
  expect(said).toMatch(/Do: start a process with SAASM_ROLES=work/)
})
