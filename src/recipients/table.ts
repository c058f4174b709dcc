// The recipient table: addresses told by e-mail, of every instance or of one.
import { sql } from 'drizzle-orm'
import { jsonb, pgTable, text, timestamp, uniqueIndex, uuid } from 'drizzle-orm/pg-core'
import { instanceTable } from '../instances/table.ts'

export const recipientTable = pgTable(
  'recipient',
  {
    id: uuid('id').primaryKey(),
    teamId: text('team_id').notNull(),
    /** Null: hears of every instance of every integration. */
    instanceId: uuid('instance_id').references(() => instanceTable.id),
    /** As typed, trimmed. */
    email: text('email').notNull(),
    addedBy: text('added_by').notNull(),
    addedAt: timestamp('added_at', { withTimezone: true, mode: 'date' }).notNull(),
  },
  table => [
    // An address once a list, whatever its case.
    uniqueIndex('recipient_address').on(
      table.teamId,
      sql`coalesce(${table.instanceId}, '00000000-0000-0000-0000-000000000000'::uuid)`,
      sql`lower(${table.email})`,
    ),
  ],
)

/** A list that somebody is editing in an open window; dropped with it, or after a day. */
export const recipientDraftTable = pgTable('recipient_draft', {
  id: uuid('id').primaryKey(),
  teamId: text('team_id').notNull(),
  userId: text('user_id').notNull(),
  base: jsonb('base').$type<string[]>().notNull(),
  wanted: jsonb('wanted').$type<string[]>().notNull(),
  at: timestamp('at', { withTimezone: true, mode: 'date' }).notNull(),
})
