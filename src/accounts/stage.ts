// Staging: a run's pages go to Postgres by COPY, under the run's fence, and are nobody's accounts until they are merged.
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { finished } from 'node:stream/promises'
import { inArray, sql } from 'drizzle-orm'
import type { Account } from '../connectors/account.ts'
import type { Conn, Db } from '../db/db.ts'
import { accountProblemTable, accountStagingTable } from './table.ts'

/** A run under one claim: rows of an older fence are never merged. */
export interface StagingFor {
  runId: string
  fence: number
}

/** The most problems kept for one run; further ones are counted only. */
export const problemsMax = 1_000

/** Drop what this claim of the run and earlier ones have staged; a later claim's rows are not ours to take. */
export async function clearStaging(conn: Conn, run: StagingFor): Promise<void> {
  await conn.delete(accountStagingTable).where(sql`run_id = ${run.runId} and fence <= ${run.fence}`)
}

/** The runs that have rows in staging; looked up one after the other, so that a large staging costs no more than a small one. */
export async function stagedRuns(conn: Conn): Promise<string[]> {
  const rows = await conn.execute<{ id: string }>(sql`
    with recursive runs(id) as (
      (select run_id from account_staging order by run_id limit 1)
      union all
      select (select s.run_id from account_staging s where s.run_id > runs.id order by s.run_id limit 1)
      from runs where runs.id is not null)
    select id from runs where id is not null`)
  return rows.map(row => row.id)
}

/** Drop all that is staged for these runs, which have ended. */
export async function dropStaging(conn: Conn, runIds: readonly string[]): Promise<void> {
  if (runIds.length > 0)
    await conn.delete(accountStagingTable).where(inArray(accountStagingTable.runId, [...runIds]))
}

/** Put one page into staging. */
export async function stageAccounts(db: Db, run: StagingFor, accounts: readonly Account[]): Promise<void> {
  if (accounts.length === 0) return
  const copy =
    await db.sql`copy account_staging (run_id, fence, external_id, email, name, status, kind, roles, admin, licences, mfa, last_active_at, created_at, hash) from stdin`.writable()
  const done = finished(copy)
  const text = accounts.map(account => lineOf(run, account)).join('')
  if (!copy.write(text)) await Promise.race([once(copy, 'drain'), done])
  copy.end()
  await done
}

/** How many rows this claim of the run has in staging. Staging is unlogged: a crash of Postgres empties it. */
export async function countStaged(conn: Conn, run: StagingFor): Promise<number> {
  return conn.$count(accountStagingTable, sql`run_id = ${run.runId} and fence = ${run.fence}`)
}

/** Keep the rows that could not be read, for people: at most `problemsMax` a run. */
export async function stageProblems(
  conn: Conn,
  runId: string,
  from: number,
  problems: readonly { externalId: string | null; message: string }[],
): Promise<void> {
  const kept = problems.slice(0, Math.max(0, problemsMax - from))
  if (kept.length === 0) return
  const rows = kept.map((problem, at) => ({ runId, position: from + at, ...problem }))
  await conn.insert(accountProblemTable).values(rows).onConflictDoNothing()
}

/** What of an account is stored, in a fixed order: two accounts with one hash are the same row. */
export function hashOf(account: Account): string {
  const fields = [
    account.email,
    account.name,
    account.status,
    account.kind,
    account.roles,
    account.admin,
    account.licences,
    account.mfa,
    account.lastActiveAt?.getTime() ?? null,
    account.createdAt?.getTime() ?? null,
  ]
  return createHash('sha256').update(JSON.stringify(fields)).digest('hex').slice(0, 32)
}

/** One line of COPY's text format. */
function lineOf(run: StagingFor, account: Account): string {
  const cells = [
    run.runId,
    String(run.fence),
    account.externalId,
    account.email,
    account.name,
    account.status,
    account.kind,
    arrayText(account.roles),
    account.admin === null ? null : String(account.admin),
    arrayText(account.licences),
    account.mfa === null ? null : String(account.mfa),
    account.lastActiveAt?.toISOString() ?? null,
    account.createdAt?.toISOString() ?? null,
    hashOf(account),
  ]
  return `${cells.map(cellText).join('\t')}\n`
}

function cellText(cell: string | null): string {
  if (cell === null) return '\\N'
  return cell.replaceAll('\\', '\\\\').replaceAll('\t', '\\t').replaceAll('\n', '\\n').replaceAll('\r', '\\r')
}

function arrayText(items: readonly string[]): string {
  const quoted = items.map(item => `"${item.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`)
  return `{${quoted.join(',')}}`
}
