// What a run would take away, before it is merged: the sets of people that the guard against large removals looks at.
import { type SQL, sql } from 'drizzle-orm'
import type { Tx } from '../db/db.ts'
import { one } from '../lib/assert.ts'
import { reportedOf } from './memory.ts'
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
  /** Listed by the vendor; more than `staged`: somebody was listed twice. */
  listed: number
  /** Rows in staging. */
  rows: number
  /** Rows of who was there already that say they are disabled: no more people than these can be newly so. */
  disabled: number
  /** Pages that have all their rows: a crash of Postgres empties what is not logged. */
  pages: number
}

export const disabled = sql`('suspended', 'deactivated')`

/** Beyond every `seq`, and exact in JavaScript. */
const [seqMin, seqMax] = [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER]

/** More people than these are looked for again, when they are marked: their places are sent to and fro, 12 bytes each. */
const placesMax = 20_000

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

/**
 * The staged rows as `s`, to be joined with `account a`, and what its instance is to be. Where each is looked up (`joinBySize`),
 * Postgres must not know which instance that is: of one that its statistics have never seen it expects a single row, reads all
 * of them instead of the one asked for, and takes the product of both.
 */
export function meeting(staged: SQL, instanceId: string, lookUp: boolean): { s: SQL; instance: SQL } {
  if (!lookUp) return { s: sql`${staged} s`, instance: sql`${instanceId}` }
  return {
    s: sql`(select t.*, ${instanceId}::uuid as instance from ${staged} t offset 0) s`,
    instance: sql`s.instance`,
  }
}

/** Whom a run found who was there already: a set of `seq`, computed once a statement. */
export function foundBy(run: StagingFor): SQL {
  return sql`(select coalesce(range_agg(found), '{}') from account_page where run_id = ${run.runId} and fence = ${run.fence})`
}

/** Condition on a reported `account a` of the instance: this run did not find them. */
export function vanishedFrom(run: StagingFor): SQL {
  return run.loaded === undefined ? sql`not (a.seq <@ ${foundBy(run)})` : sql`false`
}

/**
 * Rows (`at`, a `ctid`): where those are whom the run did not find. Each gap is looked up, and no join: where statistics know
 * nothing of the instance, each person would be held against each gap.
 */
export function placesOfVanished(instanceId: string, run: StagingFor): SQL {
  return sql`(
    select gone.at from (select ${instanceId}::uuid as instance offset 0) own
    cross join unnest('{(,)}'::int8multirange - ${foundBy(run)}) as gap cross join lateral (
      select ctid as at from account where instance_id = own.instance and gone_at is null
        and seq >= coalesce(lower(gap), ${seqMin}::int8) and seq < coalesce(upper(gap), ${seqMax}::int8)
      offset 0) gone)`
}

/** What a merge would do; the caller decides with it whether removals are believed. */
export async function planMerge(tx: Tx, instanceId: string, run: StagingFor): Promise<MergePlan> {
  const { loaded } = run
  if (loaded !== undefined) return { ...nobody, staged: loaded, listed: loaded }
  const { there, found, reported, ...pages } = await pagesOf(tx, instanceId, run)
  // Who is missing in staging would be taken for somebody who left.
  if (pages.rows !== there) return { ...nobody, ...pages, pages: 0 }
  // Everybody was found as they are, and they are as many as are reported: nobody has to be looked for.
  if (there === 0 && found === reported) return { ...nobody, ...pages, before: found, staged: found }
  const before =
    reported === null
      ? sql`(select count(*)::int from account where instance_id = ${instanceId} and gone_at is null)`
      : sql`${reported}::int`
  const counted = await tx.execute<Pick<MergePlan, 'before' | 'staged' | 'vanished' | 'vanishedAt'>>(sql`
    with vanished as ${placesOfVanished(instanceId, run)}
    select ${before} as before, count(*)::int as vanished,
      case when count(*) <= ${placesMax} then array_agg(at)::text end as "vanishedAt", ${found}::int + (
        select count(*)::int from (select 1 from ${stagedBy(run)} s where seq is null group by external_id) added) as staged
    from vanished`)
  return { ...pages, ...one(counted, 'a count returns a row') }
}

const nobody = {
  before: 0,
  staged: 0,
  vanished: 0,
  vanishedAt: null,
  listed: 0,
  rows: 0,
  disabled: 0,
  pages: 0,
}

interface Pages extends Record<string, unknown>, Pick<MergePlan, 'pages' | 'listed' | 'rows' | 'disabled'> {
  /** Rows in staging; `rows` are those that there should be. */
  there: number
  /** People who were there already. */
  found: number
  /** People reported; null: they must be counted. */
  reported: number | null
}

async function pagesOf(tx: Tx, instanceId: string, run: StagingFor): Promise<Pages> {
  const rows = await tx.execute<Pages>(sql`
    select p.*, s.*, ${reportedOf(instanceId)} as reported,
      (select coalesce(sum(upper(one) - lower(one)), 0) from unnest(${foundBy(run)}) as one)::int as found
    from (
      select count(*)::int as pages, coalesce(sum(people), 0)::int as listed, coalesce(sum(staged), 0)::int as rows
      from account_page where run_id = ${run.runId} and fence = ${run.fence}) p,
    (
      select count(*)::int as there, count(*) filter (where seq is not null and status in ${disabled})::int as disabled
      from ${stagedBy(run)} staged) s`)
  return one(rows, 'a sum returns a row')
}

/** Memory of one sort or hash of a merge, of which at most a few run at once. */
const workMemory = '64MB'
/** Beyond this share of the people reported, they are all read instead of each looked up. */
const lookUpShareMax = 0.05

/** Are `rows` of a staging looked up among the `of` people reported, one by one? */
export const looksUp = ({ rows, of }: { rows: number; of: number }): boolean => rows < of * lookUpShareMax

/**
 * What Postgres knows of a staging of a minute ago is nothing: how `rows` of it are joined with the `of` people reported is
 * decided by these real sizes, until the transaction ends.
 */
export async function joinBySize(tx: Tx, sizes: { rows: number; of: number }): Promise<void> {
  const lookUp = looksUp(sizes)
  await tx.execute(sql`select set_config('work_mem', ${workMemory}, true), set_config('enable_nestloop', ${lookUp ? 'on' : 'off'}, true),
    set_config('enable_hashjoin', ${lookUp ? 'off' : 'on'}, true), set_config('enable_mergejoin', 'off', true)`)
}
