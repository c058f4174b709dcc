// Removals at rest: claimed with a fence, counted a batch, given back or ended if still held, and read for people.
import { and, eq, inArray, sql } from 'drizzle-orm'
import type { Conn, Db, Tx } from '../db/db.ts'
import type { Removal } from './removal.ts'
import { type Claim, lease, leaseSeconds } from './store.ts'
import { removalTable } from './table.ts'

/**
 * An attempt that removed nobody is followed by the next one after so long, in seconds: 15, then twice as long each time, an
 * hour at most.
 */
const pauseSeconds = sql`least(3600, 15 * 2 ^ least(${removalTable.attempt} - 1, 10))`
/** A worker that dies in such an attempt is taken over as late: the claim's attempt is the next one. */
const growingLease = sql`now() + make_interval(secs => greatest(${leaseSeconds}, least(3600, 15 * 2 ^ least(${removalTable.attempt}, 10))))`

/** Claim the removal that is due longest; undefined: none. */
export async function claimRemoval(db: Db, owner: string, now: Date): Promise<Removal | undefined> {
  const rows = await db.conn
    .update(removalTable)
    .set({
      state: 'running',
      attempt: sql`${removalTable.attempt} + 1`,
      fence: sql`${removalTable.fence} + 1`,
      leaseUntil: growingLease,
      leaseOwner: owner,
    })
    .where(
      sql`${removalTable.id} = (
        select id from removal
        where (state = 'requested' and due_at <= ${now.toISOString()}) or (state = 'running' and lease_until < now())
        order by due_at limit 1 for update skip locked)`,
    )
    .returning()
  return rows[0]
}

/** How many were reported when the removal began. */
export async function setRemovalTotal(conn: Conn, claim: Claim, total: number): Promise<void> {
  await conn
    .update(removalTable)
    .set({ total })
    .where(and(eq(removalTable.id, claim.id), eq(removalTable.fence, claim.fence)))
}

/** Count a batch and hold the claim, with the attempts counted anew, or end it with `done`; undefined: the claim is no longer ours. */
export async function advanceRemoval(
  conn: Conn,
  claim: Claim,
  step: { removed: number; done: boolean; now: Date },
): Promise<Removal | undefined> {
  const rows = await conn
    .update(removalTable)
    .set({
      removed: sql`${removalTable.removed} + ${step.removed}`,
      ...(step.done
        ? { state: 'done' as const, leaseUntil: null, leaseOwner: null, endedAt: step.now, announced: true }
        : { attempt: 1, leaseUntil: lease }),
    })
    .where(heldRemoval(claim))
    .returning()
  return rows[0]
}

/** Give a removal back without an attempt spent, to go on at once elsewhere. */
export async function giveBackRemoval(conn: Conn, claim: Claim): Promise<void> {
  await conn
    .update(removalTable)
    .set({
      state: 'requested',
      attempt: sql`${removalTable.attempt} - 1`,
      leaseUntil: null,
      leaseOwner: null,
    })
    .where(heldRemoval(claim))
}

/** Give it back until the pause after this attempt is over; as it is then, or undefined: the claim is no longer ours. */
export async function putOffRemoval(conn: Conn, claim: Claim, now: Date): Promise<Removal | undefined> {
  const rows = await conn
    .update(removalTable)
    .set({
      state: 'requested',
      dueAt: sql`${now.toISOString()}::timestamptz + make_interval(secs => ${pauseSeconds})`,
      leaseUntil: null,
      leaseOwner: null,
    })
    .where(heldRemoval(claim))
    .returning()
  return rows[0]
}

/** Keep the claim from being lost until this transaction ends; false: it is no longer ours. */
export async function lockRemoval(tx: Tx, claim: Claim): Promise<boolean> {
  const rows = await tx
    .select({ id: removalTable.id })
    .from(removalTable)
    .where(heldRemoval(claim))
    .for('update')
  return rows.length > 0
}

function heldRemoval(claim: Claim) {
  return and(
    eq(removalTable.id, claim.id),
    eq(removalTable.fence, claim.fence),
    eq(removalTable.state, 'running'),
  )
}

/** Milliseconds until the next removal falls due, or the lease of one ends; undefined: neither will. */
export async function nextRemovalMs(conn: Conn, now: Date): Promise<number | undefined> {
  const at = now.toISOString()
  const rows = await conn.execute<{ ms: number | null }>(sql`
    select (extract(epoch from least(
      min(due_at) filter (where state = 'requested' and due_at > ${at}) - ${at}::timestamptz,
      min(lease_until) filter (where state = 'running' and lease_until > now()) - now())) * 1000)::float8 as ms
    from removal where state in ('requested', 'running')`)
  return rows[0]?.ms ?? undefined
}

export async function removalById(conn: Conn, id: string): Promise<Removal | undefined> {
  const rows = await conn.select().from(removalTable).where(eq(removalTable.id, id))
  return rows[0]
}

/** The removal of an instance that has not ended, if there is one. */
export async function openRemovalOf(conn: Conn, instanceId: string): Promise<Removal | undefined> {
  const rows = await conn
    .select()
    .from(removalTable)
    .where(
      and(eq(removalTable.instanceId, instanceId), inArray(removalTable.state, ['requested', 'running'])),
    )
    .limit(1)
  return rows[0]
}
