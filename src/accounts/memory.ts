// The memory of an instance: the chunks that its last run left as they were listed. Lost, it costs time and nothing else.
import { type SQL, sql } from 'drizzle-orm'
import type { Conn, Tx } from '../db/db.ts'

/** What a run knows before it reads, and learns for the next one. */
export interface Memory {
  /** Nobody is reported or gone: there is nobody to compare with. */
  readonly empty: boolean
  /** Where this chunk's people are, if they are reported just as they are listed (a set of `seq`, without its braces). */
  recall(digest: string): string | undefined
  /** This chunk's people are, or with the merge become, stored as they are listed, in these places. */
  learn(digest: string, found: string, how: 'same' | 'changed'): void
  /** What is to be kept, after a run that listed so many people. */
  lesson(people: number): Lesson
}

/** What a run that is merged leaves for the next one. */
export interface Lesson {
  /** Who wrote what there was at the beginning; null: nobody. */
  from: string | null
  /** Parts that are not true of this list any more, and the lines of theirs that still are. */
  dropped: readonly number[] | 'all'
  kept: readonly string[]
  /** Lines of people who are stored as they were listed, and of those who are once everything that is staged is merged. */
  learned: readonly string[]
  changed: readonly string[]
  /** The number of the first part that is written, and how many there may be. */
  part: number
  parts: number
}

/** Of fewer people all are asked about sooner than they are remembered. */
const peopleMin = 1_000
/** A part is read, dropped and written as one. */
const linesAPart = 256
/** A part with fewer lines goes into the next one that is written. */
const linesMin = 64
/** More chunks are not remembered: they are those of some million people, of whom each takes 20 bytes in a process. */
const partsMax = 512
/** SHA-256 in base64url, 132 bits. */
const digestLength = 22
/** States of a run whose list was taken over: a later one makes what an earlier one has left untrue. */
const merged = sql`('succeeded', 'partial', 'held')`
/** The event loop is given a turn after so many parts. */
const partsATurn = 32

const newestOf = (instanceId: string) => sql`(
  select id from sync_run where instance_id = ${instanceId} and state in ${merged}
  order by ended_at desc, requested_at desc limit 1)`

/** How many people the last run has left reported, as an expression; null: it is not known without counting. */
export function reportedOf(instanceId: string): SQL {
  return sql`(select reported from account_memory where instance_id = ${instanceId} and version = ${newestOf(instanceId)})`
}

/** What the last run of the instance has left. Nothing is left for the next one where it lists fewer people than `least`. */
export async function loadMemory(conn: Conn, instanceId: string, least = peopleMin): Promise<Memory> {
  const [head] = await conn.execute<{
    somebody: boolean
    version: string | null
    newest: boolean | null
  }>(sql`
    select exists (select 1 from account where instance_id = ${instanceId}) as somebody, m.version, m.version = ${newestOf(instanceId)} as newest
    from (select) one left join account_memory m on m.instance_id = ${instanceId}`)
  const { version = null } = head ?? {}
  const parts = head?.newest
    ? await conn.execute<{ part: number; lines: string }>(
        sql`select part, lines from account_chunk where instance_id = ${instanceId} order by part limit ${partsMax}`,
      )
    : []
  const lines: string[] = []
  const placeOf = new Map<string, number>()
  const places: Part[] = []
  for (const { part, lines: text } of parts) {
    const from = lines.length
    for (const line of text.split('\n')) placeOf.set(line.slice(0, digestLength), lines.push(line) - 1)
    places.push({ part, from, to: lines.length })
    if (places.length % partsATurn === 0) await new Promise(resolve => setImmediate(resolve))
  }
  return memoryOf({ empty: head?.somebody === false, version, parts: places, lines, placeOf, least })
}

/** Which of the lines are in it. */
interface Part {
  part: number
  from: number
  to: number
}

function memoryOf(known: {
  empty: boolean
  version: string | null
  parts: readonly Part[]
  lines: readonly string[]
  placeOf: ReadonlyMap<string, number>
  least: number
}): Memory {
  const { empty, version, parts, lines, placeOf, least } = known
  const recalled = new Uint8Array(lines.length)
  const learned: string[] = []
  const changed: string[] = []
  return {
    empty,
    recall(digest) {
      const place = placeOf.get(digest)
      if (place === undefined) return undefined
      recalled[place] = 1
      return lines[place]?.slice(digestLength)
    },
    learn(digest, found, how) {
      const into = how === 'same' ? learned : changed
      if (into.length < partsMax * linesAPart) into.push(`${digest}${found}`)
    },
    lesson(people) {
      const part = (parts.at(-1)?.part ?? -1) + 1
      if (people < least)
        return { from: version, dropped: 'all', kept: [], learned: [], changed: [], part, parts: 0 }
      const more = learned.length + changed.length > 0
      const dropped: number[] = []
      const kept: string[] = []
      for (const { part, from, to } of parts) {
        const still = lines.slice(from, to).filter((_, at) => recalled[from + at] === 1)
        if (still.length === to - from && (!more || still.length >= linesMin)) continue
        dropped.push(part)
        kept.push(...still)
      }
      const left = parts.length - dropped.length
      // What is there and was not read is somebody else's, and older.
      const all = parts.length === 0 ? ('all' as const) : dropped
      return { from: version, dropped: all, kept, learned, changed, part, parts: partsMax - left }
    },
  }
}

/**
 * Keep what the run `by` has learned, in the transaction that merged it and left so many people reported: all of it if
 * everybody is `asListed`, nothing if some are listed in two ways, or if accounts of the instance were written meanwhile by
 * somebody else.
 */
export async function keepLesson(
  tx: Tx,
  instanceId: string,
  lesson: Lesson,
  { by, reported, asListed }: { by: string; reported: number; asListed: 'all' | 'same' | 'unknown' },
): Promise<void> {
  const { from, dropped, part } = lesson
  const sure = asListed === 'all' ? [...lesson.learned, ...lesson.changed] : lesson.learned
  const lines = asListed === 'unknown' ? [] : [...lesson.kept, ...sure].slice(0, lesson.parts * linesAPart)
  if (from === null && lines.length === 0) return
  const ours = await tx.execute(sql`
    insert into account_memory as m (instance_id, version, reported) values (${instanceId}, ${by}, ${reported})
    on conflict (instance_id) do update set version = excluded.version, reported = excluded.reported
      where m.version = ${from}::uuid
    returning 1`)
  if (ours.length === 0) return
  if (dropped === 'all' || asListed === 'unknown')
    await tx.execute(sql`delete from account_chunk where instance_id = ${instanceId}`)
  else if (dropped.length > 0)
    await tx.execute(sql`
      delete from account_chunk where instance_id = ${instanceId} and part = any(${`{${dropped.join(',')}}`}::int[])`)
  const parts: string[] = []
  for (let at = 0; at < lines.length; at += linesAPart)
    parts.push(lines.slice(at, at + linesAPart).join('\n'))
  if (parts.length === 0) return
  await tx.execute(sql`
    insert into account_chunk (instance_id, part, lines)
    select ${instanceId}, ${part}::int + at::int - 1, lines
    from string_to_table(${parts.join('|')}, '|') with ordinality as written(lines, at)`)
}

/**
 * Accounts of these instances are written by somebody else than a run: what is remembered of them is not true any more, nor
 * what a run has learned that is under way.
 */
export async function forgetMemory(conn: Conn, instanceIds: readonly string[]): Promise<void> {
  if (instanceIds.length === 0) return
  // In one order, so that two who do this wait for each other and not both.
  await conn.execute(sql`
    insert into account_memory (instance_id, version, reported)
    select id, gen_random_uuid(), null from unnest(${`{${instanceIds.join(',')}}`}::uuid[]) id order by id
    on conflict (instance_id) do update set version = excluded.version, reported = null`)
  await conn.execute(sql`delete from account_chunk where instance_id in ${instanceIds}`)
}
