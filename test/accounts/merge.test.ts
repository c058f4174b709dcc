// What staging and merging promise: nothing is lost or altered on its way, and only what changed is written.
import { sql } from 'drizzle-orm'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { countDisabled } from '../../src/accounts/held.ts'
import { loadMemory } from '../../src/accounts/memory.ts'
import { type MergeSummary, mergeStaged } from '../../src/accounts/merge.ts'
import { clearStaging, problemsMax, stageProblems } from '../../src/accounts/pages.ts'
import { joinBySize, planMerge } from '../../src/accounts/plan.ts'
import { hashOf } from '../../src/accounts/row.ts'
import { createStager, type StagingFor } from '../../src/accounts/stage.ts'
import type { Account } from '../../src/connectors/account.ts'
import { createInstance } from '../../src/instances/store.ts'
import { newId } from '../../src/lib/ids.ts'
import { type TestDatabase, testDatabase } from '../support/postgres.ts'
import { until } from '../support/world.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await testDatabase()
})
afterAll(() => database.drop())

const early = new Date('2026-11-01T10:00:00Z')
const later = new Date('2026-11-02T10:00:00Z')
const rows = (text: string, ...values: string[]) => database.db.sql.unsafe(text, values)

function someone(externalId: string, facts: Partial<Account> = {}): Account {
  return {
    externalId,
    email: `${externalId}@example.com`,
    name: `Person ${externalId}`,
    status: 'active',
    kind: 'human',
    roles: ['member'],
    admin: false,
    licences: [],
    mfa: null,
    lastActiveAt: early,
    createdAt: null,
    ...facts,
  }
}

async function instanceFor(): Promise<string> {
  const id = newId()
  const fresh = { id, teamId: 'T1', name: id, connector: 'okta', tenantKey: 'acme', tenantName: null }
  await database.db.transaction(tx =>
    createInstance(tx, { ...fresh, settings: {}, sealed: null, owner: 'U1', createdBy: 'U1' }, early),
  )
  return id
}

/** These pages, compared with the people of the instance and staged under this claim. */
async function stage(
  instanceId: string,
  run: StagingFor,
  ...pages: readonly (readonly Account[])[]
): Promise<void> {
  const memory = await loadMemory(database.db.conn, instanceId)
  const stager = createStager(database.db, { ...run, instanceId, generation: 1 }, { pages: 0, memory })
  for (const accounts of pages) await stager.write({ accounts, chunks: [], problems: 0, cursor: null })
  await stager.settle()
}

/** One run: each page staged, then merged at `now`. */
async function sync(
  instanceId: string,
  pages: readonly (readonly Account[])[],
  options: { now?: Date; removals?: 'apply' | 'keep' } = {},
): Promise<MergeSummary> {
  const run = { runId: newId(), fence: 1 }
  await stage(instanceId, run, ...pages)
  const merge = { now: options.now ?? early, removals: options.removals ?? ('apply' as const) }
  return database.db.transaction(tx => mergeStaged(tx, instanceId, run, merge))
}

const stored = (instanceId: string) =>
  rows(
    'select *, xmin, ctid from account where instance_id = $1 order by external_id collate "C"',
    instanceId,
  )

test('added, changed, removed and unchanged are counted as they happened', async () => {
  const id = await instanceFor()
  expect(await sync(id, [[someone('a'), someone('b')], [someone('c')]])).toEqual({
    added: 3,
    changed: 0,
    removed: 0,
    unchanged: 0,
  })
  const second = await sync(id, [[someone('a'), someone('b', { name: 'Renamed' }), someone('d')]])
  expect(second).toEqual({ added: 1, changed: 1, removed: 1, unchanged: 1 })
  expect((await stored(id)).filter(row => row.gone_at === null).map(row => row.external_id)).toEqual([
    'a',
    'b',
    'd',
  ])
})

test.for(['was analyzed before it came', 'was never analyzed'])(
  'what changes in an instance is looked up, and not held against everybody, where the table %s',
  async (table, { onTestFinished }) => {
    const shared = database
    database = await testDatabase()
    const own = database
    onTestFinished(async () => {
      database = shared
      await own.drop()
    })
    const many = Array.from({ length: 2_000 }, (_, n) => someone(`n${n}`))
    if (table === 'was analyzed before it came') {
      await sync(await instanceFor(), [many])
      await rows('analyze account')
    }
    const id = await instanceFor()
    await sync(id, [many])
    const listed = many
      .filter((_, n) => n % 64 !== 7)
      .map((one, n) => (n % 64 === 5 ? { ...one, name: 'Renamed', status: 'suspended' as const } : one))
      .concat(many.slice(0, 30).map(one => someone(`new-${one.externalId}`)))
    const run = { runId: newId(), fence: 1 }
    await stage(id, run, listed)
    const read = await database.db.transaction(async tx => {
      const plan = await planMerge(tx, id, run)
      await joinBySize(tx, { rows: plan.disabled, of: plan.before })
      expect(await countDisabled(tx, id, run, true)).toBe(31)
      const summary = await mergeStaged(tx, id, run, { now: later, removals: 'apply', plan })
      expect(summary).toEqual({ added: 30, changed: 31, removed: 32, unchanged: 1_937 })
      const [{ n } = { n: Number.NaN }] = await tx.execute<{ n: number }>(
        sql`select (seq_tup_read + idx_tup_fetch)::int as n from pg_stat_xact_user_tables where relname = 'account'`,
      )
      return n
    })
    // All are counted once. Each change held against everybody would read 60,000 and more.
    expect(read).toBeLessThan(1.5 * many.length)
  },
)

test('who vanished is marked, although nobody has kept where they are, or they are somewhere else by now', async () => {
  const many = Array.from({ length: 40 }, (_, n) => someone(`n${n}`))
  const moved = sql`update account set name = 'Moved' where external_id = 'n3'`
  for (const meanwhile of ['forgotten', 'moved'] as const) {
    const id = await instanceFor()
    await sync(id, [many])
    const run = { runId: newId(), fence: 1 }
    await stage(
      id,
      run,
      many.filter((_, n) => n % 4 !== 3),
    )
    const summary = await database.db.transaction(async tx => {
      const plan = await planMerge(tx, id, run)
      if (meanwhile === 'moved') await tx.execute(sql`${moved} and instance_id = ${id}`)
      const kept = meanwhile === 'moved' ? plan : { ...plan, vanishedAt: null }
      return mergeStaged(tx, id, run, { now: later, removals: 'apply', plan: kept })
    })
    expect(summary, meanwhile).toEqual({ added: 0, changed: 0, removed: 10, unchanged: 30 })
    const gone = (await stored(id)).filter(row => row.gone_at !== null).map(row => row.external_id)
    expect(gone).toHaveLength(10)
    expect(gone).toContain('n3')
  }
})

test('a dead worker that clears up while its successor adopts leaves the rows of what that one takes', async () => {
  const id = await instanceFor()
  const dead = { runId: newId(), fence: 1 }
  await stage(id, dead, [someone('a'), someone('b')])
  const left = () => rows('select external_id from account_staging where run_id = $1', dead.runId)
  let clearing = Promise.resolve()
  await database.db.transaction(async tx => {
    await tx.execute(sql`update account_page set fence = 2 where run_id = ${dead.runId}`)
    clearing = clearStaging(database.db.conn, dead)
    const waits = `select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`
    await until('it waits', async () => (await rows(waits)).length > 0)
  })
  await clearing
  expect(await left()).toHaveLength(2)
  await clearStaging(database.db.conn, { ...dead, fence: 2 })
  expect(await left()).toEqual([])
})

test('somebody who comes back is the same account, seen first when they were, and counts as added', async () => {
  const id = await instanceFor()
  await sync(id, [[someone('a'), someone('b')]])
  await sync(id, [[someone('a')]], { now: later })
  const back = await sync(id, [[someone('a'), someone('b', { name: 'Back again' })]], { now: later })
  expect(back).toEqual({ added: 1, changed: 0, removed: 0, unchanged: 1 })
  const [, returned] = await stored(id)
  expect(returned).toMatchObject({
    name: 'Back again',
    first_seen_at: '2026-11-01 10:00:00+00',
    gone_at: null,
    gone_run_id: null,
  })
})

const odd = [
  'tab\tnew\nline\rreturn\r\n',
  'back\\slash \\N \\. \\t',
  '"double" \'single\' `tick`',
  'comma, {brace} NULL null',
  'emoji 👩‍💻 and नमस्ते',
  ' spaces around ',
  '\\',
  '',
]

test('no character is lost or altered on its way, in names, addresses, ids, roles and licences', async () => {
  const id = await instanceFor()
  const people = odd.map((text, at) =>
    someone(`${at}-${text}`, { name: text, email: text, roles: [text, 'x'], licences: [...odd] }),
  )
  await sync(id, [people])
  const byId = new Map((await stored(id)).map(row => [row.external_id, row]))
  expect(byId.size).toBe(people.length)
  for (const person of people) {
    const { name, email, roles, licences } = person
    expect(byId.get(person.externalId)).toMatchObject({ name, email, roles, licences })
  }
})

test('what the vendor does not say is stored as unknown', async () => {
  const id = await instanceFor()
  const unknown = { email: null, name: null, admin: null, mfa: null, lastActiveAt: null, createdAt: null }
  await sync(id, [[someone('a', unknown)]])
  expect((await stored(id))[0]).toMatchObject({
    ...{ email: null, name: null, admin: null, mfa: null, last_active_at: null, created_at: null },
  })
})

test('rows of an older claim are neither planned nor merged, and are gone afterwards', async () => {
  const id = await instanceFor()
  const runId = newId()
  await stage(id, { runId, fence: 1 }, [someone('old')])
  await stage(id, { runId, fence: 2 }, [someone('new'), someone('new')])
  const run = { runId, fence: 2 }
  const [plan, summary] = await database.db.transaction(async tx => [
    await planMerge(tx, id, run),
    await mergeStaged(tx, id, run, { now: early, removals: 'apply' }),
  ])
  expect(plan).toMatchObject({ before: 0, staged: 1, vanished: 0 })
  expect(summary.added).toBe(1)
  expect((await stored(id)).map(row => row.external_id)).toEqual(['new'])
  expect(await rows('select 1 from account_staging where run_id = $1', runId)).toHaveLength(0)
})

test('a claim that was lost clears its own rows and never those of the claim after it', async () => {
  const [id, runId] = [await instanceFor(), newId()]
  await stage(id, { runId, fence: 1 }, [someone('old')])
  await stage(id, { runId, fence: 2 }, [someone('new')])
  await clearStaging(database.db.conn, { runId, fence: 1 })
  const left = await rows('select external_id from account_staging where run_id = $1', runId)
  expect(left.map(row => row.external_id)).toEqual(['new'])
  await clearStaging(database.db.conn, { runId, fence: 2 })
  expect(await rows('select 1 from account_staging where run_id = $1', runId)).toHaveLength(0)
})

test('a merge that is rolled back changes nothing and keeps its staging', async () => {
  const id = await instanceFor()
  await sync(id, [[someone('a')]])
  const before = await stored(id)
  const run = { runId: newId(), fence: 1 }
  await stage(id, run, [someone('b')])
  const merge = database.db.transaction(async tx => {
    await mergeStaged(tx, id, run, { now: later, removals: 'apply' })
    throw new Error('the rest of the transaction failed')
  })
  await expect(merge).rejects.toThrow('the rest')
  expect(await stored(id)).toEqual(before)
  expect(await rows('select 1 from account_staging where run_id = $1', run.runId)).toHaveLength(1)
  await clearStaging(database.db.conn, run)
})

test('syncing the same people again writes no row', async () => {
  const id = await instanceFor()
  const people = odd.map((text, at) => someone(String(at), { name: text, roles: [text] }))
  await sync(id, [people])
  const before = await stored(id)
  expect(await sync(id, [people.toReversed()], { now: later })).toMatchObject({
    unchanged: odd.length,
    changed: 0,
  })
  expect(await stored(id)).toEqual(before)
})

test('a person listed twice is kept as the spelling whose hash comes first, whichever of the two was stored', async () => {
  const spellings = [someone('a', { name: 'One' }), someone('a', { name: 'Two' })]
  const [first, second] = spellings.toSorted((a, b) => (hashOf(a) < hashOf(b) ? -1 : 1))
  for (const stored_ of spellings) {
    for (const listed of [spellings, spellings.toReversed()]) {
      const id = await instanceFor()
      await sync(id, [[stored_]])
      const counts = await sync(
        id,
        listed.map(person => [person]),
      )
      const changed = stored_ === second ? 1 : 0
      expect(counts).toEqual({ added: 0, changed, removed: 0, unchanged: 1 - changed })
      expect((await stored(id))[0]).toMatchObject({ name: first?.name })
    }
  }
})

test('whom a person marked gone while a run had seen them is back after it, and counts as added', async () => {
  const id = await instanceFor()
  await sync(id, [[someone('a'), someone('b')]])
  const run = { runId: newId(), fence: 1 }
  await stage(id, run, [someone('a'), someone('b', { name: 'Renamed' }), someone('c')])
  await rows("update account set gone_at = now() where instance_id = $1 and external_id in ('a', 'b')", id)
  const counts = await database.db.transaction(tx =>
    mergeStaged(tx, id, run, { now: later, removals: 'apply' }),
  )
  expect(counts).toEqual({ added: 3, changed: 0, removed: 0, unchanged: 0 })
  expect((await stored(id)).map(row => row.gone_at)).toEqual([null, null, null])
})

test('a moment is stored to the millisecond, whatever its day', async () => {
  const id = await instanceFor()
  const moments = [
    '0001-01-01T00:00:00.001Z',
    '1969-12-31T23:59:59.999Z',
    '2024-02-29T12:34:56.078Z',
    '9999-12-31T23:59:59Z',
  ]
  await sync(id, [moments.map((text, at) => someone(String(at), { lastActiveAt: new Date(text) }))])
  const back = (await stored(id)).map(row => row.last_active_at)
  const asked = await rows(
    `select (array['${moments.join("','")}']::timestamptz[])::text[] as texts, $1 as id`,
    id,
  )
  expect(back).toEqual(asked[0]?.texts)
})

test('one instance’s merge touches no other instance’s people', async () => {
  const [one, other] = [await instanceFor(), await instanceFor()]
  await sync(one, [[someone('a'), someone('b')]])
  await sync(other, [[someone('a')]])
  const before = await stored(other)
  await sync(one, [[someone('c')]], { now: later })
  expect(await stored(other)).toEqual(before)
})

test('at most a thousand unreadable rows of a run are kept for people', async () => {
  const runId = newId()
  const problems = Array.from({ length: 600 }, (_, at) => ({ externalId: null, message: `row ${at}` }))
  await stageProblems(database.db.conn, runId, 0, problems)
  await stageProblems(database.db.conn, runId, 600, problems)
  await stageProblems(database.db.conn, runId, 1_200, problems)
  expect(await rows('select 1 from account_problem where run_id = $1', runId)).toHaveLength(problemsMax)
})

test('any sequence of pages, repeats, failures, holds, removals and returns leaves the people it should', async () => {
  const person = fc.record({
    id: fc.integer({ min: 0, max: 7 }),
    name: fc.constantFrom('x', 'y', '\\N', 'tab\t'),
  })
  const pages = fc.array(fc.array(person, { maxLength: 6 }), { maxLength: 3 })
  const run = fc.record({ pages, ends: fc.constantFrom('merge', 'hold', 'fail', 'rollback') })
  await fc.assert(
    fc.asyncProperty(fc.array(run, { maxLength: 6 }), async runs => {
      const id = await instanceFor()
      const model = new Map<string, string>()
      for (const { pages, ends } of runs) {
        const staged = pages.map(page => page.map(({ id, name }) => someone(String(id), { name })))
        // Whoever is listed twice, on one page or two, counts once: as the spelling whose hash comes first.
        const listed = new Map<string, string>()
        for (const { externalId, name } of staged.flat().toSorted((a, b) => (hashOf(a) < hashOf(b) ? 1 : -1)))
          listed.set(externalId, name ?? '')
        if (ends === 'fail' || ends === 'rollback') {
          const claim = { runId: newId(), fence: 1 }
          await stage(id, claim, ...staged)
          if (ends === 'fail') await clearStaging(database.db.conn, claim)
          else
            await database.db
              .transaction(async tx => {
                await mergeStaged(tx, id, claim, { now: later, removals: 'apply' })
                throw new Error('rolled back')
              })
              .catch(() => {})
          continue
        }
        const counts = await sync(id, staged, { removals: ends === 'hold' ? 'keep' : 'apply' })
        const added = [...listed.keys()].filter(id => !model.has(id)).length
        const changed = [...listed].filter(([id, name]) => model.has(id) && model.get(id) !== name).length
        const removed = ends === 'hold' ? 0 : [...model.keys()].filter(id => !listed.has(id)).length
        if (ends === 'merge') for (const id of [...model.keys()]) if (!listed.has(id)) model.delete(id)
        for (const [id, name] of listed) model.set(id, name)
        expect(counts).toEqual({ added, changed, removed, unchanged: listed.size - added - changed })
      }
      const reported = (await stored(id)).filter(row => row.gone_at === null)
      expect(reported.map(row => [row.external_id, row.name])).toEqual(
        [...model].toSorted(([a], [b]) => (a < b ? -1 : 1)),
      )
    }),
    { numRuns: 60 },
  )
})
