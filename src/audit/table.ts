// The audit table: every change, who made it and from where; written in the transaction of the change, never changed.
import { sql } from 'drizzle-orm'
import { bigint, index, jsonb, pgTable, text, timestamp, uuid } from 'drizzle-orm/pg-core'

export const auditTable = pgTable(
  'audit',
  {
    id: bigint('id', { mode: 'number' }).primaryKey().generatedAlwaysAsIdentity(),
    at: timestamp('at', { withTimezone: true, mode: 'date' }).notNull().default(sql`now()`),
    teamId: text('team_id').notNull(),
    /** A Slack user id, or `saasm`. */
    actor: text('actor').notNull(),
    /** Where from: `command`, `button`, `modal`, `sweep`, `run`, or who runs saasm: `operator`. */
    source: text('source').notNull(),
    /** `instance.created`, `instance.updated`, … */
    action: text('action').notNull(),
    /** No foreign key: an audit row outlives what it tells of. */
    instanceId: uuid('instance_id'),
    instanceName: text('instance_name'),
    before: jsonb('before').$type<Record<string, unknown>>(),
    after: jsonb('after').$type<Record<string, unknown>>(),
  },
  table => [
    index('audit_team').on(table.teamId, table.id),
    index('audit_instance').on(table.instanceId, table.id),
  ],
)
