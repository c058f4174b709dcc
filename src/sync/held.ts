// The question of a held removal: one run's, decided once, void when a newer run of the instance has ended.
import { eq, sql } from 'drizzle-orm'
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
}

export interface HeldDecision {
  what: 'allowed' | 'kept'
  /** A Slack user id. */
  by: string
  /** ISO 8601, UTC. */
  at: string
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

/** The question that an instance's newest run with a whole list has left; undefined: that run was believed. */
export async function lastQuestion(conn: Conn, instanceId: string): Promise<HeldQuestion | undefined> {
  const rows = await conn.execute<Row>(sql`
    ${questionRows} where r.held is not null and r.id = (
      select id from sync_run where instance_id = ${instanceId} and state in ('succeeded', 'held')
      order by ended_at desc, requested_at desc limit 1)`)
  return rows[0] && questionOf(rows[0])
}

/** Nobody has decided it, and no newer run has ended. */
export function isOpen(question: HeldQuestion | undefined): question is HeldQuestion {
  return question !== undefined && !question.superseded && question.held.decision === undefined
}

/** Write down who decided what. The caller holds the instance's lock. */
export async function decideHeld(
  tx: Tx,
  runId: string,
  decision: { what: 'allowed' | 'kept'; by: string; at: Date },
): Promise<void> {
  const kept = JSON.stringify({ ...decision, at: decision.at.toISOString() })
  await tx
    .update(syncRunTable)
    .set({ held: sql`jsonb_set(${syncRunTable.held}, '{decision}', ${kept}::jsonb)` })
    .where(eq(syncRunTable.id, runId))
}

function questionOf({ run_id, instance_id, held, superseded }: Row): HeldQuestion {
  return { runId: run_id, instanceId: instance_id, held, superseded }
}
