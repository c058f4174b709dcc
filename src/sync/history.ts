// The history of runs and removals, as far as it is kept.
import { sql } from 'drizzle-orm'
import type { Conn } from '../db/db.ts'

/**
 * Delete up to `limit` runs, and as many removals, that ended before `before`. The newest run of an instance stays, whatever
 * its age, and so do one that marks people it did not find, and the last one that says what was decided of them.
 */
export async function purgeHistory(conn: Conn, before: Date, limit: number): Promise<number> {
  const at = before.toISOString()
  const runs = await conn.execute(sql`
    delete from sync_run where id in (
      select r.id from sync_run r
      where r.ended_at < ${at}
        and exists (select 1 from sync_run n where n.instance_id = r.instance_id and n.requested_at > r.requested_at)
        and not exists (select 1 from account a where a.instance_id = r.instance_id and a.missing_run_id = r.id)
        and not (r.held is not null
          and not exists (
            select 1 from sync_run n where n.instance_id = r.instance_id and n.ended_at > r.ended_at
              and n.held->>'markedBy' = r.held->>'markedBy')
          and exists (
            select 1 from account a where a.instance_id = r.instance_id and a.missing_run_id::text = r.held->>'markedBy'))
      limit ${limit})
    returning id`)
  const removals = await conn.execute(sql`
    delete from removal where id in (select id from removal where ended_at < ${at} limit ${limit}) returning id`)
  return Math.max(runs.length, removals.length)
}
