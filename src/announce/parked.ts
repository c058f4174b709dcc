// Parked tellings: what could not be delivered, for people to see and to try again. What may arrive twice is only sent when they say so.
import { and, desc, eq, gt, inArray, isNull, not, or, type SQL, sql } from 'drizzle-orm'
import type { Conn, Tx } from '../db/db.ts'
import { notSetUp } from './mailer.ts'
import { directly, isDirect, type OutboxEntry } from './outbox.ts'
import { outboxTable } from './table.ts'

/** Older ones are news to nobody. */
export const parkedDaysMax = 30
/** Resend forgets a key after 24 hours, and a channel's history grows: what was lost longer ago cannot be looked for. */
const lookedForMs = 24 * 3_600_000
/** Tried again by one press. */
export const retriedMax = 500

/** Of one team and shown: a telling about a telling, and mail where no mail was ever set up, are not. */
function shown(teamId: string, now: Date): SQL | undefined {
  return and(
    eq(outboxTable.teamId, teamId),
    eq(outboxTable.state, 'parked'),
    gt(outboxTable.createdAt, new Date(now.getTime() - parkedDaysMax * 86_400_000)),
    sql`${outboxTable.announcement}->>'kind' <> 'undelivered'`,
    sql`${outboxTable.reason} is distinct from ${notSetUp}`,
  )
}

/** How many tellings of a team wait for a person. */
export async function countParked(conn: Conn, teamId: string, now: Date): Promise<number> {
  return conn.$count(outboxTable, shown(teamId, now))
}

/** Newest first. */
export async function listParked(
  conn: Conn,
  teamId: string,
  page: { now: Date; offset: number; limit: number },
): Promise<OutboxEntry[]> {
  return conn
    .select()
    .from(outboxTable)
    .where(shown(teamId, page.now))
    .orderBy(desc(outboxTable.createdAt), desc(outboxTable.id))
    .offset(page.offset)
    .limit(page.limit)
}

/** An earlier attempt may have arrived, and nobody can be asked any more whether it did. */
export function mayArriveTwice(
  entry: Pick<OutboxEntry, 'firstSentAt' | 'medium' | 'destination'>,
  now: Date,
): boolean {
  if (entry.firstSentAt === null) return false
  // A direct message cannot be looked for at all.
  return isDirect(entry) || now.getTime() - entry.firstSentAt.getTime() > lookedForMs
}

/**
 * Put parked tellings back among those that wait, with all their attempts. One whose answer was lost is looked for before it
 * is sent, as ever; one that may arrive twice stays parked unless `again`. Returns those that wait now.
 */
export async function retryParked(
  tx: Tx,
  teamId: string,
  wanted: { ids: readonly string[] | 'all'; again: boolean; now: Date },
): Promise<OutboxEntry[]> {
  const { ids, again, now } = wanted
  if (ids.length === 0) return []
  const safe = or(
    isNull(outboxTable.firstSentAt),
    and(not(directly), gt(outboxTable.firstSentAt, new Date(now.getTime() - lookedForMs))),
  )
  const chosen = and(
    shown(teamId, now),
    ids === 'all' ? undefined : inArray(outboxTable.id, [...ids]),
    again ? undefined : safe,
  )
  const rows = await tx
    .select({ id: outboxTable.id })
    .from(outboxTable)
    .where(chosen)
    .orderBy(outboxTable.createdAt)
    .limit(retriedMax)
    .for('update')
  if (rows.length === 0) return []
  return tx
    .update(outboxTable)
    .set({
      state: 'pending',
      attempt: 0,
      dueAt: now,
      reason: null,
      // A mail's key is forgotten by now: the day in which it may be sent begins anew.
      ...(again
        ? {
            firstSentAt: sql`case when ${outboxTable.medium} = 'email' then null else ${outboxTable.firstSentAt} end`,
          }
        : {}),
    })
    .where(
      inArray(
        outboxTable.id,
        rows.map(row => row.id),
      ),
    )
    .returning()
}
