// What a run would take away, before it is merged: the sets of people that the guard against large removals looks at.
import { type SQL, sql } from 'drizzle-orm'
import type { Tx } from '../db/db.ts'
import { one } from '../lib/assert.ts'
import type { StagingFor } from './stage.ts'

export interface MergePlan {
  /** Reported before the merge. */
  before: number
  /** Found by the run, each person once. */
  staged: number
  /** Reported before and not found by the run. */
  vanished: number
}

/** The staged rows of a run's own pages, as a table expression. */
export function stagedBy(run: StagingFor): SQL {
  return sql`(select s.* from account_staging s
    where s.run_id = ${run.runId} and (s.page, s.fence) in (
      select page, written_by from account_page where run_id = ${run.runId} and fence = ${run.fence}))`
}

/** Whom a run saw unchanged: a set of `seq`, computed once a statement. */
export function seenBy(run: StagingFor): SQL {
  return sql`(select coalesce(range_agg(known), '{}') from account_page where run_id = ${run.runId} and fence = ${run.fence})`
}

/** Condition on a reported `account a` of the instance: this run did not find them. */
export function vanishedFrom(run: StagingFor): SQL {
  if (run.loaded !== undefined) return sql`false`
  return sql`(not (a.seq <@ ${seenBy(run)}) and not (a.seq <@ (
    select coalesce(range_agg(int8range(seq, seq + 1)), '{}') from ${stagedBy(run)} s where seq is not null)))`
}

/** What a merge would do; the caller decides with it whether removals are believed. */
export async function planMerge(tx: Tx, instanceId: string, run: StagingFor): Promise<MergePlan> {
  if (run.loaded !== undefined) return { before: 0, staged: run.loaded, vanished: 0 }
  const rows = await tx.execute<MergePlan & Record<string, unknown>>(sql`
    select count(*)::int as before, count(*) filter (where ${vanishedFrom(run)})::int as vanished, (
      (select coalesce(sum(upper(one) - lower(one)), 0) from unnest(${seenBy(run)}) as one)
      + (select count(distinct external_id) from ${stagedBy(run)} s where seq is null or not seq <@ ${seenBy(run)}))::int as staged
    from account a where a.instance_id = ${instanceId} and a.gone_at is null`)
  return one(rows, 'a count returns a row')
}
