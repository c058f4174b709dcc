// What a person has decided about a held removal: kept users stay until somebody says otherwise, and a decision that comes too late does nothing.
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { House } from '../../src/chat/gesture.ts'
import { heldRemovalsGesture } from '../../src/chat/held-removals.ts'
import { ProviderError } from '../../src/connectors/errors.ts'
import { regenerateInstance } from '../../src/instances/store.ts'
import { silentLog } from '../../src/lib/log.ts'
import type { ActionTurn } from '../../src/slack/turn.ts'
import { purgeHistory } from '../../src/sync/history.ts'
import { requestRemoval } from '../../src/sync/request.ts'
import { gate, halting, type Pages, people, type Sync, startSync } from './synced.ts'

let room: Sync
beforeAll(async () => {
  room = await startSync()
})
afterAll(() => room.database.drop())

/** Press a card's button as an admin would, past the guard; returns the answer. */
async function press(actionId: 'held-allow' | 'held-keep' | 'held-release', runId: string): Promise<string> {
  room.clock.advance(1_000)
  const { db, clock } = room
  const house: Partial<House> = { db, clock, log: silentLog, ring: () => {}, channel: 'C0SYNC' }
  const said: string[] = []
  const turn: Partial<ActionTurn> = {
    who: { teamId: 'T1', userId: 'U0ADA' } as ActionTurn['who'],
    value: runId,
    reply: async message => void said.push(String(message.text)),
  }
  await heldRemovalsGesture.actions?.[actionId]?.run(turn as ActionTurn, house as House, undefined, undefined)
  return said.join('\n')
}

async function deleteAll(id: string) {
  await room.db.transaction(async tx => {
    const now = room.clock.now()
    await regenerateInstance(tx, id, now)
    await requestRemoval(tx, { instanceId: id, kind: 'users', by: 'U1', now }, () => {})
  })
  await room.removeDue()
}

/** A sync a second later. */
function sync(id: string, ...pages: Parameters<Sync['sync']>[1][]) {
  room.clock.advance(1_000)
  return room.sync(id, ...pages)
}

async function runOf(id: string, pages: Pages) {
  room.clock.advance(1_000)
  room.vendor(pages)
  await room.ask(id)
  await room.runDue()
  return room.latest(id)
}

/** A list that is not complete. */
const partly = (...pages: Parameters<Sync['sync']>[1][]): Pages =>
  async function* () {
    yield* pages
    return { complete: false, warnings: ['Not everybody is reported.'] }
  }

/** How often somebody was asked anew: an edit of the card tells nobody. */
const questions = async (id: string) =>
  (
    await room.rows(
      "select 1 from outbox where instance_id = $1 and medium = 'email' and announcement->>'kind' = 'held'",
      id,
    )
  ).length
const suspended = async (id: string) =>
  (await room.rows("select 1 from account where instance_id = $1 and status = 'suspended'", id)).length
const off = (from: number, to: number) => people(from, to, { status: 'suspended' })

test('kept users stay although one has come back and the others are few enough to believe: another question, which waits for its answer', async () => {
  const { id } = await room.instance()
  await room.sync(id, people(0, 450))
  const asked = await sync(id, people(91, 450))
  await press('held-keep', asked.id)
  expect(await sync(id, people(90, 450))).toMatchObject({ state: 'held', removed: 0, held: { gone: 90 } })
  expect(await questions(id)).toBe(2)
  const [card] = await room.rows(
    "select announcement from outbox where instance_id = $1 and announcement->>'kind' = 'held' order by created_at desc limit 1",
    id,
  )
  expect(card?.announcement.held.why[0]).toBe('90 people of them were kept by a decision before.')
  expect(card?.announcement.next).toMatch(/^saasm asks before it removes anybody who was kept\. Choose/)
  // Nobody has answered: the same, and still fewer, are held back, too.
  expect(await sync(id, people(90, 450))).toMatchObject({ state: 'held', removed: 0 })
  expect(await questions(id)).toBe(2)
  const fewer = await sync(id, people(50, 450))
  expect(fewer).toMatchObject({ state: 'held', removed: 0, held: { gone: 50 } })
  expect(await room.users(id)).toHaveLength(450)
  await press('held-allow', fewer.id)
  expect(await room.users(id)).toHaveLength(400)
})

test('kept users stay although the instance has grown and one more has left', async () => {
  const { id } = await room.instance()
  await room.sync(id, people(0, 50))
  const asked = await sync(id, people(15, 50))
  await press('held-keep', asked.id)
  expect(await sync(id, people(15, 200))).toMatchObject({
    state: 'held',
    held: { decision: { what: 'kept' } },
  })
  expect(await questions(id)).toBe(1)
  expect(await sync(id, people(16, 200))).toMatchObject({ state: 'held', removed: 0, held: { gone: 16 } })
  expect(await questions(id)).toBe(2)
  expect(await room.users(id)).toHaveLength(200)
})

test('who is kept as enabled stays so although another is disabled, and they are few by now', async () => {
  const { id } = await room.instance()
  await room.sync(id, people(0, 50))
  const asked = await sync(id, off(0, 15), people(15, 50))
  await press('held-keep', asked.id)
  await sync(id, off(0, 15), people(15, 200))
  expect(await sync(id, off(0, 16), people(16, 200))).toMatchObject({ state: 'held', held: { disabled: 16 } })
  expect(await suspended(id)).toBe(0)
})

test('a failure between the question and Allow is told once, and so is its end', async () => {
  const { id } = await room.instance()
  const fails: Pages = async function* () {
    yield people(0, 1)
    throw new ProviderError('broken', { message: 'It broke.', detail: 'planned' })
  }
  await room.sync(id, people(0, 100))
  const asked = await sync(id, people(40, 100))
  expect(await runOf(id, fails)).toMatchObject({ state: 'failed' })
  expect(await press('held-allow', asked.id)).toMatch(/40 users are no longer reported/)
  expect((await room.refreshed(id)).lastOutcome).toBe('failed')
  await runOf(id, fails)
  await sync(id, people(40, 100))
  expect(await room.told(id)).toEqual(['initial-succeeded', 'held', 'failed', 'held-ended', 'recovered'])
  const open = await room.rows('select 1 from incident where instance_id = $1 and closed_at is null', id)
  expect(open).toEqual([])
})

test('once all users were deleted, the question is void for good: on its card, and when it is pressed', async () => {
  const { id } = await room.instance()
  await room.sync(id, people(0, 100))
  const asked = await sync(id, people(40, 100))
  await deleteAll(id)
  expect(await press('held-allow', asked.id)).toMatch(
    /^All users of .* were deleted since: this question is void/,
  )
  expect((await room.refreshed(id)).lastOutcome).toBe('held')
  await sync(id, people(40, 100))
  const cards = await room.rows(
    "select announcement->'held'->'ended'->>'how' how from outbox where edits = $1 order by transition_seq",
    asked.held?.card ?? '',
  )
  expect(cards).toEqual([{ how: 'deleted' }])
  expect(
    await room.rows("select 1 from audit where instance_id = $1 and action like 'removal.%'", id),
  ).toEqual([])
})

test('who was kept, and then deleted, cannot be let go', async () => {
  const { id } = await room.instance()
  await room.sync(id, people(0, 100))
  const asked = await sync(id, people(40, 100))
  await press('held-keep', asked.id)
  await deleteAll(id)
  expect(await press('held-release', asked.id)).toMatch(/were deleted since/)
})

test('the removal of very many whom a person lets go may take as long as the merge of a run', async () => {
  const { id } = await room.instance()
  await room.sync(id, people(0, 100))
  const asked = await sync(id, people(40, 100))
  await room.rows('create table patience (ms text)')
  await room.rows(`create function note() returns trigger language plpgsql as $$
    begin insert into patience values (current_setting('statement_timeout')); return null; end $$`)
  await room.rows('create trigger note after update on account for each statement execute function note()')
  await press('held-allow', asked.id)
  await room.rows('drop trigger note on account')
  expect(await room.rows('select distinct ms from patience')).toEqual([{ ms: '30min' }])
})

test('who asks for a sync after Keep hears that they are kept by a decision, and not that nobody believes it', async () => {
  const { id } = await room.instance()
  await room.sync(id, people(0, 120))
  const asked = await sync(id, people(60, 90), off(90, 120))
  expect(asked.warnings).toEqual([
    '60 people of 120 were missing. saasm holds that back, so this sync removed nobody.',
    '30 people of 120 were suspended or deactivated. That is held back, too.',
  ])
  await press('held-keep', asked.id)
  await sync(id, people(60, 90), off(90, 120))
  expect((await room.toldDirectly(id)).at(-1)?.warnings).toEqual([
    '60 people of 120 were missing; they are kept, as was decided.',
    '30 people of 120 were suspended or deactivated; they are kept as they were, as was decided.',
  ])
})

test('who is disabled by Allow while a sync that found them active ends is enabled by another one, which is due at once', async () => {
  const { id } = await room.instance()
  await room.sync(id, people(0, 100))
  const asked = await sync(id, off(0, 40), people(40, 100))
  room.clock.advance(1_000)
  const at = gate()
  await room.ask(id)
  const running = room.runDue(undefined, 'first', halting(at, people(0, 99), people(99, 100)))
  await at.reached
  await press('held-allow', asked.id)
  at.open()
  await running
  const { nextSyncAt } = await room.refreshed(id)
  expect(nextSyncAt?.getTime()).toBeLessThanOrEqual(room.clock.now().getTime())
  await sync(id, people(0, 100))
  expect(await suspended(id)).toBe(0)
  const next = await room.refreshed(id)
  expect(next.nextSyncAt?.getTime(), 'that was all').toBeGreaterThan(room.clock.now().getTime())
})

test('what was decided is known for as long as somebody is kept, however old its run is', async () => {
  const { id } = await room.instance()
  await room.sync(id, people(0, 50))
  await sync(id, people(15, 50))
  const again = await sync(id, people(15, 50))
  await press('held-keep', again.id)
  // Nothing but failures since, for longer than the history is kept.
  room.clock.advance(1_000)
  room.vendor(async function* () {
    yield people(0, 1)
    throw new ProviderError('broken', { message: 'Okta is away.', detail: 'GET /users: 503' })
  })
  await room.ask(id)
  await room.runDue()
  await purgeHistory(room.db.conn, new Date(room.clock.now().getTime() + 1_000), 100)
  expect(await room.history(id)).toHaveLength(3)
  expect(await sync(id, people(14, 200))).toMatchObject({ state: 'held', removed: 0, held: { gone: 14 } })
})

test('and all users deleted end every question of theirs, that of a list that was not complete, too', async () => {
  const { id } = await room.instance()
  await room.sync(id, people(0, 50))
  const asked = await sync(id, people(15, 50))
  await press('held-keep', asked.id)
  const beside = await runOf(id, partly(people(15, 20), off(20, 40), people(40, 50)))
  expect(beside).toMatchObject({ state: 'held', held: { partial: true } })
  await deleteAll(id)
  expect(
    await room.rows(
      "select 1 from sync_run where instance_id = $1 and held is not null and held->>'ended' is null",
      id,
    ),
  ).toEqual([])
})

test('once all who were kept have come back, a few others are believed again', async () => {
  const { id } = await room.instance()
  await room.sync(id, people(0, 50))
  const asked = await sync(id, people(15, 50))
  await press('held-keep', asked.id)
  expect(await sync(id, people(0, 45))).toMatchObject({ state: 'succeeded', removed: 5 })
  expect(await sync(id, people(5, 45))).toMatchObject({ state: 'succeeded', removed: 5 })
})

test('a list that is not complete leaves who is kept as they are, and what was decided on a whole one', async () => {
  const { id } = await room.instance()
  await room.sync(id, people(0, 50))
  const asked = await sync(id, off(15, 27), people(27, 50))
  expect(asked).toMatchObject({ state: 'held', held: { gone: 15, disabled: 12 } })
  await press('held-keep', asked.id)
  expect(await runOf(id, partly(off(15, 27)))).toMatchObject({ state: 'partial', held: null })
  // One who was not found is found disabled now: kept is kept.
  expect(await runOf(id, partly(off(14, 27)))).toMatchObject({ state: 'partial', changed: 0 })
  expect(await sync(id, off(15, 27), people(27, 50))).toMatchObject({
    state: 'held',
    held: { decision: { what: 'kept' } },
  })
  expect(await questions(id)).toBe(1)
  expect([(await room.users(id)).length, await suspended(id)]).toEqual([50, 0])
})

test('a list that is not complete asks only about others than those who are kept; the next whole one goes on with what was decided', async () => {
  const { id } = await room.instance()
  await room.sync(id, people(0, 100))
  const asked = await sync(id, off(0, 30), people(30, 100))
  await press('held-keep', asked.id)
  const partial = await runOf(id, partly(off(0, 60)))
  expect(partial).toMatchObject({ state: 'held', held: { gone: 0, disabled: 30, partial: true } })
  expect(partial.held?.names[0]).toBe('Person 30')
  expect(await questions(id)).toBe(2)
  expect(await sync(id, off(0, 30), people(30, 100))).toMatchObject({
    held: { disabled: 30, decision: { what: 'kept' } },
  })
  expect(await questions(id)).toBe(2)
  expect(await press('held-allow', partial.id)).toMatch(/is void/)
  expect(await suspended(id)).toBe(0)
})
