// What a rotation of keys promises: everything is sealed by the first key, nothing is overwritten, nothing is lost, twice is once.
import { randomBytes } from 'node:crypto'
import fc from 'fast-check'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { examine } from '../../src/db/doctor.ts'
import { rotateKeys, rotationReport } from '../../src/instances/rotate.ts'
import { createSeal, KeyMissing } from '../../src/instances/seal.ts'
import { createInstance, editInstance, instanceById, replaceSealed } from '../../src/instances/store.ts'
import { newId } from '../../src/lib/ids.ts'
import { type TestDatabase, testDatabase } from '../support/postgres.ts'

let database: TestDatabase
const now = new Date('2026-11-01T10:00:00Z')
beforeAll(async () => {
  database = await testDatabase()
})
beforeEach(() => database.db.sql`truncate instance cascade`)
afterAll(() => database.drop())

const [oldKey, newKey, lostKey] = [randomBytes(32), randomBytes(32), randomBytes(32)]
const [older, both, only] = [createSeal([oldKey]), createSeal([newKey, oldKey]), createSeal([newKey])]
const place = (id: string) => ({ teamId: 'T1', instanceId: id, field: 'credentials' })

async function instances(n: number, seal = older, name = 'one'): Promise<string[]> {
  const ids = Array.from({ length: n }, () => newId())
  for (const [at, id] of ids.entries()) {
    const facts = { id, teamId: 'T1', name: `${name}-${at}`, connector: 'okta', owner: 'U1', createdBy: 'U1' }
    const sealed = seal.seal(`secret of ${id}`, place(id))
    const rest = { tenantKey: null, tenantName: null, settings: {}, sealed }
    await database.db.transaction(tx => createInstance(tx, { ...facts, ...rest }, now))
  }
  return ids
}

const opened = async (id: string, seal = only) => {
  const row = await instanceById(database.db.conn, id)
  return seal.open(row?.sealed ?? '', place(id))
}
const rotate = (seal = both) => rotateKeys(database.db.conn, seal)
const mixed = async () =>
  (await examine(database.url, 'drizzle/doctor.sql')).findings.filter(({ wrong }) =>
    /more than one key/.test(wrong),
  )

test('every secret opens with the new key alone afterwards, and neither version nor generation has moved', async () => {
  const ids = await instances(250)
  await instances(2, only, 'new')
  expect(await mixed()).toHaveLength(1)
  const done = await rotate()
  expect(done).toMatchObject({
    resealed: 250,
    kept: 2,
    unopenedCount: 0,
    left: { [only.keyIds[0] ?? '']: 252 },
  })
  for (const id of ids) expect(await opened(id)).toBe(`secret of ${id}`)
  expect(await database.db.sql`select 1 from instance where version <> 1 or generation <> 1`).toHaveLength(0)
  expect(await mixed()).toEqual([])
  const { ok, text } = rotationReport(both, done)
  expect(ok).toBe(true)
  expect(text).toMatch(/250 instances were sealed anew .* 2 had been already\./)
  expect(text).toContain(`Key ${older.keyIds[0]} seals nothing any more: take it out`)
  expect(text).not.toContain('secret')
})

test('a second rotation does nothing, and two at once do it once', async () => {
  await instances(150)
  const [one, other] = await Promise.all([rotate(), rotate()])
  expect(one.resealed + other.resealed).toBe(150)
  const texts = await database.db.sql`select sealed from instance order by id`
  expect(await rotate()).toMatchObject({ resealed: 0, kept: 150 })
  expect(await database.db.sql`select sealed from instance order by id`).toEqual(texts)
})

test('an edit between the look and the write wins, whichever key it seals with', async () => {
  const [id = ''] = await instances(1)
  const before = await instanceById(database.db.conn, id)
  const edit = (seal: typeof both, version: number) =>
    database.db.transaction(tx =>
      editInstance(tx, { id, version }, { sealed: seal.seal('edited', place(id)) }, now),
    )
  await edit(older, 1)
  const stale = { id, sealed: before?.sealed ?? '' }
  expect(await replaceSealed(database.db.conn, stale, both.seal('stale', place(id)))).toBe(false)
  expect(await opened(id, older)).toBe('edited')
  expect(await rotate()).toMatchObject({ resealed: 1 })
  expect(await opened(id)).toBe('edited')
})

test('under edits by processes of the old and the new list no edit is lost, and nothing is opened by a wrong key', async () => {
  const edits = fc.array(fc.record({ at: fc.nat(4), old: fc.boolean() }), { minLength: 1, maxLength: 12 })
  await fc.assert(
    fc.asyncProperty(edits, async plan => {
      await database.db.sql`truncate instance cascade`
      const ids = await instances(5)
      const last = new Map(ids.map(id => [id, `secret of ${id}`]))
      const editing = (async () => {
        for (const [n, { at, old }] of plan.entries()) {
          const id = ids[at] ?? ''
          const version = (await instanceById(database.db.conn, id))?.version ?? 0
          const sealed = (old ? createSeal([oldKey, newKey]) : both).seal(`edit ${n}`, place(id))
          await database.db.transaction(tx => editInstance(tx, { id, version }, { sealed }, now))
          last.set(id, `edit ${n}`)
        }
      })()
      await Promise.all([rotate(), editing])
      const done = await rotate()
      expect(rotationReport(both, done).ok).toBe(true)
      for (const [id, secret] of last) expect(await opened(id)).toBe(secret)
    }),
    { numRuns: 10 },
  )
})

test('without the key that sealed them instances are named and left as they are, the others are done, and it fails', async () => {
  const [lost = ''] = await instances(1, createSeal([lostKey]), 'lost')
  const [moved = ''] = await instances(1, older, 'moved')
  const [good = ''] = await instances(1, older, 'good')
  const foreign = older.seal('another’s', place(good))
  await database.db.sql`update instance set sealed = ${foreign} where id = ${moved}`
  const before = await database.db
    .sql`select sealed from instance where id in (${lost}, ${moved}) order by id`
  const done = await rotate()
  expect(done).toMatchObject({ resealed: 1, unopenedCount: 2 })
  expect(await opened(good)).toBe(`secret of ${good}`)
  expect(
    await database.db.sql`select sealed from instance where id in (${lost}, ${moved}) order by id`,
  ).toEqual(before)
  expect(() => only.open(String(before[0]?.sealed), place(lost))).toThrow(KeyMissing)
  const { ok, text } = rotationReport(both, done)
  expect(ok).toBe(false)
  expect(text).toMatch(
    new RegExp(`lost-0 \\(${lost}, team T1\\) needs key ${createSeal([lostKey]).keyIds[0]}`),
  )
  expect(text).toMatch(/moved-0 .* was altered: give its credentials anew/)
  expect(text, 'the older key opens one that was altered: it is not free').toMatch(/is needed still/)
})
