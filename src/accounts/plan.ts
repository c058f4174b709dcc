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
  /** Where those who vanished are (a `tid[]`), unless they are many. */
  vanishedAt: string | null
}

/** More people than these are looked for again, when they are marked. */
const placesMax = 2_000

/**
 * The staged rows of a run's own pages, as a table expression. Page and writer are one number, looked up in a set that is
 * computed once: a join of the two was planned for one row, and took the square of them.
 */
export function stagedBy(run: StagingFor): SQL {
  return sql`(select s.* from account_staging s
    where s.run_id = ${run.runId} and (s.fence << 32) + s.page <@ (
      select coalesce(range_agg(int8range((written_by << 32) + page, (written_by << 32) + page + 1)), '{}')
      from account_page where run_id = ${run.runId} and fence = ${run.fence}))`
}

/** Whom a run found who was there already: a set of `seq`, computed once a statement. */
export function foundBy(run: StagingFor): SQL {
  return sql`(select coalesce(range_agg(found), '{}') from account_page where run_id = ${run.runId} and fence = ${run.fence})`
}

/** Condition on a reported `account a` of the instance: this run did not find them. */
export function vanishedFrom(run: StagingFor): SQL {
  return run.loaded === undefined ? sql`not (a.seq <@ ${foundBy(run)})` : sql`false`
}

/** What a merge would do; the caller decides with it whether removals are believed. */
export async function planMerge(tx: Tx, instanceId: string, run: StagingFor): Promise<MergePlan> {
  if (run.loaded !== undefined) return { before: 0, staged: run.loaded, vanished: 0, vanishedAt: null }
  const vanished = sql`filter (where ${vanishedFrom(run)})`
  const rows = await tx.execute<MergePlan & Record<string, unknown>>(sql`
    select count(*)::int as before, count(*) ${vanished}::int as vanished,
      case when count(*) ${vanished} <= ${placesMax} then (array_agg(a.ctid) ${vanished})::text end as "vanishedAt", (
      (select coalesce(sum(upper(one) - lower(one)), 0) from unnest(${foundBy(run)}) as one)
      + (select count(*) from (select 1 from ${stagedBy(run)} s where seq is null group by external_id) added))::int as staged
    from account a where a.instance_id = ${instanceId} and a.gone_at is null`)
  return one(rows, 'a count returns a row')
}

/** Memory of one sort or hash of a merge, of which at most a few run at once. */
const workMemory = '64MB'
/** Beyond this share of the people reported, they are all read instead of each looked up. */
const lookUpShareMax = 0.05

/**
 * What Postgres knows of a staging of a minute ago is nothing: how `rows` of it are joined with the `of` people reported is
 * decided by these real sizes, until the transaction ends.
 */
export async function joinBySize(tx: Tx, { rows, of }: { rows: number; of: number }): Promise<void> {
  const lookUp = rows < of * lookUpShareMax
  await tx.execute(sql`select set_config('work_mem', ${workMemory}, true), set_config('enable_nestloop', ${lookUp ? 'on' : 'off'}, true),
    set_config('enable_hashjoin', ${lookUp ? 'off' : 'on'}, true), set_config('enable_mergejoin', 'off', true)`)
}
