// The memory of an instance: the chunks that its last run left as they were listed. Lost, it costs time and nothing else.
import { type SQL, sql } from 'drizzle-orm'
import type { Conn, Tx } from '../db/db.ts'
import { createLines, type Lines } from './lines.ts'

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
  kept: Iterable<string>
  /** Lines of people who are stored as they were listed, and of those who are once everything that is staged is merged. */
  learned: Iterable<string>
  changed: Iterable<string>
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
/** Parts read or written at once. */
const partsAtOnce = 64

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
  const lines = createLines(digestLength)
  const parts: Part[] = []
  let more = head?.newest === true
  while (more && parts.length < partsMax) {
    const last = parts.at(-1)?.part ?? -1
    const rows = await conn.execute<{ part: number; lines: string }>(sql`
      select part, lines from account_chunk where instance_id = ${instanceId} and part > ${last}
      order by part limit ${partsAtOnce}`)
    for (const { part, lines: text } of rows) {
      const from = lines.count
      lines.pushAll(text)
      parts.push({ part, from, to: lines.count })
    }
    more = rows.length === partsAtOnce
  }
  return memoryOf({ empty: head?.somebody === false, version, parts, lines, least })
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
  lines: Lines
  least: number
}): Memory {
  const { empty, version, parts, lines, least } = known
  const recalled = new Uint8Array(lines.count)
  const learned = createLines(digestLength)
  const changed = createLines(digestLength)
  return {
    empty,
    recall(digest) {
      const line = lines.find(digest)
      if (line === undefined) return undefined
      recalled[line] = 1
      return lines.restOf(line)
    },
    learn(digest, found, how) {
      const into = how === 'same' ? learned : changed
      if (into.count < partsMax * linesAPart) into.push(`${digest}${found}`)
    },
    lesson(people) {
      const part = (parts.at(-1)?.part ?? -1) + 1
      if (people < least)
        return { from: version, dropped: 'all', kept: [], learned: [], changed: [], part, parts: 0 }
      const more = learned.count + changed.count > 0
      const dropped: Part[] = []
      for (const one of parts) {
        const still = countOf(recalled.subarray(one.from, one.to))
        if (still < one.to - one.from || (more && still < linesMin)) dropped.push(one)
      }
      const kept = {
        *[Symbol.iterator]() {
          for (const { from, to } of dropped)
            for (let n = from; n < to; n += 1) if (recalled[n] === 1) yield lines.at(n)
        },
      }
      const left = parts.length - dropped.length
      // What is there and was not read is somebody else's, and older.
      const which = parts.length === 0 ? ('all' as const) : dropped.map(one => one.part)
      return { from: version, dropped: which, kept, learned, changed, part, parts: partsMax - left }
    },
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
  const { from, dropped, part } = lesson
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
  for (let first = part; !parts.done; parts = written.rest.next()) {
    await tx.execute(sql`
      insert into account_chunk (instance_id, part, lines)
      select ${instanceId}, ${first}::int + at::int - 1, lines
      from string_to_table(${parts.value.join('|')}, '|') with ordinality as written(lines, at)`)
    first += parts.value.length
  }
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
