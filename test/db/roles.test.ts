// What the roles of docs/database-roles.sql may: the app adds to the audit and cannot take back, makes nothing, and the doctor reads.
import { readFileSync } from 'node:fs'
import postgres from 'postgres'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { examine } from '../../src/db/doctor.ts'
import { migrate } from '../../src/db/migrate.ts'
import { openStore } from '../../src/jobs/backend.ts'
import { silentLog } from '../../src/lib/log.ts'
import { type RestrictedDatabase, restrictedDatabase } from '../support/postgres.ts'

let database: RestrictedDatabase
const open: postgres.Sql[] = []
let [app, doctor]: postgres.Sql[] = []
const as = (url: string) => {
  const sql = postgres(url, { max: 1, onnotice: () => {} })
  open.push(sql)
  return sql
}

beforeAll(async () => {
  database = await restrictedDatabase()
  await migrate(database.ownerUrl, 'drizzle/migrations')
  app = as(database.appUrl)
  doctor = as(database.doctorUrl)
})
beforeEach(async () => {
  await database.db.sql`delete from audit`
  await append(app, 100)
  await append(app, 40)
  await append(app, 20)
})
afterAll(async () => {
  await Promise.all(open.map(sql => sql.end()))
  await database.drop()
})

const append = (sql: postgres.Sql | undefined, daysAgo: number) =>
  sql?.unsafe(
    "insert into audit (at, team_id, actor, source, action) values (now() - make_interval(days => $1), 'T1', 'U1', 'modal', 'x')",
    [daysAgo],
  )
const count = async () => Number((await database.db.sql`select count(*) n from audit`)[0]?.n)
/** Postgres's code of the refusal; 42501: the role may not. */
const refusal = async (sql: postgres.Sql | undefined, text: string) =>
  sql?.unsafe(text).then(
    () => 'allowed',
    (error: { code?: string }) => error.code,
  )

describe('the app', () => {
  test.each([
    "update audit set actor = 'nobody'",
    'delete from audit',
    'truncate audit',
    'alter table audit disable trigger all',
    'drop table audit',
    'create table mine (id int)',
    'alter table instance add column mine int',
    'create index mine on instance (name)',
    "create function mine() returns int language sql as 'select 1'",
    'create or replace function public.purge_audit(older_than interval, at_most integer) returns integer language sql as $$select 1$$',
    'create schema mine',
    'create temporary table mine (id int)',
    "insert into drizzle.__drizzle_migrations (hash, created_at) values ('x', 9999999999999)",
  ])('may not: %s', async text => {
    expect(await refusal(app, text)).toBe('42501')
    expect(await count()).toBe(3)
  })

  test('migrates when there is nothing to do, and says so when the schema is another’s to make', async () => {
    await expect(migrate(database.appUrl, 'drizzle/migrations')).resolves.toBeUndefined()
    await expect(openStore({ kind: 'postgres', url: database.appUrl }, silentLog)).rejects.toThrow(
      /start once with DATABASE_MIGRATION_URL/,
    )
  })
})

describe('the doctor', () => {
  test('reads everything that it asks', async () => {
    expect((await examine(database.doctorUrl, 'drizzle/doctor.sql')).findings).toEqual([])
  })

  test.each(['delete from audit', "update instance set name = 'x'", "select purge_audit('90 days', 10)"])(
    'may not: %s',
    async text => {
      expect(await refusal(doctor, text)).toBe('42501')
      expect(await count()).toBe(3)
    },
  )
})

describe('the audit’s purge', () => {
  test('takes the oldest that are older than asked, so many at most, with the app’s role', async () => {
    await append(app, 200)
    expect((await app?.unsafe("select purge_audit('30 days', 2) n"))?.[0]?.n).toBe(1 + 1)
    expect((await app?.unsafe("select purge_audit('30 days', 2) n"))?.[0]?.n).toBe(1)
    expect((await app?.unsafe("select purge_audit('30 days', 2) n"))?.[0]?.n).toBe(0)
    expect(await count()).toBe(1)
  })

  test.each([
    ["'29 days'", '10'],
    ["'0'", '10'],
    ["'-1 year'", '10'],
    ["'29 days 23:59:59'", '10'],
    ['null', '10'],
    ["'infinity'", '10'],
    ["'90 days'", '0'],
    ["'90 days'", 'null'],
    ["'90 days'", '100001'],
  ])('refuses an age of %s and %s at most', async (age, most) => {
    const code = await refusal(app, `select purge_audit(${age}::interval, ${most})`)
    if (age === "'infinity'") expect(code, 'older than for ever: nothing').toBe('allowed')
    else expect(code).toBe('22023')
    expect(await count()).toBe(3)
  })

  test('is not led astray by a table of the same name in another schema', async () => {
    expect(await refusal(app, "set search_path = pg_temp, public; select purge_audit('30 days', 10)")).toBe(
      'allowed',
    )
    expect(await count()).toBe(1)
  })
})

test('a database that one role made so far is handed over as it is', async () => {
  const used = await restrictedDatabase()
  await migrate(used.url, 'drizzle/migrations')
  const again = readFileSync('docs/database-roles.sql', 'utf8')
  const name = new URL(used.url).pathname.slice(1)
  await used.db.sql.unsafe(again.replaceAll(/saasm_(owner|app|doctor)/g, `${name}_$1`))
  const sql = as(used.appUrl)
  await append(sql, 100)
  expect(await refusal(sql, 'delete from audit')).toBe('42501')
  expect((await sql.unsafe("select purge_audit('30 days', 10) n"))[0]?.n).toBe(1)
  expect(await refusal(as(used.ownerUrl), 'alter table instance add column more int')).toBe('allowed')
  await Promise.all(open.splice(2).map(one => one.end()))
  await used.drop()
})
