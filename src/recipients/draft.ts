// A draft of a recipient list while its window is open: kept here, since a view's metadata holds some sixty addresses only.
import { and, eq, lt, sql } from 'drizzle-orm'
import type { Conn, Tx } from '../db/db.ts'
import { addressKey, recipientsMax } from './recipients.ts'
import { recipientDraftTable } from './table.ts'

export interface RecipientDraft {
  id: string
  /** The list as it was when the window was opened. */
  base: readonly string[]
  /** The list as the person wants it, in order. */
  wanted: readonly string[]
}

/** A day: a window that stays open longer begins again with what is saved. */
const draftLivesMs = 86_400_000

/** Begin a draft for one person's window. */
export async function beginDraft(
  conn: Conn,
  draft: { id: string; teamId: string; userId: string; base: readonly string[]; now: Date },
): Promise<void> {
  const { base, now, ...of } = draft
  await conn.insert(recipientDraftTable).values({ ...of, base: [...base], wanted: [...base], at: now })
}

/** The draft, if it is this person's; undefined when it is not, or is too old. */
export async function readDraft(
  conn: Conn,
  of: { id: string; teamId: string; userId: string },
): Promise<RecipientDraft | undefined> {
  const rows = await conn.select().from(recipientDraftTable).where(ofPerson(of))
  return rows[0]
}

/** Add and take out addresses, at once for two fast presses; undefined when there is no such draft. */
export async function changeDraft(
  tx: Tx,
  of: { id: string; teamId: string; userId: string },
  change: { add?: readonly string[]; remove?: readonly string[] },
): Promise<RecipientDraft | undefined> {
  const [draft] = await tx.select().from(recipientDraftTable).where(ofPerson(of)).for('update')
  if (!draft) return undefined
  const gone = new Set((change.remove ?? []).map(addressKey))
  const kept = draft.wanted.filter(address => !gone.has(addressKey(address)))
  const there = new Set(kept.map(addressKey))
  const fresh = (change.add ?? []).filter(address => {
    const isNew = !there.has(addressKey(address))
    there.add(addressKey(address))
    return isNew
  })
  const wanted = [...kept, ...fresh].slice(0, recipientsMax)
  await tx.update(recipientDraftTable).set({ wanted }).where(eq(recipientDraftTable.id, draft.id))
  return { ...draft, wanted }
}

/** The window is closed, or what was wanted is saved. Old drafts of anybody go with it. */
export async function dropDraft(conn: Conn, id: string, now: Date): Promise<void> {
  await conn.delete(recipientDraftTable).where(eq(recipientDraftTable.id, id))
  await conn
    .delete(recipientDraftTable)
    .where(lt(recipientDraftTable.at, new Date(now.getTime() - draftLivesMs)))
}

function ofPerson(of: { id: string; teamId: string; userId: string }) {
  return and(
    sql`${recipientDraftTable.id}::text = ${of.id}`,
    eq(recipientDraftTable.teamId, of.teamId),
    eq(recipientDraftTable.userId, of.userId),
  )
}
