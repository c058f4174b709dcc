// The memory of an instance: the chunks that its last run left as they were listed. Lost, it costs time and nothing else.
import { type SQL, sql } from 'drizzle-orm'
import type { Known } from '../connectors/engine.ts'
import type { Conn } from '../db/db.ts'
import { type Lesson, lessonOf, linesAPart, type Part, partsAtOnce, partsMax } from './lesson.ts'
import { createLines, type Lines } from './lines.ts'

/** What a run knows before it reads, and learns for the next one. */
export interface Memory {
  /** Nobody is reported or gone: there is nobody to compare with. */
  readonly empty: boolean
  /** Where this chunk's people are, if they are reported just as they are listed (a set of `seq`, without its braces). */
  find(digest: string): string | undefined
  /** The same of a chunk that is listed by this run, which is remembered on. */
  recall(digest: string): string | undefined
  /** This chunk's people are, or with the merge become, stored as they are listed, in these places. */
  learn(digest: string, found: string, how: 'same' | 'changed'): void
  /** What is to be kept, after a run that listed so many people. */
  lesson(people: number): Lesson
}

/** Who is known again; nobody, where nobody is reported. */
export function knownBy(memory: Memory): Known {
  if (memory.empty) return () => undefined
  return digest => {
    // An answer may be looked through and not taken: asked for again, or read as a whole.
    const found = memory.find(digest)
    return found === undefined ? undefined : { people: peopleIn(found), digest }
  }
}

/** How many numbers are in a set of ranges that have an end each. */
function peopleIn(found: string): number {
  let people = 0
  for (let at = 0; at < found.length; at = found.indexOf(')', at) + 2) {
    const middle = found.indexOf(',', at)
    people +=
      Number(found.slice(middle + 1, found.indexOf(')', middle))) - Number(found.slice(at + 1, middle))
  }
  return people
}

/** Of fewer people all are asked about sooner than they are remembered. */
const peopleMin = 1_000
/** SHA-256 in base64url, 132 bits. */
const digestLength = 22
/** States of a run whose list was taken over: a later one makes what an earlier one has left untrue. */
const merged = sql`('succeeded', 'partial', 'held')`
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
    const rows = await conn.execute<{ part: number; lines: string; void: number[] }>(sql`
      select part, lines, void from account_chunk where instance_id = ${instanceId} and part > ${last}
      order by part limit ${partsAtOnce}`)
    for (const { part, lines: text, void: isVoid } of rows) {
      const from = lines.count
      lines.pushAll(text, isVoid)
      parts.push({ part, from, to: lines.count })
    }
    more = rows.length === partsAtOnce
  }
  return memoryOf({ empty: head?.somebody === false, version, parts, lines, least })
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
    find(digest) {
      const line = lines.find(digest)
      return line === undefined ? undefined : lines.restOf(line)
    },
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
      const nothing = { kept: [], worn: [], learned: [], changed: [], part: 0, parts: 0 }
      if (people < least) return { from: version, dropped: 'all', ...nothing }
      return lessonOf({ from: version, parts, lines, recalled }, { learned, changed })
    },
  }
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
