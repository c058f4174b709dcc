// The question of a held removal: one run's, decided once, void when a newer run of the instance has ended.
import { eq, sql } from 'drizzle-orm'
import type { KeptMark } from '../accounts/held.ts'
import type { Conn, Tx } from '../db/db.ts'
import { syncRunTable } from './table.ts'

/** What a held run keeps of its question. */
export interface Held {
  /** People whom it did not find, and people whom it found disabled, of those reported before. */
  gone: number
  disabled: number
  of: number
  /** Of the set: the next run asks again only if it is another one. */
  hash: string
  /** The run that marked these accounts: an earlier one, when it found the same set. */
  markedBy: string
  /** The outbox row of the card that asks; null: there is no channel. */
  card: string | null
  /** When the set was first asked about: ISO 8601, UTC. */
  askedAt: string
  names: string[]
  /** Why so many may be gone, for people. */
  why: string[]
  decision?: HeldDecision
  /** It is void, whatever was decided: all users of the instance were deleted. */
  ended?: 'deleted'
  /** Its list was not complete: a question of a whole one stands beside it. */
  partial?: true
  /**
   * Some of them were kept by a decision on an earlier set: who is missing since then or longer. None of them is let go
   * without an answer to this question. ISO 8601, UTC.
   */
  keptUntil?: string
}

export interface HeldDecision {
  what: 'allowed' | 'kept'
  /** A Slack user id. */
  by: string
  /** ISO 8601, UTC. */
  at: string
  /** Of `allowed`: whom it let go. */
  released?: { removed: number; disabled: number }
}

export interface HeldQuestion {
  runId: string
  instanceId: string
  held: Held
  /** A newer run has ended: what this one did not find says nothing any more. */
  superseded: boolean
}

/** Runs after which an older question says nothing any more. */
const ended = sql`('succeeded', 'partial', 'held')`

type Row = { run_id: string; instance_id: string; held: Held; superseded: boolean }

const questionRows = sql`
  select r.id as run_id, r.instance_id, r.held, exists (
    select 1 from sync_run n where n.instance_id = r.instance_id and n.id <> r.id
      and n.state in ${ended} and n.ended_at >= r.ended_at) as superseded
  from sync_run r join instance i on i.id = r.instance_id`

/** The question of this run, if the run is this team's and was held. */
export async function heldQuestion(
  conn: Conn,
  teamId: string,
  runId: string,
): Promise<HeldQuestion | undefined> {
  const rows = await conn.execute<Row>(
    sql`${questionRows} where r.id::text = ${runId} and i.team_id = ${teamId} and r.state = 'held' and r.held is not null`,
  )
  return rows[0] && questionOf(rows[0])
}

/** The question that an instance's newest run has left; undefined: that run was believed, or all users were deleted since. A `partial` one leaves things as they are. */
export async function lastQuestion(conn: Conn, instanceId: string): Promise<HeldQuestion | undefined> {
  const [last] = await lastQuestions(conn, instanceId)
  return last && !last.behind ? last : undefined
}

/**
 * The questions that an instance's newest run, and its newest one with a whole list, have left: one, two, or none. A list
 * that is not complete does not end what was decided on a whole one, which is `behind` it then.
 */
export async function lastQuestions(
  conn: Conn,
  instanceId: string,
): Promise<(HeldQuestion & { behind: boolean })[]> {
  const newest = (which = sql`true`) => sql`(
    select id from sync_run where instance_id = ${instanceId} and state in ('succeeded', 'held') and ${which}
    order by ended_at desc, requested_at desc limit 1)`
  const [last, whole] = [newest(), newest(sql`held->'partial' is null`)]
  const rows = await conn.execute<Row & { behind: boolean }>(sql`
    select q.*, q.run_id <> ${last} as behind from (${questionRows} where r.id in (${last}, ${whole})) q
    where q.held is not null and q.held->'ended' is null order by behind`)
  return rows.map(row => ({ ...questionOf(row), behind: row.behind }))
}

/** Whom a person has decided to keep, in this instance. */
export async function keptIn(conn: Conn, instanceId: string): Promise<KeptMark[]> {
  // A run that finds the same set anew says the same as the one that was decided.
  const rows = await conn.execute<{ marked_by: string; until: string | null }>(sql`
    select held->>'markedBy' as marked_by,
      case when bool_or(held->'decision'->>'what' = 'kept') then null else max(held->>'keptUntil') end as until
    from sync_run where instance_id = ${instanceId} and state = 'held'
      and (held->'decision'->>'what' = 'kept' or held->'keptUntil' is not null)
    group by 1`)
  return rows.map(row => ({ markedBy: row.marked_by, until: row.until }))
}

/** Nobody has decided it, no newer run has ended, and its users are there. */
export function isOpen(question: HeldQuestion | undefined): question is HeldQuestion {
  if (!question || question.superseded) return false
  return question.held.decision === undefined && question.held.ended === undefined
}

/** Write down who decided what. The caller holds the instance's lock. */
export async function decideHeld(
  tx: Tx,
  runId: string,
  decision: Omit<HeldDecision, 'at'> & { at: Date },
): Promise<void> {
  const kept = JSON.stringify({ ...decision, at: decision.at.toISOString() })
  await tx
    .update(syncRunTable)
    .set({ held: sql`jsonb_set(${syncRunTable.held}, '{decision}', ${kept}::jsonb)` })
    .where(eq(syncRunTable.id, runId))
}

/** All users of the instance are gone, whom this run asked about, too. The caller holds the instance's lock. */
export async function endHeld(tx: Tx, runId: string): Promise<void> {
  await tx
    .update(syncRunTable)
    .set({ held: sql`jsonb_set(${syncRunTable.held}, '{ended}', '"deleted"')` })
    .where(eq(syncRunTable.id, runId))
}

function questionOf({ run_id, instance_id, held, superseded }: Row): HeldQuestion {
  return { runId: run_id, instanceId: instance_id, held, superseded }
}
