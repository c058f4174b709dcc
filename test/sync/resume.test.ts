// What a stopped run promises: it goes on from its last whole page under a new claim, or begins again, and never merges two halves.
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ProviderError } from '../../src/connectors/errors.ts'
import { editInstance, lockInstance, recordOutcome } from '../../src/instances/store.ts'
import { cancelRequested } from '../../src/sync/store.ts'
import { createSweep } from '../../src/sync/sweep.ts'
import { until } from '../support/world.ts'
import { gate, type Pages, people, type Sync, startSync, type Walk, walking, whole } from './synced.ts'

let room: Sync
beforeAll(async () => {
  room = await startSync({ remembers: true })
})
afterAll(() => room.database.drop())

/** Five pages of ten. */
const pages = Array.from({ length: 5 }, (_, at) => people(at * 10, at * 10 + 10))

/** Where a stream goes on after so many pages. */
const cursorAfter = (pages: number) => ({
  ...{ listing: 0, req: { path: `/users?after=${pages}` }, pages },
  end: whole,
})

/** An instance that has nobody (a first load), or `known` people already (staging). */
async function instanceWith(known: number): Promise<string> {
  const { id } = await room.instance()
  if (known > 0) await room.sync(id, people(0, known, { name: 'Before' }))
  room.clock.advance(1)
  await room.ask(id)
  return id
}

/** Runs until the vendor is asked for page `page`, and is stopped there as a process is. */
async function stoppedBefore(page: number, stop = new AbortController()): Promise<void> {
  const at = gate()
  const walk = walking(pages, number => (number === page ? at.wait() : undefined))
  const running = room.runDue(stop.signal, 'first', walk.pages)
  await at.reached
  stop.abort(new Error('saasm is stopping'))
  at.open()
  await running
}

/** Runs until the vendor is asked for page `page` and `staged` people are staged, and dies; `wake` lets the dead worker go on. */
async function diedBefore(page: number, staged: number): Promise<{ wake(): Promise<void> }> {
  const at = gate()
  const walk = walking(pages, number => (number === page ? at.wait() : undefined))
  const running = room.runDue(undefined, 'dead', walk.pages)
  await at.reached
  await until('staged', async () => (await room.staged()) >= staged)
  await room.die()
  return {
    async wake() {
      at.open()
      await running
    },
  }
}

async function goOn(id: string): Promise<Walk> {
  const walk = walking(pages)
  await room.runDue(undefined, 'second', walk.pages)
  expect(await room.latest(id)).toMatchObject({ state: 'succeeded', fault: null })
  expect(await room.users(id)).toEqual(people(0, 50).accounts.map(({ externalId }) => externalId))
  expect(await room.staged()).toBe(0)
  expect(await room.rows('select 1 from account_page')).toHaveLength(0)
  return walk
}

/** All that is kept of an instance's people, but whose they are and when they came. */
const accountsOf = (id: string) =>
  room.rows(
    "select to_jsonb(a) - 'instance_id' - 'seq' - 'first_seen_at' as kept from account a where instance_id = $1 order by external_id",
    id,
  )

test('who is known and comes again, since a process died in the middle of a long answer, is counted once', async () => {
  const { id } = await room.instance()
  await room.sync(id, people(0, 40))
  await room.sync(id, people(0, 40))
  await room.ask(id)
  const at = gate()
  const longAnswer = (before: () => Promise<unknown> | undefined): Pages =>
    async function* (_signal, from) {
      if (!from) yield { ...people(0, 10), cursor: cursorAfter(1) }
      yield { ...people(10, 20), more: true }
      yield { ...people(20, 30), more: true }
      await before()
      yield { ...people(30, 35), cursor: cursorAfter(2) }
      return whole
    }
  const dead = room.runDue(
    undefined,
    'dead',
    longAnswer(() => at.wait()),
  )
  await at.reached
  await until(
    'a page is written down',
    async () => (await room.rows('select 1 from account_page')).length > 0,
  )
  await room.die()
  await room.runDue(
    undefined,
    'second',
    longAnswer(() => undefined),
  )
  const counts = { added: 0, changed: 0, removed: 5, unchanged: 35 }
  expect(await room.latest(id)).toMatchObject({ state: 'succeeded', ...counts })
  at.open()
  await dead
  expect(await room.latest(id)).toMatchObject({ state: 'succeeded', ...counts })
  expect(await room.users(id)).toHaveLength(35)
})

describe.each([
  { known: 0, what: 'a first load' },
  { known: 30, what: 'a run of known people' },
])('$what', ({ known }) => {
  const counts = { added: 50 - known, changed: known, removed: 0, unchanged: 0 }

  test('that the process stopped goes on after the page it had, and counts everybody once', async () => {
    const id = await instanceWith(known)
    await stoppedBefore(3)
    expect(await room.latest(id)).toMatchObject({ state: 'requested', attempt: 0, peopleRead: 40 })
    expect((await room.users(id)).length, 'nobody new is seen before the end').toBe(known)
    expect((await goOn(id)).begun).toEqual([4])
    expect(await room.latest(id)).toMatchObject({ state: 'succeeded', peopleRead: 50, pages: 5, ...counts })
  })

  test('that is stopped again and again still comes to its end', async () => {
    const id = await instanceWith(known)
    for (let page = 0; page < 4; page += 1) await stoppedBefore(page)
    expect((await goOn(id)).begun).toEqual([4])
    expect(await room.latest(id)).toMatchObject({ state: 'succeeded', ...counts })
  })

  test('that is stopped in the middle of a long answer reads that to its end, and goes on after it', async () => {
    const id = await instanceWith(known)
    const begun: (number | null)[] = []
    const stop = new AbortController()
    /** A page, an answer that comes in three portions, and a page. */
    const longAnswer: Pages = async function* (_signal, from) {
      begun.push(from?.pages ?? null)
      if (!from) {
        yield { ...people(0, 10), cursor: cursorAfter(1) }
        yield { ...people(10, 20), more: true }
        stop.abort(new Error('saasm is stopping'))
        yield { ...people(20, 30), more: true }
        yield { ...people(30, 40), cursor: cursorAfter(2) }
      }
      yield { ...people(40, 50), cursor: cursorAfter(3) }
      return whole
    }
    await room.runDue(stop.signal, 'first', longAnswer)
    expect(await room.latest(id)).toMatchObject({ state: 'requested', pages: 2, peopleRead: 40 })
    await room.runDue(undefined, 'second', longAnswer)
    expect(begun).toEqual([null, 2])
    expect(await room.latest(id)).toMatchObject({ state: 'succeeded', pages: 3, peopleRead: 50, ...counts })
    expect(await room.users(id)).toEqual(people(0, 50).accounts.map(({ externalId }) => externalId))
    expect(await room.staged()).toBe(0)
  })

  test('that a busy vendor puts off goes on when its time has come', async () => {
    const id = await instanceWith(known)
    const until = new Date(room.clock.now().getTime() + 3_600_000)
    const busy = new ProviderError('busy', { message: 'Later.', detail: '429', until })
    const walk = walking(pages, page => (page === 2 ? Promise.reject(busy) : undefined))
    await room.runDue(undefined, 'first', walk.pages)
    expect(await room.latest(id)).toMatchObject({ state: 'requested', dueAt: until })
    room.clock.advance(3_600_001)
    expect((await goOn(id)).begun).toEqual([2])
    expect(await room.latest(id)).toMatchObject({ state: 'succeeded', attempt: 1, ...counts })
  })

  test('begins again when the vendor does not know the place any more', async () => {
    const id = await instanceWith(known)
    await stoppedBefore(2)
    const expired = new ProviderError('unreadable', { message: 'No.', detail: '410' })
    const walk = walking(pages, (_, from) => (from ? Promise.reject(expired) : undefined))
    await room.runDue(undefined, 'second', walk.pages)
    expect(walk.begun).toEqual([3, null])
    expect(await room.latest(id)).toMatchObject({ state: 'succeeded', ...counts })
    expect(await room.staged()).toBe(0)
  })

  test('begins again when its first page is more than six hours old', async () => {
    const id = await instanceWith(known)
    await stoppedBefore(3)
    await room.rows("update account_page set at = at - interval '6 hours' where page = 1")
    expect((await goOn(id)).begun).toEqual([null])
    expect(await room.latest(id)).toMatchObject({ state: 'succeeded', ...counts })
  })

  test('begins again after an edit of the instance: the halves are of two places', async () => {
    const id = await instanceWith(known)
    await stoppedBefore(3)
    const before = await room.refreshed(id)
    await room.db.transaction(async tx => {
      await editInstance(tx, { id, version: before.version }, { settings: { domain: 'other' } }, new Date())
    })
    expect((await goOn(id)).begun).toEqual([null])
  })

  test('begins again when a crash of the database has emptied what is not logged', async () => {
    const id = await instanceWith(known)
    await stoppedBefore(3)
    await room.rows('truncate account_page, account_staging')
    expect((await goOn(id)).begun).toEqual([null])
    expect(await room.latest(id)).toMatchObject({ state: 'succeeded', ...counts })
  })

  test('that has read everything and not merged needs no page again', async () => {
    const id = await instanceWith(known)
    await stoppedBefore(4)
    expect((await goOn(id)).begun).toEqual([5])
    expect(await room.latest(id)).toMatchObject({ state: 'succeeded', ...counts })
  })

  test('that a dead worker holds is finished by another one, and the dead one changes nothing when it wakes', async () => {
    const id = await instanceWith(known)
    const dead = await diedBefore(3, known > 0 ? 20 : 0)
    const walk = await goOn(id)
    // A batch is never more than was read before it: the third page waited for the fourth. A first load's transaction dies.
    expect(walk.begun).toEqual([known > 0 ? 2 : null])
    const ended = await room.latest(id)
    expect(ended).toMatchObject({ state: 'succeeded', fence: 2, ...counts })
    await dead.wake()
    expect(await room.latest(id)).toEqual(ended)
    expect(await room.users(id)).toHaveLength(50)
    expect(await room.staged()).toBe(0)
  })
})

test('a page whose people did not all arrive is read again, and so is what came after it', async () => {
  const id = await instanceWith(30)
  const [stop, at] = [new AbortController(), gate()]
  const walk = walking(pages, page => {
    // What was read is noted as a page when the vendor takes long.
    if (page === 2) return until('staged', async () => (await room.staged()) === 20)
    return page === 4 ? at.wait() : undefined
  })
  const running = room.runDue(stop.signal, 'first', walk.pages)
  await at.reached
  stop.abort(new Error('saasm is stopping'))
  at.open()
  await running
  const [lost] = await room.rows(
    "delete from account_staging where external_id = 'p000025' returning page::int as page",
  )
  expect(lost?.page).toBe(2)
  expect((await goOn(id)).begun).toEqual([2])
})

test('a run that is stopped again and again has all its claims together to read in, and has failed then', async () => {
  const id = await instanceWith(30)
  const limits = { readingMaxMs: 55_000 }
  for (let page = 0; page < 2; page += 1) {
    const [stop, at] = [new AbortController(), gate()]
    const walk = walking(pages, number => (number === page ? at.wait() : undefined))
    const running = room.runDue(stop.signal, 'first', walk.pages, limits)
    await at.reached
    // Half a minute passes, as leases see it.
    await room.rows(
      "update sync_run set lease_until = lease_until - interval '30 seconds' where state = 'running'",
    )
    stop.abort(new Error('saasm is stopping'))
    at.open()
    await running
    expect((await room.latest(id)).state).toBe('requested')
  }
  const endless: Pages = async function* (signal) {
    yield people(0, 5)
    await new Promise((_, no) => signal.addEventListener('abort', () => no(new Error('The socket was cut'))))
    return whole
  }
  await room.runDue(undefined, 'second', endless, limits)
  expect(await room.latest(id)).toMatchObject({
    ...{ state: 'failed', fence: 3 },
    fault: { code: 'broken', message: 'Okta did not list everybody within 1 hour.' },
  })
  expect(await room.users(id)).toHaveLength(30)
  expect(await room.staged()).toBe(0)
})

test('attempts are counted from the last one that got further: five deaths that brought nothing in fail a run, and no death after them does', async () => {
  const fifth = () => room.rows("update sync_run set attempt = 5 where state = 'running'")
  const id = await instanceWith(30)
  const dead = [await diedBefore(1, 10)]
  await fifth()
  dead.push(await diedBefore(2, 20))
  expect(await room.latest(id)).toMatchObject({ state: 'running', fence: 2, attempt: 1 })
  await fifth()
  const at = gate()
  const third = room.runDue(undefined, 'dead', walking(pages, () => at.wait()).pages)
  await at.reached
  expect(await room.latest(id)).toMatchObject({ state: 'running', fence: 3, attempt: 1 })
  await room.die()
  await fifth()
  await room.runDue(undefined, 'last', walking(pages).pages)
  expect(await room.latest(id)).toMatchObject({ state: 'failed', fence: 4, fault: { problem: 'internal' } })
  expect(await room.staged()).toBe(0)
  at.open()
  await third
  for (const { wake } of dead) await wake()
})

test('a dead worker that wakes while its successor reads leaves what that one has adopted', async () => {
  const id = await instanceWith(30)
  const dead = await diedBefore(3, 20)
  const at = gate()
  const walk = walking(pages, page => (page === 4 ? at.wait() : undefined))
  const successor = room.runDue(undefined, 'second', walk.pages)
  await at.reached
  expect(walk.begun).toEqual([2])
  await dead.wake()
  at.open()
  await successor
  expect(await room.users(id)).toHaveLength(50)
  expect(await room.latest(id)).toMatchObject({ state: 'succeeded', fence: 2, added: 20, changed: 30 })
  expect(await room.staged()).toBe(0)
})

test('a stopped run that is cancelled for a newer request leaves nothing in staging', async () => {
  const id = await instanceWith(30)
  const stop = new AbortController()
  const at = gate()
  const walk = walking(pages, number => (number === 2 ? at.wait() : undefined))
  const running = room.runDue(stop.signal, 'first', walk.pages)
  await at.reached
  await room.ask(id, 'reactivated')
  stop.abort(new Error('saasm is stopping'))
  at.open()
  await running
  expect((await room.history(id)).map(run => run.state).toSorted()).toEqual([
    'cancelled',
    'requested',
    'succeeded',
  ])
  expect(await room.staged()).toBe(0)
  expect((await goOn(id)).begun).toEqual([null])
})

test('a waiting run that is cancelled leaves its pages to the sweep, which drops them and nobody else’s', async () => {
  const instances = [await room.instance(), await room.instance()]
  for (const instance of instances) await room.ask(instance.id)
  const [stop, gates] = [new AbortController(), [gate(), gate()]]
  const waiting = [...gates]
  const walk = walking(pages, page => (page === 2 ? waiting.pop()?.wait() : undefined))
  const running = room.runDue(stop.signal, 'first', walk.pages)
  for (const { reached } of gates) await reached
  stop.abort(new Error('saasm is stopping'))
  for (const { open } of gates) open()
  await running
  const [id, other] = instances.map(instance => instance.id)
  if (!id || !other) throw new Error('There are two')
  const [mine, theirs] = [await room.latest(id), await room.latest(other)]
  await cancelRequested(room.db.conn, id, room.clock.now())
  await createSweep(room.work)(new AbortController().signal)
  const left = await room.rows('select distinct run_id from account_page')
  expect(left.map(row => row.run_id)).toEqual([theirs.id])
  expect(mine.id).not.toBe(theirs.id)
  expect((await goOn(other)).begun).toEqual([3])
})

test('somebody listed twice in a first load is one person, and the load goes through staging', async () => {
  const { id } = await room.instance()
  await room.ask(id)
  const walk = walking([people(0, 10), people(5, 15, { name: 'Again' })])
  await room.runDue(undefined, 'first', walk.pages)
  expect(walk.begun).toEqual([null, null])
  expect(await room.latest(id)).toMatchObject({ state: 'succeeded', added: 15, changed: 0, unchanged: 0 })
  expect(await room.users(id)).toHaveLength(15)
})

test('a first load is seen by nobody before it has ended, and keeps no gesture on its instance waiting', async () => {
  const { id } = await room.instance()
  await room.ask(id)
  const at = gate()
  const walk = walking(pages, page => (page === 3 ? at.wait() : undefined))
  const running = room.runDue(undefined, 'first', walk.pages)
  await at.reached
  expect(await room.users(id)).toEqual([])
  await room.db.transaction(async tx => {
    expect(await lockInstance(tx, id)).toMatchObject({ id })
    await recordOutcome(tx, id, { nextSyncAt: null })
  })
  at.open()
  await running
  expect(await room.latest(id)).toMatchObject({ state: 'succeeded', added: 50 })
  expect(await room.users(id)).toHaveLength(50)
})

test('a first load reads its vendor on while the table takes nobody, and everybody is in once it does', async () => {
  const id = await instanceWith(0)
  const at = gate()
  const walk = walking(pages, number => (number === pages.length ? at.wait() : undefined))
  let running: Promise<unknown> | undefined
  await room.database.db.transaction(async tx => {
    await tx.sql`lock table account in share mode`
    running = room.runDue(undefined, 'first', walk.pages)
    await at.reached
  })
  at.open()
  await running
  expect(await room.latest(id)).toMatchObject({ state: 'succeeded', added: 50 })
  expect(walk.begun).toEqual([null])
})

test('a first load that is not over in its window goes on in staging, holds no transaction, and ends with the same accounts', async () => {
  const [slow, quick] = [await room.instance(), await room.instance()]
  await room.ask(slow.id)
  const at = gate()
  const walk = walking(pages, page => (page === 3 ? at.wait() : undefined))
  const running = room.runDue(undefined, 'first', walk.pages, { loadWindowMs: 200 })
  await at.reached
  await until('it is in staging', async () => (await room.staged()) > 0)
  const loading = "select 1 from pg_stat_activity where application_name like 'saasm load %'"
  expect(await room.rows(`${loading} and datname = current_database()`)).toEqual([])
  expect(await room.users(slow.id), 'nobody is seen before the end').toEqual([])
  expect(await room.latest(slow.id)).toMatchObject({ state: 'running' })
  at.open()
  await running
  expect(walk.begun, 'nothing is read twice').toEqual([null])
  const counts = { state: 'succeeded', peopleRead: 50, pages: 5, added: 50, changed: 0, unchanged: 0 }
  expect(await room.latest(slow.id)).toMatchObject(counts)
  expect(await room.staged()).toBe(0)
  expect(await room.sync(quick.id, ...pages)).toMatchObject(counts)
  expect(await accountsOf(slow.id)).toEqual(await accountsOf(quick.id))
  const fewer = { state: 'succeeded', added: 0, changed: 0, removed: 1, unchanged: 49 }
  expect(await room.sync(slow.id, people(0, 49)), 'and nothing untrue is remembered of it').toMatchObject(
    fewer,
  )
})

test('however a run is stopped, killed, put off or refused on its way, the people are those of a run that was not', async () => {
  const stop = fc.record({
    page: fc.integer({ min: 0, max: 5 }),
    how: fc.constantFrom('stop', 'die', 'busy', 'expired'),
  })
  await fc.assert(
    fc.asyncProperty(
      fc.array(stop, { maxLength: 4 }),
      fc.integer({ min: 0, max: 60 }),
      async (stops, known) => {
        const id = await instanceWith(known)
        const dead: { wake(): Promise<void> }[] = []
        for (const { page, how } of stops) {
          if ((await room.latest(id)).state === 'succeeded') break
          const at = gate()
          let met = false
          const stopping = new AbortController()
          const walk = walking(pages, (number, from) => {
            if (how === 'expired' && from && !met) {
              met = true
              return Promise.reject(new ProviderError('settings', { message: 'No.', detail: '404' }))
            }
            if (number < page || met) return undefined
            met = true
            if (how === 'busy') {
              const until = new Date(room.clock.now().getTime() + 1_000)
              return Promise.reject(new ProviderError('busy', { message: 'Later.', detail: '429', until }))
            }
            return at.wait()
          })
          const running = room.runDue(stopping.signal, 'first', walk.pages)
          await Promise.race([at.reached, running])
          if (how === 'die') {
            await room.die()
            dead.push({
              wake: () => {
                at.open()
                return running
              },
            })
            continue
          }
          if (how !== 'expired') stopping.abort(new Error('saasm is stopping'))
          at.open()
          await running
          room.clock.advance(2_000)
        }
        const walk = walking(pages)
        await room.runDue(undefined, 'last', walk.pages)
        for (const { wake } of dead) await wake()
        const run = await room.latest(id)
        const gone = Math.max(0, known - 50)
        const held = gone > 10 || (gone > 0 && gone > known * 0.2)
        expect(run.state).toBe('succeeded')
        expect(held).toBe(false)
        expect(run).toMatchObject({
          ...{ added: Math.max(0, 50 - known), changed: Math.min(50, known), removed: gone, unchanged: 0 },
        })
        expect(await room.users(id)).toEqual(people(0, 50).accounts.map(({ externalId }) => externalId))
        expect(await room.staged()).toBe(0)
      },
    ),
    { numRuns: 40 },
  )
}, 120_000)
