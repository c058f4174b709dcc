// What a run would take away, before it is merged: the sets of people that the guard against large removals looks at.
import { type SQL, sql } from 'drizzle-orm'
import type { Tx } from '../db/db.ts'
import { one } from '../lib/assert.ts'
import type { StagingFor } from './stage.ts'

export interface MergePlan {
  /** Reported before the merge. */
  before: number
  /** In staging, each person once. */
  staged: number
  /** Reported before and not found by the run. */
  vanished: number
}

/** Condition on a reported `account a` of the instance: this run did not find them. */
export function vanishedFrom(run: StagingFor): SQL {
  return sql`not exists (
    select 1 from account_staging s where s.run_id = ${run.runId} and s.fence = ${run.fence} and s.external_id = a.external_id)`
}

/** What a merge would do; the caller decides with it whether removals are believed. */
export async function planMerge(tx: Tx, instanceId: string, run: StagingFor): Promise<MergePlan> {
  const rows = await tx.execute<{ before: number; staged: number; vanished: number }>(sql`
    select
      (select count(*) from account where instance_id = ${instanceId} and gone_at is null)::int as before,
      (select count(distinct external_id) from account_staging where run_id = ${run.runId} and fence = ${run.fence})::int as staged,
      (select count(*) from account a where a.instance_id = ${instanceId} and a.gone_at is null and ${vanishedFrom(run)})::int as vanished`)
  return one(rows, 'a count returns a row')
}
