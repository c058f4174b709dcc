// Taking one person out: their accounts in every instance, by address, and the rows of theirs that could not be read.
import { sql } from 'drizzle-orm'
import type { Conn, Tx } from '../db/db.ts'
import { forgetMemory } from './memory.ts'

export interface ForgottenAccounts {
  /** Instances that had an account of theirs; a vendor that still lists them brings it back. */
  instanceIds: string[]
  accounts: number
  problems: number
  /** What they were called there: names and vendors' ids. */
  names: string[]
}

/** Delete every account of this address (in lower case), vanished ones too. */
export async function forgetAccounts(tx: Tx, email: string): Promise<ForgottenAccounts> {
  const gone = await tx.execute<{ instance_id: string; external_id: string; name: string | null }>(sql`
    delete from account where lower(email) = ${email} or lower(external_id) = ${email}
    returning instance_id, external_id, name`)
  const instanceIds = [...new Set(gone.map(row => row.instance_id))]
  await forgetMemory(tx, instanceIds)
  const ids = gone.map(row => row.external_id)
  const problems = await tx.execute(sql`
    delete from account_problem
    where lower(external_id) = ${email} or strpos(lower(message), ${email}) > 0
      ${ids.length > 0 ? sql`or external_id in ${ids}` : sql``}
    returning run_id`)
  const names = gone.flatMap(row => [row.name, row.external_id]).filter(name => name !== null)
  return {
    instanceIds,
    accounts: gone.length,
    problems: problems.length,
    names: [...new Set(names)].filter(name => name.trim() !== ''),
  }
}

/** Delete up to `limit` rows that could not be read, of runs that are not kept any more. */
export async function purgeProblems(conn: Conn, limit: number): Promise<number> {
  const rows = await conn.execute(sql`
    delete from account_problem where (run_id, position) in (
      select run_id, position from account_problem p where not exists (select 1 from sync_run r where r.id = p.run_id)
      limit ${limit})
    returning run_id`)
  return rows.length
}
