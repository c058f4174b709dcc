// Taking one address out of every recipient list, and out of lists that somebody is editing.
import { sql } from 'drizzle-orm'
import type { Tx } from '../db/db.ts'

/** Delete the address (in lower case) from all lists; a draft that holds it is dropped, and its window begins anew. */
export async function forgetRecipient(tx: Tx, email: string): Promise<{ lists: number; drafts: number }> {
  const lists = await tx.execute(sql`delete from recipient where lower(email) = ${email} returning id`)
  const drafts = await tx.execute(sql`
    delete from recipient_draft where strpos(lower(base::text), ${email}) > 0 or strpos(lower(wanted::text), ${email}) > 0
    returning id`)
  return { lists: lists.length, drafts: drafts.length }
}
