// The audit trail: append and read; there is no update here, and what is deleted is only what was kept long enough.
import { and, desc, eq, lt, sql } from 'drizzle-orm'
import type { Conn, Tx } from '../db/db.ts'
import { auditTable } from './table.ts'

export type AuditSource = 'command' | 'button' | 'modal' | 'sweep' | 'run' | 'operator'

export interface AuditEntry {
  teamId: string
  /** A Slack user id, or `saasm`. */
  actor: string
  source: AuditSource
  /** `instance.created`, `recipients.updated`, … */
  action: string
  instance?: { id: string; name: string }
  /** Never a secret: pass what a person may read. */
  before?: Record<string, unknown>
  after?: Record<string, unknown>
}

export type AuditRow = typeof auditTable.$inferSelect

/** Write one entry in the transaction of the change that it tells of. */
export async function appendAudit(tx: Tx, entry: AuditEntry): Promise<void> {
  await tx.insert(auditTable).values({
    teamId: entry.teamId,
    actor: entry.actor,
    source: entry.source,
    action: entry.action,
    instanceId: entry.instance?.id ?? null,
    instanceName: entry.instance?.name ?? null,
    before: entry.before ?? null,
    after: entry.after ?? null,
  })
}

/** The newest entries of a team, or of one instance, older than the one with the id `before`; at most `limit`. */
export async function readAudit(
  conn: Conn,
  of: { teamId: string; instanceId?: string; before?: number | undefined },
  limit: number,
): Promise<AuditRow[]> {
  const ofTeam = eq(auditTable.teamId, of.teamId)
  return conn
    .select()
    .from(auditTable)
    .where(
      and(
        ofTeam,
        of.instanceId ? eq(auditTable.instanceId, of.instanceId) : undefined,
        of.before === undefined ? undefined : lt(auditTable.id, of.before),
      ),
    )
    .orderBy(desc(auditTable.id))
    .limit(limit)
}

/** Delete up to `limit` entries that are older than `days` (30 at least); the database's own function, since nothing else may. */
export async function purgeAudit(conn: Conn, days: number, limit: number): Promise<number> {
  const rows = await conn.execute<{ n: number }>(
    sql`select purge_audit(make_interval(days => ${days}::int), ${limit}::int)::int as n`,
  )
  return rows[0]?.n ?? 0
}
