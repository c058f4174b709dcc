// People whom a run would take out of reporting although it is not believed: marked with the run, and let go only when a person allows it.
import { type SQL, sql } from 'drizzle-orm'
import type { AccountStatus } from '../connectors/account.ts'
import type { Conn, Db, Tx } from '../db/db.ts'
import { one } from '../lib/assert.ts'
import { forgetMemory } from './memory.ts'
import { disabled, meeting, stagedBy, vanishedFrom } from './plan.ts'
import type { StagingFor } from './stage.ts'

/** Whom a run would take away: those it did not find, and those it found disabled. */
export interface Missing {
  gone: number
  disabled: number
  /** Of who they are and what would become of them: the same set has the same one. */
  hash: string
  /** Names (or addresses) of the first `namesMax`, in order. */
  names: string[]
  /** How many of them a person has decided to keep, and since when the last of those is missing: ISO 8601, UTC. */
  kept: number
  keptUntil: string | null
}

/** Which of them count: a list that is not complete says nothing about who is not in it. */
export interface Counted {
  vanished: boolean
  /** Whom a person has decided to keep does not count. */
  butKept?: boolean
}

/** Whom a person has decided to keep: who is marked by this run, if they are missing since then or longer; null: all of them. */
export interface KeptMark {
  markedBy: string
  /** ISO 8601, UTC. */
  until: string | null
}

/** How many people are named in the question. */
export const namesMax = 20

const enabled = sql`('active', 'invited')`

/**
 * Rows (external_id, status): reported as enabled, and listed as disabled by the run. Who is listed twice, once as enabled,
 * counts too: a hand too careful here only asks. That they are reported is asked in a way that no index answers: in a table
 * that was never analyzed Postgres expects next to nobody in the index of who is, and read all of it for each of them.
 */
function disabledBy(instanceId: string, run: StagingFor, lookUp = false): SQL {
  const { s, instance } = meeting(stagedBy(run), instanceId, lookUp)
  return sql`(
    select s.external_id, min(s.status) as status from ${s}
    join account a on a.instance_id = ${instance} and a.external_id = s.external_id
    where s.seq is not null and s.status in ${disabled}
      and num_nulls(a.gone_at) = 1 and a.status in ${enabled}
    group by s.external_id)`
}

/** How many people that are reported as active or invited this run found suspended or deactivated; `lookUp` as `joinBySize` has it. */
export async function countDisabled(
  tx: Tx,
  instanceId: string,
  run: StagingFor,
  lookUp: boolean,
): Promise<number> {
  const rows = await tx.execute<{ n: number }>(
    sql`select count(*)::int as n from ${disabledBy(instanceId, run, lookUp)} f`,
  )
  return one(rows, 'a count returns a row').n
}

/** Rows (external_id, status): everybody whom the run would take away; no status: it did not find them. */
function lostBy(instanceId: string, run: StagingFor, counted: Counted): SQL {
  const vanished = sql`
    select a.external_id, null::text as status from account a
    where a.instance_id = ${instanceId} and a.gone_at is null and ${vanishedFrom(run)}
    union all`
  return sql`(${counted.vanished ? vanished : sql``} select external_id, status from ${disabledBy(instanceId, run)} f)`
}

/** Is account `a` of somebody who is kept? */
function isKept(kept: readonly KeptMark[]): SQL {
  const each = kept.map(({ markedBy, until }) =>
    until === null
      ? sql`a.missing_run_id = ${markedBy}`
      : sql`(a.missing_run_id = ${markedBy} and a.missing_since <= ${until})`,
  )
  return each.length === 0 ? sql`false` : sql`((${sql.join(each, sql` or `)}) is true)`
}

/** Look at them, and write nothing; before the merge, which empties the staging. */
export async function findMissing(
  tx: Tx,
  instanceId: string,
  run: StagingFor,
  { kept, ...counted }: Counted & { kept: readonly KeptMark[] },
): Promise<Missing> {
  const rows = await tx.execute<{
    gone: number
    disabled: number
    kept: number
    kept_until: string | Date | null
    hash: string | null
    names: string[] | null
  }>(sql`
    with lost as (
      select l.external_id, l.status, coalesce(a.name, a.email, a.external_id) as shown,
        ${isKept(kept)} as kept, a.missing_since
      from ${lostBy(instanceId, run, counted)} l
      join account a on a.instance_id = ${instanceId} and a.external_id = l.external_id
      where ${counted.butKept ? sql`not ${isKept(kept)}` : sql`true`})
    select count(*) filter (where kept)::int as kept, max(missing_since) filter (where kept) as kept_until,
      count(*) filter (where status is null)::int as gone, count(status)::int as disabled,
      md5(string_agg(external_id || chr(9) || coalesce(status, ''), chr(10) order by external_id)) as hash,
      (array_agg(shown order by shown))[1:${sql.raw(String(namesMax))}] as names
    from lost`)
  const row = one(rows, 'a count returns a row')
  const { gone, disabled: off } = row
  const keptUntil = dateOf(row.kept_until)?.toISOString() ?? null
  return { gone, disabled: off, hash: row.hash ?? '', names: row.names ?? [], kept: row.kept, keptUntil }
}

/** Mark them with the run; since when they are missing stays with who was marked before. */
export async function markMissing(
  tx: Tx,
  instanceId: string,
  run: StagingFor,
  options: Counted & { kept: readonly KeptMark[]; now: Date },
): Promise<void> {
  await tx.execute(sql`
    update account a set missing_run_id = ${run.runId}, held_status = lost.status,
      missing_since = coalesce(a.missing_since, ${options.now.toISOString()})
    from ${lostBy(instanceId, run, options)} lost
    where a.instance_id = ${instanceId} and a.external_id = lost.external_id
      and ${options.butKept ? sql`not ${isKept(options.kept)}` : sql`true`}`)
}

/** How many reported people are marked by this run. */
export async function countMarked(conn: Conn, instanceId: string, markedBy: string): Promise<number> {
  const rows = await conn.execute<{ n: number }>(sql`
    select count(*)::int as n from account
    where instance_id = ${instanceId} and missing_run_id = ${markedBy} and gone_at is null`)
  return one(rows, 'a count returns a row').n
}

/** Take who is marked, as missing or disabled, and found disabled out of the run's staging: their accounts stay as they were. */
export async function holdBackDisabled(tx: Tx, instanceId: string, run: StagingFor): Promise<void> {
  await tx.execute(sql`
    delete from account_staging s where s.run_id = ${run.runId}
      and s.external_id in (
        select f.external_id from ${disabledBy(instanceId, run)} f
        join account a on a.instance_id = ${instanceId} and a.external_id = f.external_id and a.missing_run_id is not null)`)
}

/** A complete run has seen who is there: marks of other runs mean nothing any more. */
export async function clearMissing(tx: Tx, instanceId: string, exceptRunId: string | null): Promise<void> {
  const other = exceptRunId === null ? sql`` : sql`and missing_run_id <> ${exceptRunId}`
  await tx.execute(sql`
    update account set missing_run_id = null, missing_since = null, held_status = null
    where instance_id = ${instanceId} and missing_run_id is not null ${other}`)
}

/** Let go whom the run `markedBy` marked: gone who was not found, disabled who was found so; counts of both. */
export async function releaseMissing(
  tx: Tx,
  instanceId: string,
  of: { markedBy: string; runId: string; now: Date },
): Promise<{ removed: number; disabled: number }> {
  // What else the vendor said of them was not taken over: a hash that nothing has lets the next run write it.
  const rows = await tx.execute<{ removed: number; disabled: number }>(sql`
    with held as (
      select instance_id, external_id, held_status from account
      where instance_id = ${instanceId} and missing_run_id = ${of.markedBy} and gone_at is null
      for update),
    done as (
      update account a set missing_run_id = null, missing_since = null, held_status = null,
        gone_at = case when held.held_status is null then ${of.now.toISOString()}::timestamptz end,
        gone_run_id = case when held.held_status is null then ${of.runId}::uuid end,
        status = coalesce(held.held_status, a.status),
        hash = case when held.held_status is null then a.hash else '' end
      from held where a.instance_id = held.instance_id and a.external_id = held.external_id
      returning held.held_status)
    select count(*) filter (where held_status is null)::int as removed, count(held_status)::int as disabled from done`)
  await forgetMemory(tx, [instanceId])
  return one(rows, 'a count returns a row')
}

/** One person of a held set, as the list for download has them. */
export interface HeldPerson {
  externalId: string
  name: string
  email: string
  status: AccountStatus
  /** Null: not found. */
  heldStatus: AccountStatus | null
  lastActiveAt: Date | null
  missingSince: Date | null
}

interface HeldRow extends Record<string, unknown> {
  external_id: string
  name: string | null
  email: string | null
  status: AccountStatus
  held_status: AccountStatus | null
  last_active_at: string | Date | null
  missing_since: string | Date | null
}

/** Read at once. */
const heldPage = 500

/**
 * Whom the run marked and who is still held, by name: `take` is given some hundred at a time, until it says false. They may be
 * a million, and Postgres has the others. A cursor of its own and not the driver's, which ends without a word when it fails.
 */
export async function eachHeld(
  db: Db,
  of: { instanceId: string; markedBy: string },
  take: (people: HeldPerson[]) => Promise<boolean>,
): Promise<void> {
  await db.transaction(async tx => {
    await tx.execute(sql`
      declare held no scroll cursor for
      select external_id, name, email, status, held_status, last_active_at, missing_since from account
      where instance_id = ${of.instanceId} and missing_run_id = ${of.markedBy} and gone_at is null
      order by coalesce(name, email, external_id), external_id`)
    for (;;) {
      const rows = await tx.execute<HeldRow>(sql`fetch forward ${sql.raw(String(heldPage))} from held`)
      if (rows.length === 0 || !(await take(rows.map(personOf)))) return
    }
  })
}

function personOf(row: HeldRow): HeldPerson {
  return {
    externalId: row.external_id,
    name: row.name ?? '',
    email: row.email ?? '',
    status: row.status,
    heldStatus: row.held_status,
    lastActiveAt: dateOf(row.last_active_at),
    missingSince: dateOf(row.missing_since),
  }
}

/** Who stays reported although runs do not find them (or find them disabled): how many, and since when the first. */
export interface Kept {
  people: number
  since: Date
}

/** Of each of these instances; one without any is absent. */
export async function keptOf(conn: Conn, instanceIds: readonly string[]): Promise<Map<string, Kept>> {
  if (instanceIds.length === 0) return new Map()
  const rows = await conn.execute<{ instance_id: string; people: number; since: string | Date }>(sql`
    select instance_id, count(*)::int as people, min(missing_since) as since from account
    where instance_id in ${instanceIds} and missing_run_id is not null and missing_since is not null and gone_at is null
    group by instance_id`)
  return new Map(rows.map(row => [row.instance_id, { people: row.people, since: new Date(row.since) }]))
}

/** How many people of an instance vanished since then and have not come back. */
export async function goneSince(conn: Conn, instanceId: string, since: Date): Promise<number> {
  const rows = await conn.execute<{ n: number }>(sql`
    select count(*)::int as n from account where gone_at >= ${since.toISOString()} and instance_id = ${instanceId}`)
  return one(rows, 'a count returns a row').n
}

function dateOf(value: string | Date | null): Date | null {
  return value === null ? null : new Date(value)
}
