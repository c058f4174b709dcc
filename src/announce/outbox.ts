// The outbox: tellings that wait, are being sent, are sent, or are parked. Claimed with a fence, settled only by its holder.
import { and, eq, inArray, isNull, ne, sql } from 'drizzle-orm'
import type { Conn, Db } from '../db/db.ts'
import { newId } from '../lib/ids.ts'
import type { Announcement, AnnouncementKind } from './announcement.ts'
import { outboxTable } from './table.ts'

export type OutboxEntry = typeof outboxTable.$inferSelect

export interface NewOutboxEntry {
  id?: string
  teamId: string
  instanceId: string | null
  transitionSeq: number
  medium: OutboxEntry['medium']
  destination: string
  incidentId?: string
  /** For `slack-edit`: the row whose message it edits, where that is no incident's. */
  edits?: string
  announcement: Announcement
  now: Date
}

/** Above every limit of one send, so that a claim is not taken over while its send may still be under way. */
const leaseSeconds = 60
const leaseMs = leaseSeconds * 1000
/** The longest that one send takes, with its time limit (10 s a call) and what comes before it. */
const sendMaxMs = 15_000
const lease = sql`now() + make_interval(secs => ${leaseSeconds})`

/** An entry with the moment before its claim, in milliseconds of a clock that nobody sets and that a stopped process does not stop. */
export type ClaimedEntry = OutboxEntry & { claimedAtMs: number }

/** It goes to one person in Slack, where nobody can look whether an earlier attempt has arrived. */
export function isDirect({ medium, destination }: Pick<OutboxEntry, 'medium' | 'destination'>): boolean {
  return medium !== 'email' && /^[UW][A-Z0-9]+$/.test(destination)
}
/** The same question in Postgres. */
export const directly = sql`(${outboxTable.medium} <> 'email' and ${outboxTable.destination} ~ '^[UW][A-Z0-9]+$')`

/** Write entries; one that is there already (same instance, change, medium and destination) stays as it is. */
export async function appendOutbox(conn: Conn, entries: readonly NewOutboxEntry[]): Promise<void> {
  if (entries.length === 0) return
  const rows = entries.map(({ id, now, incidentId, edits, ...entry }) => ({
    ...entry,
    id: id ?? newId(),
    incidentId: incidentId ?? null,
    edits: edits ?? null,
    state: 'pending' as const,
    dueAt: now,
    createdAt: now,
  }))
  await conn.insert(outboxTable).values(rows).onConflictDoNothing()
}

/**
 * Claim the entry that is due longest and goes to none of the `resting` destinations, `withoutSlack` only a mail to an address,
 * `withoutMail` none; undefined: there is none. What an incident (or one message that is edited) has to say goes out in its order: a later word waits for
 * an earlier one, so that no edit is overwritten by an older one.
 */
export async function claimEntry(
  db: Db,
  owner: string,
  now: Date,
  {
    resting,
    withoutSlack,
    withoutMail,
  }: Record<'withoutSlack' | 'withoutMail', boolean> & { resting: readonly string[] },
): Promise<ClaimedEntry | undefined> {
  const claimedAtMs = performance.now()
  const elsewhere = resting.length > 0 ? sql`and destination not in ${resting}` : sql``
  const mails = withoutSlack ? sql`and medium = 'email' and position('@' in destination) > 0` : sql``
  const which = withoutMail ? sql`${mails} and medium <> 'email'` : mails
  const rows = await db.conn
    .update(outboxTable)
    .set(claimed(owner))
    .where(
      sql`${outboxTable.id} = (
        select id from outbox o
        where ((state = 'pending' and due_at <= ${now.toISOString()}) or (state = 'sending' and lease_until < now())) ${elsewhere} ${which}
          and (incident_id is null or not exists (
            select 1 from outbox p where p.incident_id = o.incident_id and p.transition_seq < o.transition_seq
              and p.destination = o.destination and p.state in ('pending', 'sending')))
          and (edits is null or not exists (
            select 1 from outbox p where p.edits = o.edits and p.transition_seq < o.transition_seq
              and p.state in ('pending', 'sending')))
        order by due_at, created_at, id limit 1 for update skip locked)`,
    )
    .returning()
  return rows[0] && { ...rows[0], claimedAtMs }
}

/** Milliseconds until the next entry falls due, or the lease of one ends; undefined: neither will. */
export async function nextEntryMs(conn: Conn, now: Date): Promise<number | undefined> {
  const at = now.toISOString()
  const rows = await conn.execute<{ ms: number | null }>(sql`
    select (extract(epoch from least(
      min(due_at) filter (where state = 'pending' and due_at > ${at}) - ${at}::timestamptz,
      min(lease_until) filter (where state = 'sending' and lease_until > now()) - now())) * 1000)::float8 as ms
    from outbox where state in ('pending', 'sending')`)
  return rows[0]?.ms ?? undefined
}

/** Claim what else waits as a first post of these kinds to one channel, due or not: for a bundle. At most `limit`. */
export async function claimAlike(
  db: Db,
  like: {
    entry: OutboxEntry
    kinds: readonly AnnouncementKind[]
    owner: string
    atLeast: number
    limit: number
  },
): Promise<ClaimedEntry[]> {
  const { entry } = like
  const claimedAtMs = performance.now()
  const due = sql`medium = 'slack' and destination = ${entry.destination} and state = 'pending'
    and first_sent_at is null and announcement->>'kind' in ${like.kinds}`
  return db.transaction(async tx => {
    const ids = await tx.execute<{ id: string }>(
      sql`select id from outbox where ${due} order by created_at, id limit ${like.limit} for update skip locked`,
    )
    if (ids.length < like.atLeast) return []
    const rows = ids.map(row => row.id)
    const entries = await tx
      .update(outboxTable)
      .set(claimed(like.owner))
      .where(inArray(outboxTable.id, rows))
      .returning()
    return entries.map(one => ({ ...one, claimedAtMs }))
  })
}

/** The first posts of these kinds that went to this channel since `since`: single ones, and those in bundles. */
export async function postedSince(
  conn: Conn,
  entry: OutboxEntry,
  kinds: readonly AnnouncementKind[],
  since: Date,
): Promise<{ single: number; bundled: number }> {
  const rows = await conn.execute<{ single: number; bundled: number }>(sql`
    select count(*) filter (where sent_ref not like 'bundle:%')::int as single,
      count(*) filter (where sent_ref like 'bundle:%')::int as bundled
    from outbox
    where medium = 'slack' and destination = ${entry.destination} and state = 'sent' and sent_at > ${since.toISOString()}
      and announcement->>'kind' in ${kinds}`)
  return rows[0] ?? { single: 0, bundled: 0 }
}

function claimed(owner: string) {
  return {
    state: 'sending' as const,
    attempt: sql`${outboxTable.attempt} + 1`,
    fence: sql`${outboxTable.fence} + 1`,
    leaseUntil: lease,
    leaseOwner: owner,
  }
}

type Held = Pick<OutboxEntry, 'id' | 'fence'>

/** Write to an entry whose claim is still ours; false: it is not, and nothing was written. */
export async function writeEntry(conn: Conn, held: Held, fields: Partial<OutboxEntry>): Promise<boolean> {
  const rows = await conn
    .update(outboxTable)
    .set(fields)
    .where(
      and(eq(outboxTable.id, held.id), eq(outboxTable.fence, held.fence), eq(outboxTable.state, 'sending')),
    )
    .returning({ id: outboxTable.id })
  return rows.length > 0
}

/** Write down that a send begins; false: it may not, and nothing is to be sent. */
export async function beginSend(
  conn: Conn,
  entry: ClaimedEntry,
  fields: Pick<Partial<OutboxEntry>, 'firstSentAt' | 'rendered'>,
): Promise<boolean> {
  return (await writeEntry(conn, entry, fields)) && isInTime(entry)
}

/**
 * Asked once more in the breath before a message leaves. A worker that was stopped between its claim and now has a claim
 * that another one may hold by the time the message arrives: it leaves the entry to its lease.
 */
export function isInTime(entry: ClaimedEntry): boolean {
  return performance.now() - entry.claimedAtMs < leaseMs - sendMaxMs
}

const released = { leaseUntil: null, leaseOwner: null }

export function settleSent(
  conn: Conn,
  held: Held,
  sent: { ref: string; channel?: string; now: Date; reason?: string },
): Promise<boolean> {
  const { now, ref, channel, reason } = sent
  return writeEntry(conn, held, {
    ...released,
    state: 'sent',
    sentAt: now,
    sentRef: ref,
    sentChannel: channel ?? null,
    reason: reason ?? null,
  })
}

/** It waits until `dueAt`; `spent: false` gives the attempt back. */
export function settleLater(
  conn: Conn,
  entry: OutboxEntry,
  later: { dueAt: Date; reason: string; spent: boolean },
): Promise<boolean> {
  const attempt = later.spent ? entry.attempt : entry.attempt - 1
  return writeEntry(conn, entry, {
    ...released,
    state: 'pending',
    dueAt: later.dueAt,
    reason: later.reason,
    attempt,
  })
}

/** It is not sent any more unless a person asks for it; `unsent`: nothing of it can have arrived. */
export function park(
  conn: Conn,
  held: Held,
  { reason, unsent }: { reason: string; unsent: boolean },
): Promise<boolean> {
  const anew = unsent ? { firstSentAt: null } : {}
  return writeEntry(conn, held, { ...released, ...anew, state: 'parked', reason })
}

/** Is the same change told to this address by another row? */
export async function isToldTo(conn: Conn, entry: OutboxEntry, address: string): Promise<boolean> {
  if (entry.instanceId === null) return false
  const rows = await conn
    .select({ id: outboxTable.id })
    .from(outboxTable)
    .where(
      and(
        eq(outboxTable.instanceId, entry.instanceId),
        eq(outboxTable.transitionSeq, entry.transitionSeq),
        eq(outboxTable.medium, 'email'),
        sql`lower(${outboxTable.destination}) = ${address.toLowerCase()}`,
        ne(outboxTable.id, entry.id),
      ),
    )
    .limit(1)
  return rows.length > 0
}

/** Was this already said to admins since `since`? Such entries belong to no instance. */
export async function wasSaid(
  conn: Conn,
  medium: OutboxEntry['medium'],
  message: string,
  since: Date,
): Promise<boolean> {
  const rows = await conn
    .select({ id: outboxTable.id })
    .from(outboxTable)
    .where(
      and(
        isNull(outboxTable.instanceId),
        eq(outboxTable.medium, medium),
        sql`announcement->'failure'->>'message' = ${message}`,
        sql`created_at > ${since.toISOString()}`,
      ),
    )
    .limit(1)
  return rows.length > 0
}
