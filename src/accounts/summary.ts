// What is asked about accounts: how many an instance reports, who is in no other application; and removal in batches.
import { sql } from 'drizzle-orm'
import type { Conn, Tx } from '../db/db.ts'
import { one } from '../lib/assert.ts'
import { forgetMemory } from './memory.ts'

/** Reported users of each of these instances; an instance without users is absent. */
export async function usersOf(conn: Conn, instanceIds: readonly string[]): Promise<Map<string, number>> {
  if (instanceIds.length === 0) return new Map()
  // Everybody, by the key alone, but the few who are gone: asked for who is not gone, Postgres would read every row.
  const rows = await conn.execute<{ instance_id: string; n: number }>(sql`
    select a.instance_id, (a.n - coalesce(g.n, 0))::int as n
    from (select instance_id, count(*) as n from account where instance_id in ${instanceIds} group by instance_id) a
    left join (
      select instance_id, count(*) as n from account where instance_id in ${instanceIds} and gone_at is not null group by instance_id) g
      using (instance_id)
    where a.n > coalesce(g.n, 0)`)
  return new Map(rows.map(row => [row.instance_id, row.n]))
}

/**
 * Reported users of an instance, and how many of them have no account in another instance of the team (by address). Each is
 * looked up by their address and by nothing else: in a table that was never analyzed Postgres expects next to nobody in
 * another instance, and read all of it for each of them.
 */
export async function onlyHere(
  conn: Conn,
  instance: { id: string; teamId: string },
): Promise<{ users: number; onlyHere: number }> {
  const rows = await conn.execute<{ users: number; only_here: number }>(sql`
    select count(*)::int as users,
      count(*) filter (where not exists (
        select 1 from (
          select instance_id from account where lower(email) = lower(a.email) and gone_at is null offset 0) other
        join instance i on i.id = other.instance_id
        where other.instance_id <> a.instance_id and i.team_id = ${instance.teamId} and i.deleted_at is null))::int as only_here
    from account a where a.instance_id = ${instance.id} and a.gone_at is null`)
  const row = one(rows, 'a count returns a row')
  return { users: row.users, onlyHere: row.only_here }
}

export interface RemovedBatch {
  deleted: number
  /** How many of the deleted were reported. */
  reported: number
  /** The last external id of the batch; null: nobody was left. */
  last: string | null
}

/**
 * Delete the next `limit` accounts of an instance, gone ones too, in the order of their ids: `after` is the last one of the
 * batch before, so that no batch walks over the dead rows of those before it.
 */
export async function removeAccounts(
  tx: Tx,
  instanceId: string,
  { after, limit }: { after: string; limit: number },
): Promise<RemovedBatch> {
  // By the key, in its order: where Postgres takes the table for small, or knows nothing of the instance, it would read all
  // that is left for each batch.
  await tx.execute(sql`
    select set_config('enable_seqscan', 'off', true), set_config('enable_bitmapscan', 'off', true),
      set_config('enable_sort', 'off', true), set_config('plan_cache_mode', 'force_custom_plan', true)`)
  const rows = await tx.execute<RemovedBatch & Record<string, unknown>>(sql`
    with batch as (
      select external_id from account where instance_id = ${instanceId} and external_id > ${after}
      order by external_id limit ${limit}),
    done as (
      delete from account where instance_id = ${instanceId} and external_id > ${after}
        and external_id <= (select max(external_id) from batch)
      returning gone_at)
    select count(*)::int as deleted, count(*) filter (where gone_at is null)::int as reported,
      (select max(external_id) from batch) as last
    from done`)
  // No run ends while users are removed: what is forgotten with the first of them stays so.
  if (after === '') await forgetMemory(tx, [instanceId])
  return one(rows, 'a count returns a row')
}

/**
 * Delete accounts that vanished before `before`; at most `limit` at once. Not of an instance that is being synced: the run may
 * have found one of them, and its merge looks for them where they were. It is asked again with the next sweep.
 */
export async function purgeGone(conn: Conn, before: Date, limit: number): Promise<number> {
  const rows = await conn.execute<{ n: number }>(sql`
    with done as (
      delete from account where ctid = any(array(
        select gone.at from instance cross join lateral (
          select ctid as at from account where instance_id = instance.id and gone_at < ${before.toISOString()}
          order by gone_at limit ${limit} for update skip locked) gone
        where not exists (
          select 1 from sync_run where instance_id = instance.id and state in ('requested', 'running'))
        limit ${limit}))
      returning 1)
    select count(*)::int as n from done`)
  return one(rows, 'a count returns a row').n
}
