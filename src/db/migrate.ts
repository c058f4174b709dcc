// Migrations: applied in order at every start, one process at a time.

import { drizzle } from 'drizzle-orm/postgres-js'
import { migrate as apply } from 'drizzle-orm/postgres-js/migrator'
import postgres from 'postgres'

/** The advisory lock that a migrating process holds; any constant, as long as nothing else uses it. */
const migrationLock = 7_215_001

/** Bring the database at `url` up to the newest migration in `folder`; a second process waits for the first. */
export async function migrate(url: string, folder: string): Promise<void> {
  const sql = postgres(url, { max: 1, onnotice: () => {}, connect_timeout: 10 })
  try {
    await sql`select pg_advisory_lock(${migrationLock})`
    await apply(drizzle(sql), { migrationsFolder: folder })
  } finally {
    await sql.end({ timeout: 5 })
  }
}
