// The instance table: one row an integrated application, with its status, schedule and sealed credentials.
import { sql } from 'drizzle-orm'
import { index, integer, jsonb, pgTable, text, timestamp, uniqueIndex, uuid } from 'drizzle-orm/pg-core'
import type { InactiveReason, InstanceStatus, LastOutcome } from './instance.ts'

const at = (name: string) => timestamp(name, { withTimezone: true, mode: 'date' })

export const instanceTable = pgTable(
  'instance',
  {
    id: uuid('id').primaryKey(),
    teamId: text('team_id').notNull(),
    name: text('name').notNull(),
    /** A connector's id. */
    connector: text('connector').notNull(),
    /** The vendor's own id of the tenant, to notice the same one connected twice. */
    tenantKey: text('tenant_key'),
    tenantName: text('tenant_name'),
    /** The credential fields that are no secret (host, organisation), as typed. */
    settings: jsonb('settings').$type<Record<string, string>>().notNull().default({}),
    /** The secret fields, sealed (instances/seal.ts). Null once the instance is deleted. */
    sealed: text('sealed'),
    status: text('status').$type<InstanceStatus>().notNull(),
    inactiveReason: text('inactive_reason').$type<InactiveReason>(),
    /** For people: why saasm revoked it; names the missing permission when known. */
    inactiveDetail: text('inactive_detail'),
    /** The Slack user who set it Inactive; null when saasm did. */
    inactiveBy: text('inactive_by'),
    inactiveAt: at('inactive_at'),
    /** 1, 6, 12 or 24. */
    scheduleHours: integer('schedule_hours').notNull().default(24),
    nextSyncAt: at('next_sync_at'),
    /** A removal above both is held: this many people, and this share (percent) of those reported before. */
    removalPeopleMax: integer('removal_people_max').notNull().default(10),
    removalPercentMax: integer('removal_percent_max').notNull().default(20),
    /** Slack user id of who answers for it. */
    owner: text('owner').notNull(),
    /** Slack user id of who connected it: the default recipient. */
    createdBy: text('created_by').notNull(),
    /** A channel of its own beside the common one; null: the common one only. */
    channel: text('channel'),
    /** Grows with each change an admin makes; an edit of another version is refused. */
    version: integer('version').notNull().default(1),
    /** Grows with what a run depends on (credentials, settings, users deleted); a merge of another generation is refused. */
    generation: integer('generation').notNull().default(1),
    lastOutcome: text('last_outcome').$type<LastOutcome>().notNull().default('never'),
    /** Fault code of the last failed run: the same code again is not told again. */
    lastFaultCode: text('last_fault_code'),
    lastSuccessAt: at('last_success_at'),
    /** Grows with each announced change of state; part of an outbox row's key. */
    transitionSeq: integer('transition_seq').notNull().default(0),
    createdAt: at('created_at').notNull(),
    updatedAt: at('updated_at').notNull(),
    deletedAt: at('deleted_at'),
  },
  table => [
    // A name is how people call an instance: one of each in a team while it exists.
    uniqueIndex('instance_name').on(table.teamId, sql`lower(${table.name})`).where(sql`deleted_at is null`),
    // The sweep's question: which Live instances are due.
    index('instance_due').on(table.nextSyncAt).where(sql`status = 'live'`),
  ],
)
