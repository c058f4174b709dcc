// What is put into a message later: which row has posted it, whether a later word is there, where it is when it was posted anew.
import { and, eq, sql } from 'drizzle-orm'
import type { Conn } from '../db/db.ts'
import type { OutboxEntry } from './outbox.ts'
import { outboxTable } from './table.ts'

/** The entry that an edit belongs to; undefined: there is none. */
export async function entryById(conn: Conn, id: string): Promise<OutboxEntry | undefined> {
  const rows = await conn.select().from(outboxTable).where(eq(outboxTable.id, id))
  return rows[0]
}

/** The entry that posted an incident's message. */
export async function firstPostOf(conn: Conn, incidentId: string): Promise<OutboxEntry | undefined> {
  const rows = await conn
    .select()
    .from(outboxTable)
    .where(and(eq(outboxTable.incidentId, incidentId), eq(outboxTable.medium, 'slack')))
    .orderBy(outboxTable.createdAt)
    .limit(1)
  return rows[0]
}

/** Why an edit was settled that found nothing to edit. */
export const noMessage = 'There is no message to edit'

/** Edits of the same message: of the incident, or of the row that is named. */
const ofSameMessage = (entry: OutboxEntry) =>
  entry.incidentId === null ? sql`edits = ${entry.edits}` : sql`incident_id = ${entry.incidentId}`

/** Is a later word in the message already? An edit that was parked and is tried again comes after it. */
export async function isOvertaken(conn: Conn, entry: OutboxEntry): Promise<boolean> {
  const rows = await conn.execute(sql`
    select 1 from outbox where ${ofSameMessage(entry)} and medium = 'slack-edit'
      and transition_seq > ${entry.transitionSeq} and state in ('sent', 'sending') limit 1`)
  return rows.length > 0
}

/** The end that this first post was to be edited to, and that found no message. */
export async function endWithoutMessage(conn: Conn, entry: OutboxEntry): Promise<OutboxEntry | undefined> {
  const its =
    entry.incidentId === null ? eq(outboxTable.edits, entry.id) : eq(outboxTable.incidentId, entry.incidentId)
  const rows = await conn
    .select()
    .from(outboxTable)
    .where(and(its, eq(outboxTable.medium, 'slack-edit'), eq(outboxTable.reason, noMessage)))
    .limit(1)
  return rows[0]
}

/** The message that this entry posted was deleted: another one is edited from now on. */
export async function moveMessage(conn: Conn, { id }: OutboxEntry, to: { ref: string; channel: string }) {
  await conn
    .update(outboxTable)
    .set({ sentRef: to.ref, sentChannel: to.channel })
    .where(eq(outboxTable.id, id))
}
