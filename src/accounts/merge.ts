// The merge: staged accounts become the instance's accounts, in the caller's one transaction, counting what changed.
import { type SQL, sql } from 'drizzle-orm'
import { checkAnew, checkByOnePlan, type Tx } from '../db/db.ts'
import { one } from '../lib/assert.ts'
import { clearStaging } from './pages.ts'
import {
  foundBy,
  joinBySize,
  looksUp,
  type MergePlan,
  meeting,
  placesOfVanished,
  planMerge,
  stagedBy,
  vanishedFrom,
} from './plan.ts'
import type { StagingFor } from './stage.ts'

export interface MergeSummary {
  added: number
  changed: number
  removed: number
  unchanged: number
}

export interface MergeOptions {
  now: Date
  /** `keep` marks nobody gone. */
  removals: 'apply' | 'keep'
  /** Of this run in this transaction; made when it is not given. */
  plan?: MergePlan
  /** The run that wrote what this one remembered (`Lesson.from`): who was marked gone by then was not known again. */
  from?: string | null
}

/** Merge what is staged. A person who comes back counts as added and is the same account. The staging of the run is emptied. */
export async function mergeStaged(
  tx: Tx,
  instanceId: string,
  run: StagingFor,
  options: MergeOptions,
): Promise<MergeSummary> {
  if (run.loaded !== undefined) return { added: run.loaded, changed: 0, removed: 0, unchanged: 0 }
  const plan = options.plan ?? (await planMerge(tx, instanceId, run))
  const now = options.now.toISOString()
  const { listed, rows } = plan
  // Marked before anybody is inserted: those were seen by no page.
  const removed =
    options.removals === 'apply' && plan.vanished > 0 ? await markGone(tx, instanceId, run, { now, plan }) : 0
  const size = { rows, before: plan.before, repeats: listed > plan.staged }
  const written = rows > 0 ? await writeStaged(tx, instanceId, run, { now, ...size }) : nothing
  // It reads the pages that are cleared next: not sent together, whose order would then matter.
  const revived = await revive(tx, instanceId, run, { now, from: options.from ?? null })
  await clearStaging(tx, run)
  return {
    added: written.inserted + written.returned + revived,
    changed: written.updated - written.returned,
    removed,
    unchanged: plan.staged - written.inserted - written.updated - revived,
  }
}

const nothing = { returned: 0, inserted: 0, updated: 0 }

async function writeStaged(
  tx: Tx,
  instanceId: string,
  run: StagingFor,
  { now, rows, before, repeats }: { now: string; rows: number; before: number; repeats: boolean },
): Promise<typeof nothing> {
  // A vendor that lists somebody twice keeps the first spelling by hash order, always the same one.
  const staged = repeats
    ? sql`(select distinct on (external_id) * from ${stagedBy(run)} t order by external_id, hash)`
    : stagedBy(run)
  const sizes = { rows, of: before }
  const { s, instance } = meeting(staged, instanceId, looksUp(sizes))
  const better = repeats ? sql`and not (a.hash < s.hash and a.seq <@ ${sameBy(run)})` : sql``
  const returning = looksUp(sizes)
    ? // No condition of `account`: by its index of gone people all of them would be read for each of the staged.
      sql`select count(*)::int as n from ${s} where s.seq is not null
        and (select a.gone_at from account a where a.instance_id = ${instance} and a.external_id = s.external_id) is not null`
    : sql`select count(*)::int as n from account a where a.instance_id = ${instance} and a.gone_at is not null
        and exists (select 1 from ${s} where s.seq is not null and s.external_id = a.external_id)`
  const update = sql`
    with done as (
      update account a set email = s.email, name = s.name, status = s.status, kind = s.kind, roles = s.roles, admin = s.admin,
        licences = s.licences, mfa = s.mfa, last_active_at = s.last_active_at, created_at = s.created_at, hash = s.hash,
        gone_at = null, gone_run_id = null
      from ${s}
      where s.seq is not null and a.instance_id = ${instance} and a.external_id = s.external_id and (a.hash <> s.hash or a.gone_at is not null) ${better}
      returning 1)
    select count(*)::int as n from done`
  const insert = sql`
    with by as materialized (select ${checkByOnePlan}),
    done as (
      insert into account (instance_id, external_id, email, name, status, kind, roles, admin, licences, mfa, last_active_at, created_at, hash, first_seen_at)
      select ${instanceId}, s.external_id, s.email, s.name, s.status, s.kind, s.roles, s.admin, s.licences, s.mfa, s.last_active_at, s.created_at, s.hash, ${now}
      from by, ${s}
      where s.seq is null and not exists (select 1 from account a where a.instance_id = ${instance} and a.external_id = s.external_id)
      returning 1)
    select count(*)::int as n from done`
  const [, returned, updated, inserted] = await Promise.all([
    joinBySize(tx, sizes),
    // How many of those who are updated next are gone.
    count(tx, returning),
    count(tx, update),
    count(tx, insert),
    tx.execute(sql`select ${checkAnew}`),
  ])
  return { returned, inserted, updated }
}

/** As `count`, an async function: what is sent together goes out in the order of the calls only if all of it takes as many turns. */
async function joinByKey(tx: Tx): Promise<void> {
  await tx.execute(
    sql`select set_config('enable_nestloop', 'on', true), set_config('enable_hashjoin', 'off', true), set_config('enable_mergejoin', 'off', true)`,
  )
}

/** The clocks of two processes may differ so far, in minutes. */
const skewMinutes = 5

/** Who was seen as they are, and marked gone since (a person allowed an older run's removal), is back. */
async function revive(
  tx: Tx,
  instanceId: string,
  run: StagingFor,
  { now, from }: { now: string; from: string | null },
): Promise<number> {
  // Neither whom this merge has marked nor, by the thousand, whom earlier ones have: none of them was seen.
  return count(
    tx,
    sql`
    with done as (
      update account a set gone_at = null, gone_run_id = null
      where a.instance_id = ${instanceId} and (a.gone_at < ${now} or a.gone_at > ${now})
        and a.gone_at > (select coalesce(max(ended_at) - make_interval(mins => ${skewMinutes}), '-infinity') from sync_run where id = ${from})
        and a.seq <@ ${foundBy(run)}
      returning 1)
    select count(*)::int as n from done`,
  )
}

/** Whom a run saw unchanged. */
const sameBy = (run: StagingFor) => sql`(
  select coalesce(range_agg(case staged when 0 then found else same end), '{}')
  from account_page where run_id = ${run.runId} and fence = ${run.fence})`

async function markGone(
  tx: Tx,
  instanceId: string,
  run: StagingFor,
  { now, plan }: { now: string; plan: MergePlan },
): Promise<number> {
  // Where each is, is the only way to them that Postgres may see: for an instance that its statistics do not know it expects
  // next to nobody, and held everybody of all instances against each who is looked for. 15,000 of 100,000 took minutes.
  const mark = async (places: SQL) => {
    const [, marked] = await Promise.all([
      joinByKey(tx),
      count(
        tx,
        sql`
        with done as (
          update account a set gone_at = ${now}, gone_run_id = ${run.runId}
          where a.ctid = any(array(select at from ${places} place))
            and case when a.instance_id = ${instanceId} and a.gone_at is null then ${vanishedFrom(run)} end
          returning 1)
        select count(*)::int as n from done`,
      ),
    ])
    return marked
  }
  const { vanished, vanishedAt } = plan
  const found = vanishedAt ? await mark(sql`(select unnest(${vanishedAt}::text::tid[]) as at)`) : 0
  if (found === vanished) return found
  // They are too many to be sent to and fro, or a row that was written meanwhile is somewhere else by now.
  return found + (await mark(placesOfVanished(instanceId, run)))
}

async function count(tx: Tx, query: SQL): Promise<number> {
  const rows = await tx.execute<{ n: number }>(query)
  return one(rows, 'a count returns a row').n
}
