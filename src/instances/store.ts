// Instances at rest: created, read, edited if nobody else did meanwhile, and moved between statuses.
import { and, asc, eq, getTableColumns, inArray, isNull, lte, ne, sql } from 'drizzle-orm'
import type { Conn, Tx } from '../db/db.ts'
import { one } from '../lib/assert.ts'
import { type InactiveReason, type Instance, type InstanceStatus, statusMoves } from './instance.ts'
import { instanceTable } from './table.ts'

/** The most instances a list ever holds. */
export const instancesMax = 10_000

export type NewInstance = Pick<
  Instance,
  | 'id'
  | 'teamId'
  | 'name'
  | 'connector'
  | 'tenantKey'
  | 'tenantName'
  | 'settings'
  | 'sealed'
  | 'owner'
  | 'createdBy'
> &
  Partial<Pick<Instance, 'scheduleHours' | 'channel'>>

/** A Live instance that has never synced. Throws a unique violation (23505) when the name is taken in the team. */
export async function createInstance(tx: Tx, fresh: NewInstance, now: Date): Promise<Instance> {
  const rows = await tx
    .insert(instanceTable)
    .values({ ...fresh, status: 'live', createdAt: now, updatedAt: now })
    .returning()
  return one(rows, 'an insert returns its row')
}

/** One instance of this team that is not deleted. */
export async function findInstance(conn: Conn, teamId: string, id: string): Promise<Instance | undefined> {
  const rows = await conn
    .select()
    .from(instanceTable)
    .where(and(eq(instanceTable.id, id), eq(instanceTable.teamId, teamId), isNull(instanceTable.deletedAt)))
  return rows[0]
}

/** By id alone, deleted or not: for workers, which have no person to check. */
export async function instanceById(conn: Conn, id: string): Promise<Instance | undefined> {
  const rows = await conn.select().from(instanceTable).where(eq(instanceTable.id, id))
  return rows[0]
}

/** Several by id, deleted or not. */
export async function instancesById(conn: Conn, ids: readonly string[]): Promise<Map<string, Instance>> {
  if (ids.length === 0) return new Map()
  const rows = await conn
    .select()
    .from(instanceTable)
    .where(inArray(instanceTable.id, [...ids]))
  return new Map(rows.map(row => [row.id, row]))
}

/** By id, with its row locked until the transaction ends. */
export async function lockInstance(tx: Tx, id: string): Promise<Instance | undefined> {
  const rows = await tx.select().from(instanceTable).where(eq(instanceTable.id, id)).for('no key update')
  return rows[0]
}

/** Without what is sealed, which may be megabytes (an uploaded file): for lists. */
const unsealed = { ...getTableColumns(instanceTable), sealed: sql<string | null>`null` }

/** `deleted`: those, too. */
type Which = { deleted?: boolean | undefined }

/** All instances of a team that are not deleted, by name. Their sealed secrets are left out. */
export async function listInstances(conn: Conn, teamId: string, which: Which = {}): Promise<Instance[]> {
  const { name, deletedAt } = instanceTable
  return conn
    .select(unsealed)
    .from(instanceTable)
    .where(and(eq(instanceTable.teamId, teamId), which.deleted ? undefined : isNull(deletedAt)))
    .orderBy(asc(sql`lower(${name})`), sql`${deletedAt} desc nulls first`)
    .limit(instancesMax)
}

/** Instances whose name contains `part` (whatever the case); one of exactly that name comes alone. */
export async function matchInstances(
  conn: Conn,
  teamId: string,
  part: string,
  which: Which = {},
): Promise<Instance[]> {
  const wanted = part.trim().toLowerCase()
  const all = await listInstances(conn, teamId, which)
  const exact = all.filter(instance => instance.name.toLowerCase() === wanted)
  const matches = exact.length > 0 ? exact : all.filter(({ name }) => name.toLowerCase().includes(wanted))
  const [only] = matches
  if (!only || only.deletedAt || matches.length > 1) return matches
  const whole = await findInstance(conn, teamId, only.id)
  return whole ? [whole] : []
}

/** Take turns with everybody else who connects this tenant, until the transaction ends. */
export async function lockTenant(
  tx: Tx,
  of: { teamId: string; connector: string; tenantKey: string },
): Promise<void> {
  const words = JSON.stringify([of.teamId, of.connector, of.tenantKey])
  await tx.execute(sql`select pg_advisory_xact_lock(hashtextextended(${words}, 0))`)
}

/** Other instances of the same connector and tenant. */
export async function sameTenant(
  conn: Conn,
  of: { teamId: string; connector: string; tenantKey: string; exceptId?: string },
): Promise<Instance[]> {
  return conn
    .select()
    .from(instanceTable)
    .where(
      and(
        eq(instanceTable.teamId, of.teamId),
        eq(instanceTable.connector, of.connector),
        eq(instanceTable.tenantKey, of.tenantKey),
        isNull(instanceTable.deletedAt),
        of.exceptId ? ne(instanceTable.id, of.exceptId) : undefined,
      ),
    )
    .limit(10)
}

/** What an admin changes in Edit Instance. `sealed` or `settings` given: what a run depends on has changed. */
export type InstanceEdit = Partial<
  Pick<
    Instance,
    | 'name'
    | 'scheduleHours'
    | 'owner'
    | 'channel'
    | 'settings'
    | 'sealed'
    | 'tenantKey'
    | 'tenantName'
    | 'removalPeopleMax'
    | 'removalPercentMax'
  >
>

/**
 * Save an edit if the instance still has the version that was opened; undefined when it has another (or is gone).
 * New credentials or settings start a new generation: a run under way with the old ones may not merge.
 */
export async function editInstance(
  tx: Tx,
  target: { id: string; version: number },
  edit: InstanceEdit,
  now: Date,
): Promise<Instance | undefined> {
  const regenerates = edit.sealed !== undefined || edit.settings !== undefined
  const rows = await tx
    .update(instanceTable)
    .set({
      ...edit,
      version: sql`${instanceTable.version} + 1`,
      ...(regenerates ? { generation: sql`${instanceTable.generation} + 1` } : {}),
      updatedAt: now,
    })
    .where(
      and(
        eq(instanceTable.id, target.id),
        eq(instanceTable.version, target.version),
        inArray(instanceTable.status, ['live', 'inactive']),
      ),
    )
    .returning()
  return rows[0]
}

/** Why and by whom an instance becomes Inactive: `by` null is saasm. */
export interface Inactivation {
  reason: InactiveReason
  detail: string | null
  by: string | null
}

/** Move to another status if that move exists from the present one; undefined when it does not. Versions grow by one. */
export async function moveInstance(
  tx: Tx,
  id: string,
  to: InstanceStatus,
  options: { now: Date; inactivation?: Inactivation },
): Promise<Instance | undefined> {
  const from = (Object.keys(statusMoves) as InstanceStatus[]).filter(status =>
    statusMoves[status].includes(to),
  )
  const why = to === 'inactive' ? options.inactivation : undefined
  const rows = await tx
    .update(instanceTable)
    .set({
      status: to,
      inactiveReason: why?.reason ?? null,
      inactiveDetail: why?.detail ?? null,
      inactiveBy: why?.by ?? null,
      inactiveAt: to === 'inactive' ? options.now : null,
      version: sql`${instanceTable.version} + 1`,
      updatedAt: options.now,
      ...(to === 'deleting' ? { generation: sql`${instanceTable.generation} + 1`, nextSyncAt: null } : {}),
      ...(to === 'deleted' ? { deletedAt: options.now, sealed: null, settings: {} } : {}),
    })
    .where(and(eq(instanceTable.id, id), inArray(instanceTable.status, from)))
    .returning()
  return rows[0]
}

/**
 * Put another sealed text in the place of this very one; false: it is another by now. Version and generation stay: an
 * admin's form and a run under way are as good as before.
 */
export async function replaceSealed(
  conn: Conn,
  held: { id: string; sealed: string },
  sealed: string,
): Promise<boolean> {
  const rows = await conn
    .update(instanceTable)
    .set({ sealed })
    .where(and(eq(instanceTable.id, held.id), eq(instanceTable.sealed, held.sealed)))
    .returning({ id: instanceTable.id })
  return rows.length > 0
}

/** Start a new generation and version: a run under way may not merge any more, and a window opened before is stale (its users are being deleted). Returns the version. */
export async function regenerateInstance(tx: Tx, id: string, now: Date): Promise<number> {
  const rows = await tx
    .update(instanceTable)
    .set({
      generation: sql`${instanceTable.generation} + 1`,
      version: sql`${instanceTable.version} + 1`,
      updatedAt: now,
    })
    .where(eq(instanceTable.id, id))
    .returning({ version: instanceTable.version })
  return one(rows, 'the instance is locked').version
}

/** Record how a run ended, and when the next one is due. The admin's version does not change. */
export async function recordOutcome(
  tx: Tx,
  id: string,
  outcome: Partial<Pick<Instance, 'lastOutcome' | 'lastFaultCode' | 'lastSuccessAt' | 'nextSyncAt'>>,
): Promise<void> {
  await tx.update(instanceTable).set(outcome).where(eq(instanceTable.id, id))
}

/**
 * Record that a run ended well once more, if the instance is Live and as it was read, by admins and by runs; false: it is not,
 * and nothing was written.
 */
export async function recordSuccessAgain(
  tx: Tx,
  read: Pick<Instance, 'id' | 'version' | 'generation'>,
  outcome: Pick<Instance, 'lastSuccessAt' | 'nextSyncAt'>,
): Promise<boolean> {
  const rows = await tx
    .update(instanceTable)
    .set(outcome)
    .where(
      and(
        eq(instanceTable.id, read.id),
        eq(instanceTable.version, read.version),
        eq(instanceTable.generation, read.generation),
        eq(instanceTable.status, 'live'),
        eq(instanceTable.lastOutcome, 'succeeded'),
      ),
    )
    .returning({ id: instanceTable.id })
  return rows.length > 0
}

/** The next number for an announced change of this instance; taken in the transaction that announces it. */
export async function nextTransition(tx: Tx, id: string): Promise<number> {
  const rows = await tx
    .update(instanceTable)
    .set({ transitionSeq: sql`${instanceTable.transitionSeq} + 1` })
    .where(eq(instanceTable.id, id))
    .returning({ seq: instanceTable.transitionSeq })
  return one(rows, 'an announced instance exists').seq
}

/** Live instances due at `now`, longest overdue first, locked; at most `limit`. What somebody else is changing is left out. */
export async function lockDueInstances(tx: Tx, now: Date, limit: number): Promise<Instance[]> {
  return tx
    .select(unsealed)
    .from(instanceTable)
    .where(and(eq(instanceTable.status, 'live'), lte(instanceTable.nextSyncAt, now)))
    .orderBy(asc(instanceTable.nextSyncAt))
    .limit(limit)
    .for('no key update', { skipLocked: true })
}
