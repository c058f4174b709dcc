// What was heard already, by any process: a signed request that comes again, here or elsewhere, has its effect once.
import { sql } from 'drizzle-orm'
import type { Db } from '../db/db.ts'
import type { Log } from '../lib/log.ts'
import { heardTable } from './table.ts'

/** A stamp is fresh for 5 minutes to either side: after 15 nothing of the same signature is let in any more. */
const rememberedMinutes = 15
const purgeEveryMs = 60_000
const purgeMax = 10_000

/**
 * True for the first who asks about this doing. It is written down before the effect: a process that dies between the two
 * leaves a press without an answer, and the next press is another doing. Slack itself never sends these again.
 */
export function createHeard(db: Db, log: Log): (once: string) => Promise<boolean> {
  let purgedAt = 0

  async function purge(): Promise<void> {
    await db.conn.execute(sql`
      delete from heard where once in (
        select once from heard where at < now() - make_interval(mins => ${rememberedMinutes}) limit ${purgeMax})`)
  }

  return async once => {
    if (once === '') return true
    try {
      const rows = await db.conn
        .insert(heardTable)
        .values({ once })
        .onConflictDoNothing()
        .returning({ once: heardTable.once })
      if (Date.now() - purgedAt > purgeEveryMs) {
        purgedAt = Date.now()
        await purge()
      }
      return rows.length > 0
    } catch (error) {
      // Without the database nothing has an effect either; help still answers.
      log.warn({ reason: String(error) }, 'It could not be written down what was heard')
      return true
    }
  }
}
