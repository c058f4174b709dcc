// The question of a held removal: one run's, decided once, void when a newer run of the instance has ended.
import { and, eq, sql } from 'drizzle-orm'
import type { Conn, Tx } from '../db/db.ts'
import { syncRunTable } from './table.ts'

/** What a held run keeps of its question. */
export interface Held {
  /** People missing, of those reported before. */
  count: number
  of: number
  /** Of the set: the next run asks again only if it is another one. */
  hash: string
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
  count: number
  decision: HeldDecision | null
  /** A newer run has ended: what this one did not find says nothing any more. */
  superseded: boolean
}

/** The question of this run, if the run is this team's and was held. */
export async function heldQuestion(
  conn: Conn,
  teamId: string,
  runId: string,
): Promise<HeldQuestion | undefined> {
  const rows = await conn.execute<{
    run_id: string
    instance_id: string
    held: Held
    superseded: boolean
  }>(sql`
    select r.id as run_id, r.instance_id, r.held, exists (
      select 1 from sync_run n where n.instance_id = r.instance_id and n.id <> r.id
        and n.state in ('succeeded', 'partial', 'held') and n.ended_at >= r.ended_at) as superseded
    from sync_run r join instance i on i.id = r.instance_id
    where r.id::text = ${runId} and i.team_id = ${teamId} and r.state = 'held' and r.held is not null`)
  const row = rows[0]
  if (!row) return undefined
  const { run_id, instance_id, held, superseded } = row
  return {
    runId: run_id,
    instanceId: instance_id,
    count: held.count,
    decision: held.decision ?? null,
    superseded,
  }
}

/** The set that the newest held run of an instance asked about. */
export async function lastHeldHash(tx: Tx, instanceId: string): Promise<string | undefined> {
  const rows = await tx
    .select({ held: syncRunTable.held })
    .from(syncRunTable)
    .where(and(eq(syncRunTable.instanceId, instanceId), eq(syncRunTable.state, 'held')))
    .orderBy(sql`${syncRunTable.endedAt} desc`)
    .limit(1)
  return rows[0]?.held?.hash
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
