// The chat table: what was heard from Slack lately, so that nothing that comes again has its effect again.
import { sql } from 'drizzle-orm'
import { index, pgTable, text, timestamp } from 'drizzle-orm/pg-core'

export const heardTable = pgTable(
  'heard',
  {
    /** The trigger id that Slack gives to one doing alone. */
    once: text('once').primaryKey(),
    at: timestamp('at', { withTimezone: true, mode: 'date' }).notNull().default(sql`now()`),
  },
  // The purge's question.
  table => [index('heard_at').on(table.at)],
)
