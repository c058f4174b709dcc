// What askers are promised: whoever asks for a sync hears its end directly, once, also where it was there already.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ProviderError } from '../../src/connectors/errors.ts'
import { editInstance, lockInstance, moveInstance } from '../../src/instances/store.ts'
import { cancelWaiting } from '../../src/sync/askers.ts'
import { requestRemoval, requestRun } from '../../src/sync/request.ts'
import { giveBack } from '../../src/sync/stop.ts'
import { until } from '../support/world.ts'
import { gate, halting, listing, type Pages, people, type Sync, startSync, whole } from './synced.ts'

let room: Sync
beforeAll(async () => {
  room = await startSync()
})
afterAll(() => room.database.drop())

/** Who was told the end of a sync of this instance, and how it ended, in order of names. */
const ends = async (id: string) =>
  (
    await room.rows(
      `select destination, announcement from outbox
       where announcement->>'kind' = 'run-ended' and announcement->>'instanceId' = $1 order by 1, created_at`,
      id,
    )
  ).map(
    ({ destination, announcement }) =>
      `${destination} ${announcement.stopped ? 'stopped' : announcement.failure ? 'failed' : 'done'}`,
  )

/** What they were told comes next. */
const nexts = async (id: string) =>
  (
    await room.rows(
      `select announcement->>'next' as next from outbox
       where announcement->>'kind' = 'run-ended' and announcement->>'instanceId' = $1 order by destination, created_at`,
      id,
    )
  ).map(row => String(row.next))

/** So many wait for a lock. */
const blocked = (many = 1) =>
  until(`${many} to wait`, async () => {
    const waiting =
      "select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
    return (await room.rows(waiting)).length >= many
  })

const asking = (instanceId: string, trigger: 'manual' | 'edited', by: string) => ({
  ...{ instanceId, trigger, by, now: room.clock.now() },
})

/** A sync that was asked for, stopped at the gate in its middle; `end` lets it go on to its end. */
async function underWay(
  id: string,
  trigger: 'initial' | 'scheduled' | 'manual',
  by: string | null,
  vendor: (stop: ReturnType<typeof gate>) => Pages = stop => halting(stop),
) {
  const stop = gate()
  room.vendor(vendor(stop))
  await room.ask(id, trigger, by)
  const running = room.runDue()
  await stop.reached
  return {
    goOn: () => stop.open(),
    async end() {
      stop.open()
      await running
    },
  }
}

/** Lists three people, waits at the gate, and is busy then for a minute. */
const busyAfter = (stop: ReturnType<typeof gate>): Pages =>
  async function* () {
    yield people(0, 3)
    await stop.wait()
    const until = new Date(room.clock.now().getTime() + 60_000)
    throw new ProviderError('busy', { message: 'Okta is busy.', detail: 'GET /users: 429', until })
  }

/** Two minutes later, until so many ends are told: a line where nothing was due is looked at again after seconds only. */
async function later(id: string, many: number) {
  room.list(people(0, 5))
  room.clock.advance(120_000)
  await until(`${many} ends`, async () => {
    await room.runDue()
    return (await ends(id)).length >= many
  })
}

async function inactivate(id: string, by: string) {
  await room.db.transaction(async tx => {
    await lockInstance(tx, id)
    const now = room.clock.now()
    const moved = await moveInstance(tx, id, 'inactive', {
      now,
      inactivation: { reason: 'user', detail: null, by },
    })
    if (!moved) throw new Error('It was Live')
    await cancelWaiting(tx, { now, ring: () => {} }, moved, 'It is Inactive.')
  })
}

/** An instance that has synced well once, whose ends are counted from here. */
async function synced(count = 5) {
  const { id } = await room.instance()
  await room.ask(id, 'initial', null)
  room.list(people(0, count))
  await room.runDue()
  return id
}

test('each of several who ask for a sync that waits hears its end, once', async () => {
  const id = await synced()
  expect(await room.ask(id, 'manual', 'UANN')).toMatchObject({ created: true, hears: true })
  expect(await room.ask(id, 'edited', 'UBEN')).toMatchObject({ created: false, hears: true })
  expect(await room.ask(id, 'manual', 'UCLEO')).toMatchObject({ created: false, hears: true })
  expect(await room.ask(id, 'manual', 'UBEN')).toMatchObject({ created: false, hears: true })
  expect(await room.ask(id, 'manual', 'UANN')).toMatchObject({ created: false, hears: true })
  await room.runDue()
  expect(await ends(id)).toEqual(['UANN done', 'UBEN done', 'UCLEO done'])
  expect(await room.history(id)).toHaveLength(2)
})

test('who presses Sync now while a sync runs hears its end, whoever had asked for it', async () => {
  const id = await synced()
  const underway = await underWay(id, 'manual', 'UANN')
  expect(await room.ask(id, 'manual', 'UBEN')).toMatchObject({ created: false, hears: true })
  await underway.end()
  expect(await ends(id)).toEqual(['UANN done', 'UBEN done'])
})

test('and where only the schedule had, also of a sync that finds nothing new', async () => {
  const id = await synced()
  const underway = await underWay(id, 'scheduled', null, stop => halting(stop, people(0, 3), people(3, 5)))
  expect(await room.ask(id, 'manual', 'UBEN')).toMatchObject({ created: false, hears: true })
  await underway.end()
  expect(await ends(id)).toEqual(['UBEN done'])
  expect(await room.latest(id)).toMatchObject({ state: 'succeeded', unchanged: 5, requestedBy: null })
})

test('a sync of the schedule’s that waits is theirs who presses Sync now', async () => {
  const id = await synced()
  await room.ask(id, 'scheduled', null)
  await room.ask(id, 'manual', 'UBEN')
  expect(await room.latest(id)).toMatchObject({ trigger: 'manual', requestedBy: 'UBEN', urgent: true })
  await room.runDue()
  expect(await ends(id)).toEqual(['UBEN done'])
})

test('who connected an instance and presses Sync now in its initial sync hears the end directly, too', async () => {
  const { id } = await room.instance()
  const underway = await underWay(id, 'initial', 'UANN')
  expect(await room.ask(id, 'manual', 'UANN')).toMatchObject({ created: false, hears: true })
  await underway.end()
  expect(await ends(id)).toEqual(['UANN done'])
  expect(await room.told(id)).toEqual(['initial-succeeded'])
})

test('twenty more hear an end; the next one is promised nothing and told nothing', async () => {
  const id = await synced()
  await room.ask(id, 'manual', 'UANN')
  const others = Array.from({ length: 21 }, (_, at) => `U${String(at).padStart(2, '0')}`)
  for (const by of others.slice(0, 20)) expect((await room.ask(id, 'manual', by)).hears, by).toBe(true)
  expect(await room.ask(id, 'manual', others[20])).toMatchObject({ created: false, hears: false })
  expect((await room.ask(id, 'manual', others[3])).hears, 'one of them once more').toBe(true)
  await room.runDue()
  expect(await ends(id)).toEqual([...others.slice(0, 20).map(by => `${by} done`), 'UANN done'])
})

test('while a sync is being ended, Sync now does not wait for that: it asks for one of its own', async () => {
  const id = await synced()
  const underway = await underWay(id, 'manual', 'UANN')
  // As a merge of a million does, which may take seconds.
  await room.db.sql.begin(async sql => {
    await sql`select 1 from sync_run where instance_id = ${id} and state = 'running' for no key update`
    expect(await room.ask(id, 'manual', 'UBEN')).toMatchObject({ created: true, hears: true })
  })
  await underway.end()
  await room.runDue()
  expect(await ends(id)).toEqual(['UANN done', 'UBEN done'])
  expect(await room.history(id)).toHaveLength(3)
})

test('who waits for a sync hears that the instance was set Inactive before it began, also who did that', async () => {
  const id = await synced()
  await room.ask(id, 'manual', 'UANN')
  await room.ask(id, 'manual', 'UBEN')
  await inactivate(id, 'UBEN')
  await room.runDue()
  expect(await ends(id)).toEqual(['UANN stopped', 'UBEN stopped'])
})

test('and so of one whose users are deleted, and of one that is taken up after the instance was set Inactive', async () => {
  const deleted = await synced()
  await room.ask(deleted, 'manual', 'UANN')
  await room.db.transaction(tx =>
    requestRemoval(tx, { instanceId: deleted, kind: 'users', by: 'UBEN', now: room.clock.now() }, () => {}),
  )
  await room.removeDue()
  expect(await ends(deleted)).toEqual(['UANN stopped'])
  const inactive = await synced()
  await room.ask(inactive, 'manual', 'UANN')
  await room.db.transaction(async tx => {
    await lockInstance(tx, inactive)
    const inactivation = { reason: 'user' as const, detail: null, by: 'UBEN' }
    await moveInstance(tx, inactive, 'inactive', { now: room.clock.now(), inactivation })
  })
  await room.runDue()
  expect(await ends(inactive)).toEqual(['UANN stopped'])
})

test('several at once ask for one that waits: all are promised the end and hear it, and none is refused', async () => {
  for (let round = 0; round < 5; round += 1) {
    const id = await synced()
    if (round % 2 === 0) await room.ask(id, 'scheduled', null)
    else await room.ask(id, 'manual', 'U9')
    const who = Array.from({ length: 6 }, (_, at) => `U${at}`)
    const asked = await Promise.all(who.map((by, at) => room.ask(id, at === 3 ? 'edited' : 'manual', by)))
    expect(asked.map(one => `${one.created} ${one.hears}`)).toEqual(who.map(() => 'false true'))
    await room.runDue()
    expect(await ends(id)).toEqual([...who, ...(round % 2 === 0 ? [] : ['U9'])].map(by => `${by} done`))
    expect(await room.history(id)).toHaveLength(2)
  }
})

test('and of one that runs: they start no second one', async () => {
  for (let round = 0; round < 5; round += 1) {
    const id = await synced()
    const stop = gate()
    room.vendor(halting(stop))
    await room.ask(id, 'manual', 'UANN')
    const running = room.runDue()
    await stop.reached
    const asked = await Promise.all(['UBEN', 'UCLEO', 'UDAN'].map(by => room.ask(id, 'manual', by)))
    expect(asked.filter(one => one.created)).toEqual([])
    stop.open()
    await running
    expect(await ends(id)).toEqual(['UANN done', 'UBEN done', 'UCLEO done', 'UDAN done'])
  }
})

test('whoever asks while an edit is being saved, or a claim made, hears the end of that run', async () => {
  const edited = await synced()
  await room.ask(edited, 'manual', 'UANN')
  let pressed: ReturnType<typeof room.ask> | undefined
  await room.db.transaction(async tx => {
    await requestRun(tx, asking(edited, 'edited', 'UEDI'), () => {})
    pressed = room.ask(edited, 'manual', 'UBEN')
    await blocked()
  })
  expect(await pressed).toMatchObject({ created: false, hears: true })
  await room.runDue()
  expect(await ends(edited)).toEqual(['UANN done', 'UBEN done', 'UEDI done'])
  const claimed = await synced()
  const { run } = await room.ask(claimed, 'manual', 'UANN')
  await room.db.sql.begin(async sql => {
    // As a claim does: the line, then the run.
    await sql`select 1 from sync_host where host = ${run.host} for update`
    await sql`
      update sync_run set state = 'running', fence = 1, started_at = now(), lease_until = now() + interval '1 minute', lease_owner = 'another'
      where id = ${run.id}`
    pressed = room.ask(claimed, 'manual', 'UBEN')
    await blocked()
  })
  expect(await pressed).toMatchObject({ created: false, hears: true })
  expect((await room.latest(claimed)).alsoAsked).toEqual(['UBEN'])
})

test('who presses Sync now after an edit, while the sync before it still runs, hears the end of the one that counts', async () => {
  const id = await synced()
  const underway = await underWay(id, 'scheduled', null)
  await room.db.transaction(async tx => {
    const before = await lockInstance(tx, id)
    const { version } = before ?? { version: 0 }
    await editInstance(tx, { id, version }, { settings: { other: 'x' } }, room.clock.now())
    await requestRun(tx, asking(id, 'edited', 'UEDI'), () => {})
  })
  expect(await room.ask(id, 'manual', 'UBEN')).toMatchObject({ created: false, hears: true })
  await underway.end()
  await room.runDue()
  expect(await ends(id)).toEqual(['UBEN done', 'UEDI done'])
})

test('a worker that takes a run over, and one that goes on after a stop, tell each asker once', async () => {
  const { id } = await room.instance()
  const [first, second] = [gate(), gate()]
  await room.ask(id, 'initial', 'UANN')
  const died = room.runDue(undefined, 'first', halting(first))
  await first.reached
  await room.ask(id, 'manual', 'UBEN')
  await room.die()
  const stopping = new AbortController()
  const stopped = room.runDue(stopping.signal, 'second', async function* (signal) {
    yield people(0, 3)
    void second.wait()
    await new Promise((_, stop) => signal.addEventListener('abort', () => stop(signal.reason)))
    return whole
  })
  await second.reached
  await room.ask(id, 'manual', 'UCLEO')
  stopping.abort(new Error('The process stops'))
  await stopped
  expect(await ends(id)).toEqual([])
  first.open()
  await died
  await room.runDue(undefined, 'third', listing(people(0, 10)))
  expect(await ends(id)).toEqual(['UBEN done', 'UCLEO done'])
})

test('one that a busy vendor puts off after its instance was set Inactive says so at once, and not that nothing was read', async () => {
  const id = await synced()
  const underway = await underWay(id, 'manual', 'UANN', busyAfter)
  await inactivate(id, 'UDAN')
  await underway.end()
  expect(await nexts(id)).toEqual(['The instance is not Live any more, so it brought nothing in.'])
})

test('one that is put off while an edit is being saved gives way to the edit’s, and its asker waits for that one', async () => {
  const id = await synced()
  const underway = await underWay(id, 'manual', 'UANN', busyAfter)
  await room.db.transaction(async tx => {
    await lockInstance(tx, id)
    await requestRun(tx, asking(id, 'edited', 'UEDI'), () => {})
    underway.goOn()
    await blocked()
  })
  await underway.end()
  await later(id, 2)
  expect(await ends(id)).toEqual(['UANN done', 'UEDI done'])
})

test('a give-back that meets the edit’s request in the same moment gives way to it', async () => {
  const id = await synced()
  const underway = await underWay(id, 'manual', 'UANN')
  const run = await room.latest(id)
  let waits: Promise<boolean> | undefined
  await room.db.transaction(async tx => {
    await lockInstance(tx, id)
    await requestRun(tx, asking(id, 'edited', 'UEDI'), () => {})
    waits = giveBack(room.work, run, { dueAt: room.clock.now() })
    await blocked()
  })
  expect(await waits).toBe(false)
  await underway.end()
  expect(await ends(id)).toEqual(['UANN done', 'UEDI done'])
})

test('and gives way to none that is gone by then', async () => {
  const id = await synced()
  const stop = gate()
  room.vendor(busyAfter(stop))
  await room.ask(id, 'manual', 'UANN')
  const { db } = room
  let before = async () => {}
  // Between its look for a newer one and its own end.
  const late: typeof db.transaction = async (work, options) => {
    await before()
    return db.transaction(work, options)
  }
  const running = room.runDue(undefined, 'first', undefined, { db: { ...db, transaction: late } })
  await stop.reached
  await room.ask(id, 'edited', 'UEDI')
  before = async () => {
    before = async () => {}
    await inactivate(id, 'UDAN')
  }
  stop.open()
  await running
  expect(await nexts(id)).toEqual([
    'The instance is not Live any more, so it brought nothing in.',
    'It is Inactive.',
  ])
})

test('who waits for a sync that a busy vendor has put off hears the end of the newer one that takes its place', async () => {
  const id = await synced()
  const underway = await underWay(id, 'manual', 'UANN', busyAfter)
  await room.ask(id, 'manual', 'UBEN')
  await until('a message that shows how far it is', async () => {
    room.clock.advance(1_000)
    const found = await room.rows(
      'select 1 from sync_run where instance_id = $1 and progress_id is not null',
      id,
    )
    return found.length > 0
  })
  expect(await room.ask(id, 'edited', 'UCLEO')).toMatchObject({ created: true })
  await underway.end()
  expect(await ends(id), 'the message that showed how far it was').toEqual(['UANN stopped'])
  await later(id, 4)
  expect(await ends(id)).toEqual(['UANN stopped', 'UANN done', 'UBEN done', 'UCLEO done'])
})
