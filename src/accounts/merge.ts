// The merge: staged accounts become the instance's accounts, in the caller's one transaction, counting what changed.
import { type SQL, sql } from 'drizzle-orm'
import type { Tx } from '../db/db.ts'
import { one } from '../lib/assert.ts'
import { vanishedFrom } from './plan.ts'
import type { StagingFor } from './stage.ts'

export interface MergeSummary {
  added: number
  changed: number
  removed: number
  unchanged: number
}

/**
 * Merge what is staged. A person who comes back counts as added and is the same account; `removals: 'keep'` marks nobody
 * gone. The staging of the run is emptied.
 */
export async function mergeStaged(
  tx: Tx,
  instanceId: string,
  run: StagingFor,
  options: { now: Date; removals: 'apply' | 'keep' },
): Promise<MergeSummary> {
  const now = options.now.toISOString()
  // One row a person: a vendor that lists somebody twice keeps the first spelling by hash order, always the same one.
  const staged = sql`(select distinct on (external_id) * from account_staging where run_id = ${run.runId} and fence = ${run.fence} order by external_id, hash)`
  const total = await count(tx, sql`select count(*)::int as n from ${staged} s`)
  const returned = await count(
    tx,
    sql`select count(*)::int as n from account a join ${staged} s using (external_id) where a.instance_id = ${instanceId} and a.gone_at is not null`,
  )
  const updated = await count(
    tx,
    sql`
    with done as (
      update account a set email = s.email, name = s.name, status = s.status, kind = s.kind, roles = s.roles, admin = s.admin,
        licences = s.licences, mfa = s.mfa, last_active_at = s.last_active_at, created_at = s.created_at, hash = s.hash,
        gone_at = null, gone_run_id = null
      from ${staged} s
      where a.instance_id = ${instanceId} and a.external_id = s.external_id and (a.hash <> s.hash or a.gone_at is not null)
      returning 1)
    select count(*)::int as n from done`,
  )
  const inserted = await count(
    tx,
    sql`
    with done as (
      insert into account (instance_id, external_id, email, name, status, kind, roles, admin, licences, mfa, last_active_at, created_at, hash, first_seen_at)
      select ${instanceId}, s.external_id, s.email, s.name, s.status, s.kind, s.roles, s.admin, s.licences, s.mfa, s.last_active_at, s.created_at, s.hash, ${now}
      from ${staged} s
      where not exists (select 1 from account a where a.instance_id = ${instanceId} and a.external_id = s.external_id)
      returning 1)
    select count(*)::int as n from done`,
  )
  const removed = options.removals === 'keep' ? 0 : await markGone(tx, instanceId, run, now)
  await tx.execute(sql`delete from account_staging where run_id = ${run.runId}`)
  return {
    added: inserted + returned,
    changed: updated - returned,
    removed,
    unchanged: total - inserted - updated,
  }
}

async function markGone(tx: Tx, instanceId: string, run: StagingFor, now: string): Promise<number> {
  return count(
    tx,
    sql`
    with done as (
      update account a set gone_at = ${now}, gone_run_id = ${run.runId}
      where a.instance_id = ${instanceId} and a.gone_at is null
        and ${vanishedFrom(run)}
      returning 1)
    select count(*)::int as n from done`,
  )
}

async function count(tx: Tx, query: SQL): Promise<number> {
  const rows = await tx.execute<{ n: number }>(query)
  return one(rows, 'a count returns a row').n
}
