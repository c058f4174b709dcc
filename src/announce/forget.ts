// Taking one person out of what was told: tellings to their address, and rendered bodies that name them.
import { sql } from 'drizzle-orm'
import type { Conn, Tx } from '../db/db.ts'

/** Delete the tellings to this address (in lower case), whatever their state: nothing makes them anew. */
export async function forgetTellings(tx: Tx, email: string): Promise<number> {
  const gone = await tx.execute(sql`delete from outbox where lower(destination) = ${email} returning id`)
  return gone.length
}

/**
 * Drop rendered bodies that hold one of these texts; one that waits is rendered again from its announcement. A mail that
 * may have been sent already keeps its bytes, which may not change under one key, until it is settled: `beingSent`.
 */
export async function forgetBodies(
  tx: Tx,
  texts: readonly string[],
): Promise<{ bodies: number; beingSent: number }> {
  let [bodies, beingSent] = [0, 0]
  for (const text of texts) {
    const holds = sql`rendered is not null and strpos(lower(rendered::text), lower(${withinJson(text)})) > 0`
    const settled = sql`(state in ('sent', 'parked') or first_sent_at is null)`
    const dropped = await tx.execute(sql`
      update outbox set rendered = null where ${holds} and ${settled} returning id`)
    const kept = await tx.execute(sql`select id from outbox where ${holds} and not ${settled}`)
    bodies += dropped.length
    beingSent += kept.length
  }
  return { bodies, beingSent }
}

/** As it stands between the quotation marks of a JSON text. */
function withinJson(text: string): string {
  return JSON.stringify(text).slice(1, -1)
}

/** Drop up to `limit` rendered bodies of tellings that were settled before `before`: nobody asks for them again. */
export async function dropBodies(conn: Conn, before: Date, limit: number): Promise<number> {
  const rows = await conn.execute(sql`
    update outbox set rendered = null where id in (
      select id from outbox
      where rendered is not null and state in ('sent', 'parked') and coalesce(sent_at, created_at) < ${before.toISOString()}
      limit ${limit})
    returning id`)
  return rows.length
}

/** Delete up to `limit` tellings that were sent, or parked, before `before`, and incidents that closed then. An open incident keeps its message. */
export async function purgeTold(conn: Conn, before: Date, limit: number): Promise<number> {
  const at = before.toISOString()
  const told = await conn.execute(sql`
    delete from outbox where id in (
      select o.id from outbox o left join incident i on i.id = o.incident_id
      where o.state in ('sent', 'parked') and coalesce(o.sent_at, o.created_at) < ${at} and (i.id is null or i.closed_at < ${at})
      limit ${limit})
    returning id`)
  await conn.execute(sql`
    delete from incident where id in (
      select i.id from incident i
      where i.closed_at < ${at} and not exists (select 1 from outbox o where o.incident_id = i.id)
      limit ${limit})`)
  return told.length
}
