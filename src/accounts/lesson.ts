// Lessons: what a run leaves of an instance's memory for the next one. What is still true is not written again.
import { sql } from 'drizzle-orm'
import type { Tx } from '../db/db.ts'
import type { Lines } from './lines.ts'

/** What a run that is merged leaves for the next one. */
export interface Lesson {
  /** Who wrote what there was at the beginning; null: nobody. */
  from: string | null
  /** Parts that go, and the lines of theirs that are still true. */
  dropped: readonly number[] | 'all'
  kept: Iterable<string>
  /** Parts that stay, with lines that are not true any more. */
  worn: readonly Worn[]
  /** Lines of people who are stored as they were listed, and of those who are once everything that is staged is merged. */
  learned: Iterable<string>
  changed: Iterable<string>
  /** The number of the first part that is written, and how many there may be. */
  part: number
  parts: number
}

interface Worn {
  part: number
  /** Numbers of lines in it. */
  void: number[]
}

/** A part as it was loaded: which of the lines are in it. */
export interface Part {
  part: number
  from: number
  to: number
}

/** A part is read and dropped as one. */
export const linesAPart = 256
/** A part with fewer lines goes into the next one that is written. */
const linesMin = 64
/** More are not remembered: they are the chunks of a million and a half people, of whom each takes 20 bytes in a process. */
export const partsMax = 1_280
/** Parts read or written at once. */
export const partsAtOnce = 64

/** What is to be kept of these parts, of whose lines some were `recalled`, and of what was learned. */
export function lessonOf(
  known: { from: string | null; parts: readonly Part[]; lines: Lines; recalled: Uint8Array },
  { learned, changed }: { learned: Lines; changed: Lines },
): Lesson {
  const { from, parts, lines, recalled } = known
  const more = learned.count + changed.count
  const counted = parts.map(one => {
    const [size, still] = [one.to - one.from, countOf(recalled.subarray(one.from, one.to))]
    return { ...one, size, still, few: still < size / 2 || (still < linesMin && more > 0) }
  })
  const room = partsMax - counted.filter(one => !one.few).length
  const wanted = counted.reduce((sum, one) => sum + (one.few ? one.still : 0), more)
  // Void lines take up what new ones need.
  const full = wanted > room * linesAPart
  const goes = (one: (typeof counted)[number]) => one.few || (full && one.still < one.size)
  const dropped = counted.filter(goes)
  const kept = {
    *[Symbol.iterator]() {
      for (const { from, to } of dropped)
        for (let n = from; n < to; n += 1) if (recalled[n] === 1) yield lines.at(n)
    },
  }
  const worn: Worn[] = []
  for (const one of counted) {
    if (goes(one) || one.still === one.size) continue
    const lost: number[] = []
    for (let n = one.from; n < one.to; n += 1)
      if (recalled[n] === 0 && !lines.isVoid(n)) lost.push(n - one.from)
    if (lost.length > 0) worn.push({ part: one.part, void: lost })
  }
  return {
    ...{ from, kept, worn, learned, changed },
    // What is there and was not read is somebody else's, and older.
    dropped: parts.length === 0 ? 'all' : dropped.map(one => one.part),
    part: (parts.at(-1)?.part ?? -1) + 1,
    parts: partsMax - (parts.length - dropped.length),
  }
}

function countOf(ones: Uint8Array): number {
  return ones.reduce((sum, one) => sum + one, 0)
}

/** A lesson as it is stored; the first of its parts are made already. */
export interface Written {
  asListed: 'all' | 'same' | 'unknown'
  first: IteratorResult<string[]>
  rest: Iterator<string[]>
}

/**
 * What is kept of a lesson: all of it if everybody is `asListed`, nothing if some are listed in two ways. Made while Postgres
 * is at work: what was asked of it just now is on its way first.
 */
export async function writtenOf(lesson: Lesson, asListed: Written['asListed']): Promise<Written> {
  // The driver sends what is small at the end of a turn.
  for (let turn = 0; turn < 2; turn += 1) await new Promise(resolve => setImmediate(resolve))
  const { kept, learned, changed } = lesson
  const sure = asListed === 'all' ? [kept, learned, changed] : [kept, learned]
  const rest = partsOf(asListed === 'unknown' ? [] : sure, lesson.parts)
  return { asListed, first: rest.next(), rest }
}

/**
 * Keep what the run `by` has learned, in the transaction that merged it and left so many people reported; nothing if accounts
 * of the instance were written meanwhile by somebody else.
 */
export async function keepLesson(
  tx: Tx,
  instanceId: string,
  lesson: Lesson,
  { by, reported, written }: { by: string; reported: number; written: Written },
): Promise<void> {
  const { from, dropped, worn, part } = lesson
  let parts = written.first
  if (from === null && parts.done) return
  const ours = await tx.execute(sql`
    insert into account_memory as m (instance_id, version, reported) values (${instanceId}, ${by}, ${reported})
    on conflict (instance_id) do update set version = excluded.version, reported = excluded.reported
      where m.version = ${from}::uuid
    returning 1`)
  if (ours.length === 0) return
  if (dropped === 'all' || written.asListed === 'unknown')
    await tx.execute(sql`delete from account_chunk where instance_id = ${instanceId}`)
  else if (dropped.length > 0)
    await tx.execute(sql`
      delete from account_chunk where instance_id = ${instanceId} and part = any(${`{${dropped.join(',')}}`}::int[])`)
  if (written.asListed !== 'unknown' && worn.length > 0) await wear(tx, instanceId, worn)
  for (let first = part; !parts.done; parts = written.rest.next()) {
    await tx.execute(sql`
      insert into account_chunk (instance_id, part, lines)
      select ${instanceId}, ${first}::int + at::int - 1, lines
      from string_to_table(${parts.value.join('|')}, '|') with ordinality as written(lines, at)`)
    first += parts.value.length
  }
}

async function wear(tx: Tx, instanceId: string, worn: readonly Worn[]): Promise<void> {
  const parts = worn.map(one => one.part).join(',')
  const lines = worn.map(one => one.void.join(',')).join('|')
  await tx.execute(sql`
    update account_chunk c set void = c.void || string_to_array(worn.lines, ',')::int[]
    from rows from (unnest(${`{${parts}}`}::int[]), string_to_table(${lines}, '|')) as worn(part, lines)
    where c.instance_id = ${instanceId} and c.part = worn.part`)
}

/** These lines as the texts of at most so many parts, as many at once as are written at once. */
function* partsOf(texts: readonly Iterable<string>[], partsMax: number): Generator<string[]> {
  let [parts, lines, left] = [[] as string[], [] as string[], partsMax]
  const end = () => {
    if (lines.length === 0) return
    parts.push(lines.join('\n'))
    lines = []
    left -= 1
  }
  for (const text of texts) {
    for (const line of text) {
      if (left === 0) break
      lines.push(line)
      if (lines.length === linesAPart) end()
      if (parts.length < partsAtOnce) continue
      yield parts
      parts = []
    }
  }
  end()
  if (parts.length > 0) yield parts
}
