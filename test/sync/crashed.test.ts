// When Postgres itself goes away in a run: an emptied staging removes nobody, a lost connection is nobody's failure, leftovers go.
import type { SQL } from 'drizzle-orm'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Conn } from '../../src/db/db.ts'
import { createSweep } from '../../src/sync/sweep.ts'
import { until } from '../support/world.ts'
import { gate, type Pages, people, type Sync, startSync, whole } from './synced.ts'

const isLook = (query: SQL) =>
  query.queryChunks.some(chunk => String((chunk as { value?: unknown }).value).includes('min(ready_at)'))

let room: Sync
beforeAll(async () => {
  room = await startSync()
})
afterAll(() => room.database.drop())

test('a staging that a crash of Postgres emptied is read anew, and nobody whose page was in it is taken for gone', async () => {
  const { id } = await room.instance()
  await room.sync(id, people(0, 5), people(5, 100))
  let times = 0
  room.vendor(async function* () {
    times += 1
    yield people(0, 5)
    if (times === 1) {
      await until('a page is noted', async () => (await room.rows('select 1 from account_page')).length === 1)
      // What recovery does with unlogged tables.
      await room.rows('truncate account_staging, account_page')
    }
    yield people(5, 100)
    return whole
  })
  await room.ask(id)
  await room.runDue()
  expect(times).toBe(2)
  expect(await room.users(id)).toHaveLength(100)
  expect(await room.latest(id)).toMatchObject({ state: 'succeeded', removed: 0, unchanged: 100, attempt: 2 })
})

test('a connection that Postgres ends in a run makes the run begin anew, and nobody is told of a failure', async () => {
  const { id } = await room.instance()
  let times = 0
  room.vendor(async function* () {
    times += 1
    yield people(0, 5)
    if (times === 1) throw Object.assign(new Error('write CONNECTION_CLOSED'), { code: 'CONNECTION_CLOSED' })
    return whole
  })
  await room.ask(id)
  await room.runDue()
  expect(await room.latest(id)).toMatchObject({ state: 'succeeded', added: 5, attempt: 2 })
  expect(await room.told(id)).toEqual(['initial-succeeded'])
})

test('a run that comes back while the process looks when the next one is due is gone on with at once', async () => {
  const { id } = await room.instance()
  const { db } = room.database
  const looked = gate()
  // The answer of the first look is from before the run came back.
  let looks = 0
  const execute = async (query: SQL) => {
    const answer = await db.conn.execute(query)
    if (!isLook(query) || ++looks > 1) return answer
    const back = until('the run is back', async () => (await room.latest(id)).state === 'requested')
    looked.open()
    await back
    return answer
  }
  const conn: Conn = Object.assign(Object.create(db.conn), { execute })
  const vendor: Pages = async function* () {
    yield people(0, 5)
    if (looks <= 1) {
      await looked.wait()
      throw Object.assign(new Error('write CONNECTION_CLOSED'), { code: 'CONNECTION_CLOSED' })
    }
    return whole
  }
  await room.ask(id)
  await room.runDue(undefined, 'first', vendor, { db: { ...db, pages: db.pages, conn } })
  expect(await room.latest(id)).toMatchObject({ state: 'succeeded', added: 5, attempt: 2 })
})

test('what a run has left in staging after its end goes with the next sweep, and what an open run has stays', async () => {
  const [ended, open] = [await room.instance(), await room.instance()]
  const { id: endedRun } = await room.sync(ended.id, people(0, 3))
  const asked = await room.ask(open.id)
  for (const run of [endedRun, asked.run.id])
    await room.rows(
      `insert into account_staging (run_id, fence, page, external_id, status, kind, roles, licences, hash)
        select $1::uuid, 0, 1, n::text, 'active', 'human', '{}', '{}', 'x' from generate_series(1, 5) n`,
      run,
    )
  await createSweep(room.work)(new AbortController().signal)
  expect(await room.rows('select distinct run_id from account_staging')).toEqual([{ run_id: asked.run.id }])
})
