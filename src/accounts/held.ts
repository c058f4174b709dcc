// People missing from a list that was not believed: marked with the run, and removed only when a person allows it.
import { sql } from 'drizzle-orm'
import type { Tx } from '../db/db.ts'
import { one } from '../lib/assert.ts'
import { vanishedFrom } from './plan.ts'
import type { StagingFor } from './stage.ts'

export interface Missing {
  count: number
  /** Of the external ids, in order: the same people have the same one. */
  hash: string
  /** Names (or addresses) of the first `namesMax`, in order. */
  names: string[]
}

/** How many people are named in the question. */
export const namesMax = 20

/** Mark who is reported and not in the run's staging; before the merge, which empties it. */
export async function markMissing(tx: Tx, instanceId: string, run: StagingFor): Promise<Missing> {
  const rows = await tx.execute<{ count: number; hash: string | null; names: string[] | null }>(sql`
    with marked as (
      update account a set missing_run_id = ${run.runId}
      where a.instance_id = ${instanceId} and a.gone_at is null
        and ${vanishedFrom(run)}
      returning external_id, coalesce(name, email, external_id) as shown)
    select count(*)::int as count, md5(string_agg(external_id, chr(10) order by external_id)) as hash,
      (array_agg(shown order by shown))[1:${sql.raw(String(namesMax))}] as names
    from marked`)
  const row = one(rows, 'a count returns a row')
  return { count: row.count, hash: row.hash ?? '', names: row.names ?? [] }
}

/** A complete run has seen who is there: older marks mean nothing any more. */
export async function clearMissing(tx: Tx, instanceId: string): Promise<void> {
  await tx.execute(
    sql`update account set missing_run_id = null where instance_id = ${instanceId} and missing_run_id is not null`,
  )
}

/** Mark gone whom this run did not find; returns how many. */
export async function removeMissing(tx: Tx, instanceId: string, runId: string, now: Date): Promise<number> {
  const rows = await tx.execute<{ n: number }>(sql`
    with done as (
      update account set gone_at = ${now.toISOString()}, gone_run_id = ${runId}, missing_run_id = null
      where instance_id = ${instanceId} and missing_run_id = ${runId} and gone_at is null
      returning 1)
    select count(*)::int as n from done`)
  return one(rows, 'a count returns a row').n
}
