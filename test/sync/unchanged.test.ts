// A scheduled run of a small directory that has not changed ends at once: what it writes, and when it must not.
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ProviderError } from '../../src/connectors/errors.ts'
import type { Instance } from '../../src/instances/instance.ts'
import { editInstance } from '../../src/instances/store.ts'
import { until } from '../support/world.ts'
import { gate, halting, type Pages, people, type Sync, startSync, whole } from './synced.ts'

let room: Sync
describe.each([
  { answers: 'read as they are', cuts: false },
  { answers: 'cut into chunks', cuts: true },
])('of answers that are $answers', ({ cuts }) => {
  beforeAll(async () => {
    room = await startSync({ cuts })
  })
  afterAll(() => room.database.drop())

  /** An instance that has synced these people before, by its schedule. */
  async function synced(...pages: ReturnType<typeof people>[]): Promise<Instance> {
    const { id } = await room.instance()
    await room.sync(id, ...pages)
    room.clock.advance(1)
    return room.refreshed(id)
  }

  /** What its next scheduled run becomes; `pages`: what the vendor lists. */
  async function next(id: string, pages?: Pages) {
    await room.ask(id, 'scheduled', null)
    await room.runDue(undefined, 'first', pages)
    room.clock.advance(1)
    return room.latest(id)
  }

  /** Was anything staged or merged? Pages are noted in a sequence of their own. */
  const noting = async (work: () => Promise<unknown>): Promise<number> => {
    await room.rows('create table if not exists noted (n int)')
    await room.rows(`create or replace function note() returns trigger language plpgsql as
    $$ begin insert into noted values (1); return null; end $$`)
    await room.rows(
      'create or replace trigger note after insert on account_page for each row execute function note()',
    )
    await room.rows('truncate noted')
    await work()
    return (await room.rows('select 1 from noted')).length
  }

  test('a directory that says what is known succeeds with everybody unchanged, and stages nothing', async () => {
    const { id, nextSyncAt } = await synced(people(0, 7), people(7, 9))
    let run = await room.latest(id)
    const noted = await noting(async () => {
      run = await next(id)
    })
    expect(noted).toBe(0)
    expect(run).toMatchObject({ state: 'succeeded', added: 0, changed: 0, removed: 0, unchanged: 9 })
    expect(run).toMatchObject({ pages: 2, peopleRead: 9, attempt: 1, leaseOwner: null })
    const after = await room.refreshed(id)
    expect(after.lastSuccessAt?.getTime()).toBe(run.endedAt?.getTime())
    expect(after.nextSyncAt?.getTime()).not.toBe(nextSyncAt?.getTime())
  })

  test.each([
    ['somebody new', [people(0, 10)], { added: 1, unchanged: 9 }],
    ['somebody changed', [people(0, 8), people(8, 9, { name: 'Other' })], { changed: 1, unchanged: 8 }],
    ['somebody gone', [people(0, 8)], { removed: 1, unchanged: 8 }],
    ['one in the place of another', [people(0, 8), people(20, 21)], { added: 1, removed: 1, unchanged: 8 }],
    ['somebody twice', [people(0, 9), people(8, 9)], { unchanged: 9 }],
  ])('%s is staged and merged, with what was read already', async (_what, pages, counts) => {
    const { id } = await synced(people(0, 9))
    room.list(...pages)
    const none = { added: 0, changed: 0, removed: 0 }
    expect(await next(id)).toMatchObject({ state: 'succeeded', ...none, ...counts })
    const listed = pages.flatMap(page => page.accounts.map(account => account.externalId))
    expect(await room.users(id)).toEqual([...new Set(listed)].toSorted())
  })

  test('a list that is not complete is no success, although it names everybody', async () => {
    const { id } = await synced(people(0, 9))
    const run = await next(id, async function* () {
      yield people(0, 9)
      return { ...whole, complete: false }
    })
    expect(run.state).toBe('partial')
  })

  test('a vendor that throws after its first page fails the run, and nobody is lost', async () => {
    const { id } = await synced(people(0, 9))
    const run = await next(id, async function* () {
      yield people(0, 5)
      throw new ProviderError('broken', { message: 'No.', detail: '500' })
    })
    expect(run).toMatchObject({ state: 'failed', fault: { code: 'broken' } })
    expect(await room.users(id)).toHaveLength(9)
  })

  test('an instance that was edited meanwhile is not written over: the run of another generation is cancelled', async () => {
    const instance = await synced(people(0, 10))
    const at = gate()
    await room.ask(instance.id, 'scheduled', null)
    const running = room.runDue(undefined, 'first', halting(at))
    await at.reached
    await room.db.transaction(tx =>
      editInstance(tx, instance, { settings: { domain: 'other' } }, room.clock.now()),
    )
    at.open()
    await running
    expect((await room.latest(instance.id)).state).toBe('cancelled')
    expect((await room.refreshed(instance.id)).lastSuccessAt).toEqual(instance.lastSuccessAt)
  })

  test('while the users of an instance are being removed no run of it succeeds, although nothing has changed', async () => {
    const instance = await synced(people(0, 10))
    const at = gate()
    await room.ask(instance.id, 'scheduled', null)
    const running = room.runDue(undefined, 'first', halting(at))
    await at.reached
    // Asked for between the claim and the look at the instance: its generation is the one that the run knows.
    await room.rows(
      `insert into removal (id, instance_id, kind, state, requested_by, due_at, requested_at)
      values (gen_random_uuid(), $1, 'users', 'requested', 'U1', now(), now())`,
      instance.id,
    )
    at.open()
    await running
    expect((await room.latest(instance.id)).state).toBe('cancelled')
    expect((await room.refreshed(instance.id)).lastSuccessAt).toEqual(instance.lastSuccessAt)
    await room.rows('delete from removal where instance_id = $1', instance.id)
  })

  test('a worker whose claim was taken over writes nothing, although nothing has changed', async () => {
    const { id, lastSuccessAt } = await synced(people(0, 10))
    const at = gate()
    await room.ask(id, 'scheduled', null)
    const running = room.runDue(undefined, 'first', halting(at))
    await at.reached
    await room.rows("update sync_run set fence = fence + 1 where state = 'running'")
    at.open()
    await running
    expect((await room.latest(id)).state).toBe('running')
    expect((await room.refreshed(id)).lastSuccessAt).toEqual(lastSuccessAt)
  })

  test('a vendor that takes longer than the look is gone on with where it is, and asked once', async () => {
    const { id } = await synced(people(0, 10))
    let asked = 0
    const run = await next(id, async function* () {
      asked += 1
      yield people(0, 5)
      // What was read by then is not looked at any longer, but staged.
      await until(
        'the first page is staged',
        async () => (await room.rows('select 1 from account_page')).length > 0,
      )
      yield people(5, 10)
      return whole
    })
    expect(run).toMatchObject({ state: 'succeeded', added: 0, changed: 0, removed: 0, unchanged: 10 })
    expect(asked).toBe(1)
  })

  test('a directory of 500 is known by a look, one of 501 is not, and both are unchanged', async () => {
    for (const [size, staged] of [
      [500, false],
      [501, true],
    ] as const) {
      const { id } = await synced(people(0, size))
      room.list(people(0, size))
      const noted = await noting(async () => {
        expect(await next(id)).toMatchObject({ state: 'succeeded', unchanged: size, added: 0, removed: 0 })
      })
      expect(noted > 0, `${size} people are staged`).toBe(staged)
    }
  })

  /** What becomes of a directory from one run to the next: mostly nothing, or one person's doing. */
  const doing = fc.oneof(
    { weight: 3, arbitrary: fc.constant(null) },
    fc.record({ id: fc.nat(11), to: fc.constantFrom('renamed', 'suspended', 'active', 'out', 'in') }),
  )

  type Doing = typeof doing extends fc.Arbitrary<infer T> ? T : never

  /** Everybody as they are after each of these doings; at first, and in the end, there is somebody. */
  function* directories(doings: readonly Doing[]) {
    const now = new Map(
      Array.from({ length: 9 }, (_, id) => [id, { name: 'Ada', status: 'active' as 'active' | 'suspended' }]),
    )
    yield [...now]
    for (const one of doings) {
      const was = one && now.get(one.id)
      if (one?.to === 'in') now.set(one.id, was ?? { name: 'Ada', status: 'active' })
      else if (one?.to === 'out' && now.size > 1) now.delete(one.id)
      else if (one && was && one.to === 'renamed') now.set(one.id, { ...was, name: `${was.name}+` })
      else if (one && was && (one.to === 'suspended' || one.to === 'active'))
        now.set(one.id, { ...was, status: one.to })
      yield [...now]
    }
  }

  test('whatever becomes of a small directory, its runs end as without a look', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(doing, { minLength: 1, maxLength: 8 }), async doings => {
        const ended = []
        for (const trigger of ['scheduled', 'manual'] as const) {
          const { id } = await room.instance()
          const runs = []
          for (const list of directories(doings)) {
            room.list({ accounts: list.map(([id, facts]) => ({ ...person(id), ...facts })), problems: [] })
            await room.ask(id, trigger, trigger === 'manual' ? 'U1' : null)
            await room.runDue()
            room.clock.advance(1)
            const { state, added, changed, removed, unchanged, held } = await room.latest(id)
            runs.push({ state, added, changed, removed, unchanged, held: held && [held.gone, held.disabled] })
          }
          ended.push({ runs, accounts: await accountsOf(id) })
        }
        expect(ended[0]).toEqual(ended[1])
      }),
      { numRuns: 25 },
    )
  })

  function person(id: number) {
    const [first] = people(id, id + 1).accounts
    if (!first) throw new Error('Nobody was made')
    return first
  }

  /** All that is kept of an instance's people, but whose they are, when they came, and which run decided on them. */
  const accountsOf = (id: string) =>
    room.rows(
      `select to_jsonb(a) - '{instance_id,seq,first_seen_at,gone_run_id,missing_run_id,gone_at,missing_since}'::text[] as kept,
      gone_at is null as reported, missing_run_id is null as settled
      from account a where instance_id = $1 order by external_id`,
      id,
    )

  test('somebody who is listed twice, of many who had all been removed, is one person: the vendor is asked once more', async () => {
    const { id } = await synced(people(0, 600))
    await room.rows('delete from account where instance_id = $1', id)
    room.list(people(0, 600), people(4, 5))
    expect(await next(id)).toMatchObject({ state: 'succeeded', added: 600, removed: 0 })
    expect(await room.users(id)).toHaveLength(600)
  })
})
