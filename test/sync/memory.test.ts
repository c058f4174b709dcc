// What is remembered of a directory: who is known again is not asked about, and nothing that a run ends as depends on it.
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { forgetAccounts } from '../../src/accounts/forget.ts'
import { releaseMissing } from '../../src/accounts/held.ts'
import { keepLesson, type Lesson, writtenOf } from '../../src/accounts/lesson.ts'
import { loadMemory } from '../../src/accounts/memory.ts'
import { hashOf } from '../../src/accounts/row.ts'
import type { Account } from '../../src/connectors/account.ts'
import type { Page } from '../../src/connectors/engine.ts'
import { newId } from '../../src/lib/ids.ts'
import { requestRemoval } from '../../src/sync/request.ts'
import { until } from '../support/world.ts'
import { gate, halting, people, type Sync, startSync } from './synced.ts'

let room: Sync

describe.each([
  { known: 'by what is read of them', cuts: false },
  { known: 'by the vendor’s bytes', cuts: true },
])('known again $known', ({ cuts }) => {
  beforeAll(async () => {
    room = await startSync({ remembers: true, cuts })
  })
  afterAll(() => room.database.drop())

  const chunksOf = (id: string) => room.rows('select * from account_chunk where instance_id = $1', id)
  const lose = async (id: string) => {
    await room.rows('delete from account_memory where instance_id = $1', id)
    await room.rows('delete from account_chunk where instance_id = $1', id)
  }
  /** A change that no code of ours makes: only who asks about this person sees it. */
  const spoil = (id: string, person: string) =>
    room.rows("update account set hash = 'another' where instance_id = $1 and external_id = $2", id, person)

  /** A run that has ended behind this one, and left no memory. */
  const mergedElsewhere = (runId: string) =>
    room.rows(
      `insert into sync_run select (jsonb_populate_record(r, jsonb_build_object('id', gen_random_uuid(),
      'ended_at', r.ended_at + interval '1 second'))).* from sync_run r where id = $1`,
      runId,
    )

  test('who is known again is not asked about, be they loaded, compared, or changed the run before', async () => {
    const { id } = await room.instance()
    await room.sync(id, people(0, 300))
    await spoil(id, 'p000007')
    expect(await room.sync(id, people(0, 300)), 'loaded').toMatchObject({ unchanged: 300, changed: 0 })
    await lose(id)
    expect(await room.sync(id, people(0, 300)), 'lost').toMatchObject({ unchanged: 299, changed: 1 })
    await spoil(id, 'p000007')
    expect(await room.sync(id, people(0, 300)), 'changed').toMatchObject({ unchanged: 300, changed: 0 })
    await lose(id)
    await room.sync(id, people(0, 300))
    await room.sync(id, people(0, 300))
    await spoil(id, 'p000007')
    expect(await room.sync(id, people(0, 300)), 'compared').toMatchObject({ unchanged: 300, changed: 0 })
  })

  test('a vendor whose bytes differ each time is not asked about again, and is known by them once they no longer do', async () => {
    const { id } = await room.instance()
    const everybody = people(0, 2_000)
    const [first, late] = ['p000003', 'p001900']
    await room.sync(id, everybody)
    for (const spelling of ['a', 'b', 'c']) {
      room.bytes.spelling = spelling
      await room.sync(id, everybody)
    }
    await spoil(id, late)
    room.bytes.spelling = 'd'
    expect(await room.sync(id, everybody), 'known by what was read').toMatchObject({ unchanged: 2_000 })
    expect(room.bytes.known).toBe(0)
    // They no longer differ: the beginning says so, and by the next run all are known by them.
    await room.sync(id, everybody)
    await room.sync(id, everybody)
    await spoil(id, first)
    expect(await room.sync(id, everybody), 'known by the bytes').toMatchObject({ unchanged: 2_000 })
    expect(room.bytes.known).toBe(cuts ? 2_000 : 0)
  })

  test('who was as known in an answer that was not taken, and another in the one that was, is stored as they are listed next', async () => {
    const { id } = await room.instance()
    const renamed = [people(0, 150), people(150, 151, { name: 'Renamed' }), people(151, 300)]
    await room.sync(id, people(0, 300))
    room.bytes.discarded = people(0, 300).accounts
    expect(await room.sync(id, ...renamed)).toMatchObject({ changed: 1, unchanged: 299 })
    room.bytes.discarded = []
    expect(await room.sync(id, people(0, 300))).toMatchObject({ changed: 1, unchanged: 299 })
  })

  test('where nobody is left nobody is known again', async () => {
    const { id } = await room.instance()
    await room.sync(id, people(0, 40))
    await room.rows('delete from account where instance_id = $1', id)
    expect(await room.sync(id, people(0, 40))).toMatchObject({ state: 'succeeded', added: 40 })
    expect(await room.users(id)).toHaveLength(40)
  })

  test('of a directory with one change only the people next to it are asked about', async () => {
    const { id } = await room.instance()
    await room.sync(id, people(0, 300))
    const [near, far] = ['p000151', 'p000010']
    for (const person of [near, far]) await spoil(id, person)
    const listed = [people(0, 150), people(150, 151, { name: 'Renamed' }), people(151, 300)]
    const run = await room.sync(id, ...listed)
    expect(run).toMatchObject({ added: 0, removed: 0 })
    const [still] = await room.rows(
      "select count(*)::int n from account where instance_id = $1 and hash = 'another'",
      id,
    )
    expect(still?.n, 'who is far from it is not').toBeGreaterThanOrEqual(1)
    expect(run.changed).toBe(1 + 2 - still?.n)
  })

  test('a directory of a thousand people is remembered, and of a smaller one nothing is written', async () => {
    const plain = await startSync()
    const [small, large] = [await plain.instance(), await plain.instance()]
    await plain.sync(small.id, people(0, 999))
    await plain.sync(large.id, people(0, 1_000))
    expect(await plain.rows('select distinct instance_id::text as id from account_chunk')).toEqual([
      { id: large.id },
    ])
    await plain.database.drop()
  })

  test('a person forgotten while a run reads, which had known them again, is back with the next one', async () => {
    const { id } = await room.instance()
    await room.sync(id, people(0, 40))
    const at = gate()
    room.vendor(halting(at, people(0, 20), people(20, 40)))
    await room.ask(id)
    const running = room.runDue()
    await at.reached
    await until('noted', async () => (await room.rows('select 1 from account_page')).length > 0)
    await room.db.transaction(tx => forgetAccounts(tx, 'p3@example.com'))
    expect(await chunksOf(id), 'of whoever is forgotten nothing is remembered').toEqual([])
    at.open()
    await running
    expect(await room.users(id)).toHaveLength(39)
    expect(await room.sync(id, people(0, 40))).toMatchObject({ state: 'succeeded', added: 1, unchanged: 39 })
    expect(await room.users(id)).toHaveLength(40)
  })

  test('of users who are deleted nothing is remembered', async () => {
    const { id } = await room.instance()
    await room.sync(id, people(0, 40))
    expect(await chunksOf(id)).not.toEqual([])
    const asked = { instanceId: id, kind: 'users' as const, by: 'U1', now: room.clock.now() }
    await room.db.transaction(tx => requestRemoval(tx, asked, () => {}))
    await room.removeDue()
    expect(await chunksOf(id)).toEqual([])
  })

  test('a person forgotten between two runs is back with the second', async () => {
    const { id } = await room.instance()
    await room.sync(id, people(0, 40))
    await room.db.transaction(tx => forgetAccounts(tx, 'p3@example.com'))
    expect(await room.sync(id, people(0, 40))).toMatchObject({ added: 1, unchanged: 39 })
  })

  test('who was let go as disabled while a run found them active is active after the run behind it', async () => {
    const { id } = await room.instance()
    const off = people(0, 30, { status: 'suspended' })
    await room.sync(id, people(0, 40))
    const held = await room.sync(id, off, people(30, 40))
    expect(held.state).toBe('held')
    const at = gate()
    room.vendor(halting(at, people(0, 30), people(30, 40)))
    await room.ask(id)
    const running = room.runDue()
    await at.reached
    await until('noted', async () => (await room.rows('select 1 from account_page')).length > 0)
    const release = { markedBy: held.id, runId: held.id, now: room.clock.now() }
    expect(await room.db.transaction(tx => releaseMissing(tx, id, release))).toEqual({
      removed: 0,
      disabled: 30,
    })
    at.open()
    await running
    await room.sync(id, people(0, 40))
    const active = await room.rows("select 1 from account where instance_id = $1 and status = 'active'", id)
    expect(active).toHaveLength(40)
  })

  test('a merge by a version of saasm that remembers nothing makes void what is remembered', async () => {
    const { id } = await room.instance()
    const { id: runId } = await room.sync(id, people(0, 40))
    await spoil(id, 'p000007')
    await mergedElsewhere(runId)
    room.clock.advance(5_000)
    expect(await room.sync(id, people(0, 40))).toMatchObject({ changed: 1, unchanged: 39 })
    await spoil(id, 'p000007')
    room.clock.advance(5_000)
    expect(await room.sync(id, people(0, 40)), 'and what that one has left is used').toMatchObject({
      changed: 0,
    })
  })

  test('who was added by a version of saasm that remembers nothing, and has left since, is missed', async () => {
    const { id } = await room.instance()
    const { id: runId } = await room.sync(id, people(0, 40))
    await room.rows(
      `insert into account (instance_id, external_id, status, kind, roles, licences, hash, first_seen_at)
      values ($1, 'p000099', 'active', 'human', '{}', '{}', 'x', now())`,
      id,
    )
    await mergedElsewhere(runId)
    room.clock.advance(5_000)
    expect(await room.sync(id, people(0, 40))).toMatchObject({ removed: 1, unchanged: 40 })
  })

  test('who was marked gone by a version of saasm that remembers nothing is back with the next run that lists them', async () => {
    const { id } = await room.instance()
    await room.sync(id, people(0, 40))
    room.clock.advance(60_000)
    await room.rows(
      "update account set gone_at = $2 where instance_id = $1 and external_id = 'p000007'",
      id,
      room.clock.now().toISOString(),
    )
    room.clock.advance(60_000)
    expect(await room.sync(id, people(0, 40))).toMatchObject({ added: 1, removed: 0, unchanged: 39 })
    expect(await room.users(id)).toHaveLength(40)
  })

  test('more chunks than are remembered are dropped, and what is kept stays within its bound', async () => {
    const { id } = await room.instance()
    await room.sync(id, people(0, 3))
    const many = Array.from({ length: 140_000 }, (_, n) => `${String(n).padStart(22, '0')}[${n},${n + 1})`)
    const [by, more] = [newId(), newId()]
    const keep = async (lesson: Lesson, run: string) => {
      const written = await writtenOf(lesson, 'all')
      await room.db.transaction(tx => keepLesson(tx, id, lesson, { by: run, reported: 3, written }))
    }
    const { from } = (await loadMemory(room.db.conn, id, 0)).lesson(3)
    const fresh = { from, dropped: 'all' as const, kept: [], worn: [], changed: [], part: 0, parts: 512 }
    await keep({ ...fresh, learned: many }, by)
    expect(await chunksOf(id)).toHaveLength(512)
    await keep({ ...fresh, from: by, dropped: [3, 4], learned: many, part: 512, parts: 2 }, more)
    expect(await chunksOf(id)).toHaveLength(512)
  })

  test('who is known again and listed once more in another way is stored as if both were compared', async () => {
    const { id } = await room.instance()
    await room.sync(id, people(0, 40))
    const twice = Array.from({ length: 8 }, (_, n) => people(n, n + 1, { name: 'Another' }).accounts).flat()
    const wanted = twice.map(other => {
      const [own] = people(Number(other.externalId.slice(1)), Number(other.externalId.slice(1)) + 1).accounts
      return own && hashOf(own) < hashOf(other) ? own.name : other.name
    })
    expect(new Set(wanted).size, 'both ways win').toBeGreaterThan(1)
    await room.sync(id, people(0, 40), { accounts: twice, problems: [] })
    const stored = await room.rows(
      'select name from account where instance_id = $1 order by external_id limit 8',
      id,
    )
    expect(stored.map(row => row.name)).toEqual(wanted)
  })

  interface Person {
    externalId: string
    facts: Partial<Account>
  }

  const edit = fc.oneof(
    fc.record({ do: fc.constant('rename' as const), at: fc.nat(79), name: fc.constantFrom('A', 'B') }),
    fc.record({ do: fc.constant('suspend' as const), at: fc.nat(79) }),
    fc.record({ do: fc.constant('remove' as const), at: fc.nat(79) }),
    fc.record({ do: fc.constant('add' as const), at: fc.nat(79), id: fc.nat(119) }),
    fc.record({ do: fc.constant('swap' as const), at: fc.nat(79) }),
    fc.record({ do: fc.constant('twice' as const), at: fc.nat(79), name: fc.constantFrom('A', 'B') }),
    fc.record({ do: fc.constant('once' as const) }),
  )
  const round = fc.record({
    edits: fc.array(edit, { maxLength: 6 }),
    complete: fc.boolean(),
    release: fc.boolean(),
    /** So many listings ago. */
    back: fc.option(fc.integer({ min: 1, max: 3 })),
  })

  function after(
    listed: readonly Person[],
    edits: readonly (typeof edit extends fc.Arbitrary<infer E> ? E : never)[],
  ) {
    let now = [...listed]
    for (const step of edits) {
      const at = 'at' in step ? step.at % Math.max(1, now.length) : 0
      const one = now[at]
      if (step.do === 'add') {
        const externalId = `p${String(step.id).padStart(6, '0')}`
        if (!now.some(person => person.externalId === externalId))
          now.splice(at, 0, { externalId, facts: {} })
      } else if (step.do === 'once') {
        now = now.filter((person, place) => now.findIndex(p => p.externalId === person.externalId) === place)
      } else if (!one) continue
      else if (step.do === 'rename') now[at] = { ...one, facts: { ...one.facts, name: step.name } }
      else if (step.do === 'suspend') now[at] = { ...one, facts: { ...one.facts, status: 'suspended' } }
      else if (step.do === 'remove') now.splice(at, 1)
      else if (step.do === 'swap') now.splice(at, 2, ...now.slice(at, at + 2).toReversed())
      else if (step.do === 'twice') now.push({ ...one, facts: { ...one.facts, name: step.name } })
    }
    return now
  }

  const pageOf = (listed: readonly Person[]): Page => ({
    accounts: listed.flatMap(({ externalId, facts }) => people(0, 1, { externalId, ...facts }).accounts),
    problems: [],
  })

  test('a run ends as one that remembers nothing does, whatever happens to a directory', async () => {
    const start = Array.from({ length: 80 }, (_, n) => ({
      externalId: `p${String(n).padStart(6, '0')}`,
      facts: {},
    }))
    await fc.assert(
      fc.asyncProperty(fc.array(round, { minLength: 1, maxLength: 6 }), async rounds => {
        const [knows, forgets] = [await room.instance(), await room.instance()]
        await room.rows('update instance set removal_people_max = 2, removal_percent_max = 3')
        const ends = async (id: string, listed: readonly Person[], complete: boolean) => {
          room.vendor(async function* () {
            yield pageOf(listed.slice(0, 35))
            yield pageOf(listed.slice(35))
            return { warnings: [], complete }
          })
          await room.ask(id)
          await room.runDue()
          const { state, added, changed, removed, unchanged } = await room.latest(id)
          return {
            ...{ state, added, changed, removed, unchanged },
            accounts: await room.rows(
              `select external_id, name, status, hash, gone_at is null as reported, missing_run_id is null as settled, held_status
            from account where instance_id = $1 order by external_id`,
              id,
            ),
          }
        }
        const listings: (readonly Person[])[] = [start]
        const first = { edits: [], complete: true, release: false, back: null }
        for (const { edits, complete, release, back } of [first, ...rounds]) {
          room.clock.advance(60_000)
          const listed = after(listings.at(-(back ?? 1)) ?? start, edits)
          listings.push(listed)
          await lose(forgets.id)
          const wanted = await ends(forgets.id, listed, complete)
          expect(await ends(knows.id, listed, complete)).toEqual(wanted)
          if (!release) continue
          for (const { id } of [knows, forgets]) {
            const run = await room.latest(id)
            const { markedBy } = run.held ?? { markedBy: run.id }
            const now = room.clock.now()
            await room.db.transaction(tx => releaseMissing(tx, id, { markedBy, runId: run.id, now }))
          }
        }
      }),
      { numRuns: Number(process.env.SAASM_TEST_RUNS ?? 40) },
    )
  }, 120_000)
})
