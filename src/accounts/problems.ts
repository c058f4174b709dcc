// Rows that a run could not read, as people see them: the vendor's id where there was one, and why.
import { asc, count, eq, inArray } from 'drizzle-orm'
import type { Conn } from '../db/db.ts'
import { accountProblemTable } from './table.ts'

export interface UnreadRow {
  externalId: string | null
  message: string
}

/** How many rows each of these runs could not read; a run that read all is absent. */
export async function countProblems(conn: Conn, runIds: readonly string[]): Promise<Map<string, number>> {
  if (runIds.length === 0) return new Map()
  const rows = await conn
    .select({ runId: accountProblemTable.runId, n: count() })
    .from(accountProblemTable)
    .where(inArray(accountProblemTable.runId, [...runIds]))
    .groupBy(accountProblemTable.runId)
  return new Map(rows.map(row => [row.runId, row.n]))
}

/** The rows of one run, in the order they came. */
export async function listProblems(
  conn: Conn,
  runId: string,
  page: { offset: number; limit: number },
): Promise<UnreadRow[]> {
  return conn
    .select({ externalId: accountProblemTable.externalId, message: accountProblemTable.message })
    .from(accountProblemTable)
    .where(eq(accountProblemTable.runId, runId))
    .orderBy(asc(accountProblemTable.position))
    .offset(page.offset)
    .limit(page.limit)
}
