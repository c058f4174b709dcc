// Migrations: applied in order at every start, one process at a time.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { drizzle } from 'drizzle-orm/postgres-js'
import { migrate as apply } from 'drizzle-orm/postgres-js/migrator'
import postgres from 'postgres'
import { isLockTimeout } from './db.ts'

/** The advisory lock that a migrating process holds; any constant, as long as nothing else uses it. */
const migrationLock = 7_215_001

/** A migration waits for no lock longer than this: not for another process that migrates, nor for who uses a table. */
const lockMs = 10 * 60_000

/**
 * Bring the database at `url` up to the newest migration in `folder`; a second process waits for the first. A role that may
 * not change the schema is enough when there is nothing to do. Throws what to do when it has waited for `waitMs` (10 minutes
 * unless told).
 */
export async function migrate(url: string, folder: string, waitMs = lockMs): Promise<void> {
  // A process whose machine has died gives up its lock within two minutes.
  const connection = {
    application_name: 'saasm-migrate',
    lock_timeout: waitMs,
    ...{ tcp_keepalives_idle: 30, tcp_keepalives_interval: 10, tcp_keepalives_count: 6 },
  }
  const sql = postgres(url, { max: 1, onnotice: () => {}, connect_timeout: 10, connection })
  try {
    if (await isUpToDate(sql, folder)) return
    await sql`select pg_advisory_lock(${migrationLock})`
    await apply(drizzle(sql), { migrationsFolder: folder })
  } catch (error) {
    if (!isLockTimeout(error)) throw error
    throw new Error(
      `The database could not be brought up to date: something has held a lock for ${Math.ceil(waitMs / 60_000)} min. Another saasm may be doing it, or a long statement uses a table. pg_stat_activity shows who; end it, and start again.`,
      { cause: error },
    )
  } finally {
    await sql.end({ timeout: 5 })
  }
}

async function isUpToDate(sql: postgres.Sql, folder: string): Promise<boolean> {
  const { entries } = JSON.parse(await readFile(join(folder, 'meta', '_journal.json'), 'utf8')) as {
    entries: { when: number }[]
  }
  const newest = Math.max(...entries.map(({ when }) => when))
  const [made] = await sql`select to_regclass('drizzle.__drizzle_migrations') as name`
  if (!made?.name) return false
  const [last] = await sql`select max(created_at)::float8 as at from drizzle.__drizzle_migrations`
  return Number(last?.at ?? 0) >= newest
}
