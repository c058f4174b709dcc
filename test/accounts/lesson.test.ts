// What lessons promise: a memory is what the last run recalled or learned, and nothing else, however its parts were kept.
import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { keepLesson, lessonOf, linesAPart, partsMax, writtenOf } from '../../src/accounts/lesson.ts'
import { createLines } from '../../src/accounts/lines.ts'
import { loadMemory, type Memory } from '../../src/accounts/memory.ts'
import { newId } from '../../src/lib/ids.ts'
import { type Sync, startSync } from '../sync/synced.ts'

let room: Sync
beforeAll(async () => {
  room = await startSync()
})
afterAll(() => room.database.drop())

const digestOf = (n: number) => createHash('sha256').update(String(n)).digest('base64url').slice(0, 22)
const foundOf = (n: number) => `[${n},${n + 1})`

/** A run that has ended, and whose list was taken over. */
async function ended(instanceId: string): Promise<string> {
  const id = newId()
  room.clock.advance(1_000)
  await room.rows(
    `insert into sync_run (id, instance_id, trigger, state, due_at, requested_at, ended_at)
      values ($1, $2, 'scheduled', 'succeeded', $3, $3, $3)`,
    ...[id, instanceId, room.clock.now().toISOString()],
  )
  return id
}

async function keep(instanceId: string, memory: Memory): Promise<void> {
  const lesson = memory.lesson(1_000_000)
  const [by, written] = [await ended(instanceId), await writtenOf(lesson, 'all')]
  await room.db.transaction(tx => keepLesson(tx, instanceId, lesson, { by, reported: 1, written }))
}

const partsOf = (id: string) =>
  room.rows(
    `select part, array_length(string_to_array(lines, E'\\n'), 1) as size, coalesce(array_length(void, 1), 0) as void
      from account_chunk where instance_id = $1 order by part`,
    id,
  )

/** A run lists so many new chunks, and of the old ones all but every so manieth of a range. */
const round = fc.record({
  learned: fc.oneof(fc.nat(20), fc.nat(400)),
  from: fc.nat(600),
  missing: fc.oneof(fc.nat(10), fc.nat(600)),
  every: fc.integer({ min: 1, max: 4 }),
})

test('what is remembered is what the last run recalled and learned, whatever became of its parts', async () => {
  const seen = { worn: 0, dropped: 0 }
  await fc.assert(
    fc.asyncProperty(fc.array(round, { minLength: 2, maxLength: 8 }), async rounds => {
      const { id } = await room.instance()
      let known: number[] = []
      let next = 0
      for (const { learned, from, missing, every } of rounds) {
        const memory = await loadMemory(room.db.conn, id, 0)
        const recalled = known.filter((_, at) => at < from || at >= from + missing || at % every !== 0)
        for (const n of recalled) expect(memory.recall(digestOf(n))).toBe(foundOf(n))
        const fresh = Array.from({ length: learned }, (_, n) => next + n)
        next += learned
        for (const n of fresh) memory.learn(digestOf(n), foundOf(n), n % 2 === 0 ? 'same' : 'changed')
        await keep(id, memory)
        known = [...recalled, ...fresh].sort((a, b) => a - b)
        const parts = await partsOf(id)
        seen.worn += parts.filter(part => Number(part.void) > 0).length
        seen.dropped += parts.length > 0 && parts[0]?.part > 0 ? 1 : 0
        for (const { size, void: gone } of parts)
          expect(Number(gone), 'a part that is void by half is written anew').toBeLessThanOrEqual(
            Number(size) / 2,
          )
      }
      const memory = await loadMemory(room.db.conn, id, 0)
      const true_ = new Set(known)
      for (let n = 0; n < next; n += 1)
        expect(memory.recall(digestOf(n))).toBe(true_.has(n) ? foundOf(n) : undefined)
    }),
    { numRuns: Number(process.env.SAASM_TEST_RUNS ?? 30) },
  )
  expect(seen.worn, 'parts stayed with void lines').toBeGreaterThan(10)
  expect(seen.dropped, 'parts were written anew').toBeGreaterThan(10)
}, 60_000)

test('a part that stays is not written again: its void lines are noted', async () => {
  const { id } = await room.instance()
  const first = await loadMemory(room.db.conn, id, 0)
  for (let n = 0; n < 200; n += 1) first.learn(digestOf(n), foundOf(n), 'same')
  await keep(id, first)
  const textOf = () =>
    room.rows('select part, md5(lines) as lines, void from account_chunk where instance_id = $1', id)
  const [was] = await textOf()
  for (const lost of [3, 150]) {
    const memory = await loadMemory(room.db.conn, id, 0)
    for (let n = 0; n < 200; n += 1) if (n !== lost) memory.recall(digestOf(n))
    await keep(id, memory)
  }
  expect(await textOf()).toEqual([{ ...was, void: [3, 150] }])
})

test('when new lines have no room, void ones make it', () => {
  const lines = createLines(22)
  const parts = Array.from({ length: partsMax }, (_, part) => ({
    ...{ part, from: part * linesAPart, to: (part + 1) * linesAPart },
  }))
  const line = (n: number) => `${String(n).padStart(22, '0')}${foundOf(n)}`
  for (let n = 0; n < partsMax * linesAPart; n += 1) lines.push(line(n))
  const recalled = new Uint8Array(lines.count).fill(1)
  // One line of every second part is not true any more.
  for (let part = 0; part < partsMax; part += 2) recalled[part * linesAPart] = 0
  const learn = (count: number) => {
    const [learned, changed] = [createLines(22), createLines(22)]
    for (let n = 0; n < count; n += 1) learned.push(line(1_000_000 + n))
    return lessonOf({ from: null, parts, lines, recalled }, { learned, changed })
  }
  const still = learn(0)
  expect([still.dropped, still.worn.length]).toEqual([[], partsMax / 2])
  const full = learn(partsMax / 2)
  expect([full.dropped.length, full.worn, full.parts]).toEqual([partsMax / 2, [], partsMax / 2])
  expect([...full.kept].length + [...full.learned].length).toBe((partsMax / 2) * linesAPart)
})
