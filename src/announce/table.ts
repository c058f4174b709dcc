// The announce tables: incidents, and the outbox with one row for each telling to one destination.
import { sql } from 'drizzle-orm'
import {
  bigint,
  index,
  integer,
  jsonb,
  pgTable,
  text,
  timestamp,
  uniqueIndex,
  uuid,
} from 'drizzle-orm/pg-core'
import { instanceTable } from '../instances/table.ts'
import type { Announcement } from './announcement.ts'

const at = (name: string) => timestamp(name, { withTimezone: true, mode: 'date' })

/** From the first failure to the recovery; one Slack message a channel, edited as it goes on. */
export const incidentTable = pgTable(
  'incident',
  {
    id: uuid('id').primaryKey(),
    instanceId: uuid('instance_id')
      .notNull()
      .references(() => instanceTable.id),
    openedAt: at('opened_at').notNull(),
    closedAt: at('closed_at'),
    faultCode: text('fault_code').notNull(),
  },
  table => [uniqueIndex('incident_open').on(table.instanceId).where(sql`closed_at is null`)],
)

export type OutboxState = 'pending' | 'sending' | 'sent' | 'parked'

export const outboxTable = pgTable(
  'outbox',
  {
    /** Also Resend's idempotency key (`saasm/<id>`) and the key in a Slack message's metadata. */
    id: uuid('id').primaryKey(),
    teamId: text('team_id').notNull(),
    instanceId: uuid('instance_id').references(() => instanceTable.id),
    /** The instance's transitionSeq this tells of. */
    transitionSeq: integer('transition_seq').notNull(),
    /** `email`, `slack` (a new post), `slack-edit` (the incident's message), `slack-direct` (to one person). */
    medium: text('medium').$type<'email' | 'slack' | 'slack-edit' | 'slack-direct'>().notNull(),
    /** An e-mail address, a channel, or a Slack user id. */
    destination: text('destination').notNull(),
    incidentId: uuid('incident_id').references(() => incidentTable.id),
    /** For `slack-edit`: the row whose message it edits, where that is no incident's. */
    edits: uuid('edits'),
    announcement: jsonb('announcement').$type<Announcement>().notNull(),
    /** What is sent, rendered once: an e-mail's bytes may not change under one idempotency key. */
    rendered: jsonb('rendered').$type<Record<string, unknown>>(),
    state: text('state').$type<OutboxState>().notNull(),
    attempt: integer('attempt').notNull().default(0),
    dueAt: at('due_at').notNull(),
    leaseUntil: at('lease_until'),
    leaseOwner: text('lease_owner'),
    fence: bigint('fence', { mode: 'number' }).notNull().default(0),
    /** When a first send began: after it an answer may be lost and the message posted all the same. */
    firstSentAt: at('first_sent_at'),
    /** For people: why it waits or is parked. */
    reason: text('reason'),
    /** Slack's channel id and ts of the message, or Resend's id. */
    sentChannel: text('sent_channel'),
    sentRef: text('sent_ref'),
    createdAt: at('created_at').notNull(),
    sentAt: at('sent_at'),
  },
  table => [
    // Nothing is told twice: one row a transition, medium and destination.
    uniqueIndex('outbox_once')
      .on(table.instanceId, table.transitionSeq, table.medium, table.destination)
      .where(sql`instance_id is not null`),
    // The claim's question.
    index('outbox_due').on(table.dueAt).where(sql`state in ('pending', 'sending')`),
    // What a team is told could not be delivered.
    index('outbox_parked').on(table.teamId, table.createdAt).where(sql`state = 'parked'`),
    // Which message an incident has in a channel.
    index('outbox_incident').on(table.incidentId),
    // What edits one message goes out in its order.
    index('outbox_edits').on(table.edits).where(sql`edits is not null`),
  ],
)
