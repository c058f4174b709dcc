// The pages of a run: adopted by a later claim, in whole ones from the first, or dropped with everything staged.
import { type SQL, sql } from 'drizzle-orm'
import type { Cursor } from '../connectors/engine.ts'
import type { Conn, Db, Tx } from '../db/db.ts'
import type { Reading, StagingFor } from './stage.ts'
import { accountProblemTable } from './table.ts'

/** Pages older than this are not gone on with, in hours: who was read then may not be there any more. */
export const pageHoursMax = 6
/** The most problems kept for one run; further ones are counted only. */
export const problemsMax = 1_000

/** Where an earlier claim of the run stopped. */
export interface Adopted {
  pages: number
  people: number
  problems: number
  cursor: Cursor
}

interface PageRow extends Record<string, unknown> {
  page: number
  people: number
  problems: number
  cursor: Cursor | null
  whole: boolean
}

/**
 * Take over the whole pages of the claim before this one, from the first to the last that the stream can go on from, and
 * drop what else the run has. Undefined: there is nothing to go on with, and the run begins with nothing staged.
 */
export async function adoptPages(db: Db, reading: Reading): Promise<Adopted | undefined> {
  return db.transaction(async tx => {
    const pages = await pagesBefore(tx, reading)
    const gap = pages.findIndex(({ page, whole }, at) => page !== at + 1 || !whole)
    const whole = gap < 0 ? pages : pages.slice(0, gap)
    const end = whole.findLastIndex(({ cursor }) => cursor !== null)
    const last = whole[end]
    const adopted = whole.slice(0, end + 1)
    if (adopted.length > 0)
      await tx.execute(sql`
        update account_page set fence = ${reading.fence}
        where run_id = ${reading.runId} and page <= ${adopted.length} and fence = ${newestBefore(reading)}`)
    await dropPages(tx, { runId: reading.runId, fence: reading.fence - 1 })
    if (!last?.cursor) {
      await tx.delete(accountProblemTable).where(sql`run_id = ${reading.runId}`)
      return undefined
    }
    const people = adopted.reduce((sum, page) => sum + page.people, 0)
    return { pages: adopted.length, people, problems: last.problems, cursor: last.cursor }
  })
}

/** How many batches of a run are staged, as an expression; 0 where one before the last is not there. */
export function stagedOf(runId: SQL): SQL {
  return sql`(
    select case when count(distinct page) = max(page) then max(page) else 0 end from account_page where run_id = ${runId})`
}

/** In order; none if one is of another generation or too old: half a directory of yesterday is none of today. */
async function pagesBefore(tx: Tx, reading: Reading): Promise<PageRow[]> {
  return tx.execute<PageRow>(sql`
    select p.page, p.people, p.problems, p.cursor,
      p.staged = coalesce(s.n, 0) and p.generation = ${reading.generation}
        and p.at > now() - make_interval(hours => ${pageHoursMax}) as whole
    from account_page p left join (
      select page, fence, count(*) as n from account_staging where run_id = ${reading.runId} group by 1, 2) s
      on s.page = p.page and s.fence = p.written_by
    where p.run_id = ${reading.runId} and p.fence = ${newestBefore(reading)}
    order by p.page for update of p`)
}

const newestBefore = ({ runId, fence }: StagingFor) =>
  sql`(select max(fence) from account_page where run_id = ${runId} and fence < ${fence})`

/** The runs that have pages or rows in staging; looked up one after the other, so that a large staging costs no more than a small one. */
export async function stagedRuns(conn: Conn): Promise<string[]> {
  const rows = await conn.execute<{ id: string }>(sql`
    with recursive runs(id) as (
      (select run_id from account_staging order by run_id limit 1)
      union all
      select (select s.run_id from account_staging s where s.run_id > runs.id order by s.run_id limit 1)
      from runs where runs.id is not null)
    select id from runs where id is not null
    union select distinct run_id from account_page`)
  return rows.map(row => row.id)
}

/** Drop all that is staged for these runs, which have ended. */
export async function dropStaging(conn: Conn, runIds: readonly string[]): Promise<void> {
  if (runIds.length === 0) return
  await conn.execute(sql`delete from account_page where run_id in ${runIds}`)
  await conn.execute(sql`delete from account_staging where run_id in ${runIds}`)
}

/** Drop what this claim of the run and earlier ones have staged; a later claim's rows are not ours to take. */
export async function clearStaging(conn: Conn, run: StagingFor): Promise<void> {
  await dropPages(conn, run)
}

async function dropPages(conn: Conn, { runId, fence }: StagingFor): Promise<void> {
  await conn.execute(sql`delete from account_page where run_id = ${runId} and fence <= ${fence}`)
  // Rows of a page that a later claim has adopted are that claim's. A statement of its own: it must see an adoption that the
  // one before has waited for.
  await conn.execute(sql`
    delete from account_staging s where s.run_id = ${runId} and s.fence <= ${fence} and not exists (
      select 1 from account_page p where p.run_id = s.run_id and p.page = s.page and p.written_by = s.fence)`)
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
