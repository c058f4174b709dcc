// Runs at rest: kept alive, settled or given back if still held, and read for people; and what runs and removals share.
import { and, desc, eq, inArray, sql } from 'drizzle-orm'
import type { Conn, Tx } from '../db/db.ts'
import { type RunState, runMoves, type SyncRun } from './run.ts'
import { removalTable, syncRunTable } from './table.ts'

/** How long a claim is held without a heartbeat, in seconds; the heartbeat comes every third of it. */
export const leaseSeconds = 60
export const heartbeatMs = (leaseSeconds * 1000) / 3

/** The end of a lease that begins now. */
export const lease = sql`now() + make_interval(secs => ${leaseSeconds})`

/**
 * With the time since the claim was last heard of: a lease's at most, since who is later than that was stopped, and did not
 * work. The time until a run is taken over, or waits for its turn, is nobody's.
 */
const worked = sql`${syncRunTable.workedMs} + least(${leaseSeconds * 1000}, greatest(0,
  (${leaseSeconds} - extract(epoch from ${syncRunTable.leaseUntil} - now())) * 1000))::int`

/** Somebody else holds the claim by now: nothing more may be written under it. */
export class ClaimLost extends Error {
  constructor() {
    super('The claim was lost')
    this.name = 'ClaimLost'
  }
}

/** Postgres crashed and emptied the staging, which is unlogged: what is missing there would be taken for people who left. */
export class StagingLost extends Error {
  constructor() {
    super('The staging was lost')
    this.name = 'StagingLost'
  }
}

/** The claim of one worker: what it writes is conditional on it. */
export interface Claim {
  id: string
  fence: number
}

/** Hold the claim for another lease; false: it is no longer ours. */
export async function holdRun(
  conn: Conn,
  claim: Claim,
  progress?: { pages: number; peopleRead: number },
): Promise<boolean> {
  const rows = await conn
    .update(syncRunTable)
    .set({ leaseUntil: lease, workedMs: worked, ...progress })
    .where(heldRun(claim))
    .returning({ id: syncRunTable.id })
  return rows.length > 0
}

/** Move the run on if the claim is still ours; undefined: it is not, and nothing was written. */
export async function settleRun(
  conn: Conn,
  claim: Claim,
  to: RunState,
  fields: Partial<Omit<SyncRun, 'id' | 'state'>>,
): Promise<SyncRun | undefined> {
  if (!runMoves.running.includes(to)) throw new Error(`A running run does not become ${to}`)
  const rows = await conn
    .update(syncRunTable)
    .set({ ...fields, state: to, workedMs: worked, leaseUntil: null, leaseOwner: null })
    .where(heldRun(claim))
    .returning()
  return rows[0]
}

/**
 * Give the run back, until `dueAt`; without an attempt spent, unless told. False: it is no longer ours, its instance is not
 * Live, or one that was asked for meanwhile takes its place, and nothing was written. Throws 23505 where that one is being
 * asked for just now.
 */
export async function giveBackRun(
  conn: Conn,
  claim: Claim,
  { dueAt, spent = false, putOffMs = 0 }: { dueAt: Date; spent?: boolean; putOffMs?: number },
): Promise<boolean> {
  const rows = await conn
    .update(syncRunTable)
    .set({
      state: 'requested',
      dueAt,
      attempt: sql`${syncRunTable.attempt} - ${spent ? 0 : 1}`,
      workedMs: worked,
      // It would carry its whole line past all others meanwhile.
      ...(putOffMs > 0 ? { urgent: false, putOffMs: sql`${syncRunTable.putOffMs} + ${putOffMs}` } : {}),
      leaseUntil: null,
      leaseOwner: null,
    })
    .where(
      and(
        heldRun(claim),
        sql`not exists (select 1 from sync_run o where o.instance_id = ${syncRunTable.instanceId} and o.state = 'requested')`,
        sql`exists (select 1 from instance i where i.id = ${syncRunTable.instanceId} and i.status = 'live')`,
      ),
    )
    .returning({ id: syncRunTable.id })
  return rows.length > 0
}

function heldRun(claim: Claim) {
  return and(
    eq(syncRunTable.id, claim.id),
    eq(syncRunTable.fence, claim.fence),
    eq(syncRunTable.state, 'running'),
  )
}

/** One run of an instance of this team. */
export async function findRun(conn: Conn, teamId: string, id: string): Promise<SyncRun | undefined> {
  const rows = await conn
    .select()
    .from(syncRunTable)
    .where(
      sql`${syncRunTable.id}::text = ${id}
        and exists (select 1 from instance i where i.id = ${syncRunTable.instanceId} and i.team_id = ${teamId})`,
    )
  return rows[0]
}

/** Which of these runs have ended, or never were. */
export async function endedOf(conn: Conn, runIds: readonly string[]): Promise<string[]> {
  if (runIds.length === 0) return []
  const open = await conn
    .select({ id: syncRunTable.id })
    .from(syncRunTable)
    .where(and(inArray(syncRunTable.id, [...runIds]), inArray(syncRunTable.state, ['requested', 'running'])))
  return runIds.filter(id => !open.some(run => run.id === id))
}

export async function runById(conn: Conn, id: string): Promise<SyncRun | undefined> {
  const rows = await conn.select().from(syncRunTable).where(eq(syncRunTable.id, id))
  return rows[0]
}

/** Name the message that shows how far it is, if it is running under this claim and has none; false: it does not. */
export async function nameProgress(
  tx: Tx,
  work: Claim & { kind: 'run' | 'removal' },
  progressId: string,
): Promise<boolean> {
  const table = work.kind === 'run' ? syncRunTable : removalTable
  const rows = await tx.execute(sql`
    update ${table} set progress_id = ${progressId}
    where id = ${work.id} and fence = ${work.fence} and state = 'running' and progress_id is null returning id`)
  return rows.length > 0
}

/** What goes on at each of these instances: people read by a running sync, users removed of how many. */
export type GoingOn = {
  peopleRead: number | null
  removed: number | null
  total: number | null
}

/** An instance where nothing goes on is absent. */
export async function goingOn(conn: Conn, instanceIds: readonly string[]): Promise<Map<string, GoingOn>> {
  if (instanceIds.length === 0) return new Map()
  const rows = await conn.execute<GoingOn & { instance_id: string }>(sql`
    select instance_id, people_read as "peopleRead", null::int as removed, null::int as total
    from sync_run where state = 'running' and instance_id in ${instanceIds}
    union all
    select instance_id, null, removed, total
    from removal where state in ('requested', 'running') and instance_id in ${instanceIds}`)
  return new Map(rows.map(({ instance_id, ...going }) => [instance_id, going]))
}

/** The newest runs of an instance, newest first. */
export async function historyOf(conn: Conn, instanceId: string, limit: number): Promise<SyncRun[]> {
  return conn
    .select()
    .from(syncRunTable)
    .where(eq(syncRunTable.instanceId, instanceId))
    .orderBy(desc(syncRunTable.requestedAt))
    .limit(limit)
}

/** Cancel the runs that are waiting for a worker; they are returned as they were ended. */
export async function cancelRequested(conn: Conn, instanceId: string, now: Date): Promise<SyncRun[]> {
  return conn
    .update(syncRunTable)
    .set({ state: 'cancelled', endedAt: now })
    .where(and(eq(syncRunTable.instanceId, instanceId), eq(syncRunTable.state, 'requested')))
    .returning()
}
