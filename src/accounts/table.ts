// The account tables: who has an account where, the staging of a run under way, and the rows a run could not read.
import { sql } from 'drizzle-orm'
import {
  bigint,
  boolean,
  index,
  integer,
  pgTable,
  primaryKey,
  text,
  timestamp,
  uuid,
} from 'drizzle-orm/pg-core'
import type { AccountKind, AccountStatus } from '../connectors/account.ts'
import { instanceTable } from '../instances/table.ts'

const at = (name: string) => timestamp(name, { withTimezone: true, mode: 'date' })

const person = () => ({
  externalId: text('external_id').notNull(),
  email: text('email'),
  name: text('name'),
  status: text('status').$type<AccountStatus>().notNull(),
  kind: text('kind').$type<AccountKind>().notNull(),
  roles: text('roles').array().notNull(),
  admin: boolean('admin'),
  licences: text('licences').array().notNull(),
  mfa: boolean('mfa'),
  lastActiveAt: at('last_active_at'),
  createdAt: at('created_at'),
  /** SHA-256 (first 16 bytes, hex) of what is stored, in a fixed order of fields. */
  hash: text('hash').notNull(),
})

/** Read by plain SQL only. @public */
export const accountTable = pgTable(
  'account',
  {
    instanceId: uuid('instance_id')
      .notNull()
      .references(() => instanceTable.id),
    ...person(),
    firstSeenAt: at('first_seen_at').notNull(),
    /** When a run no longer found it; null: reported. */
    goneAt: at('gone_at'),
    goneRunId: uuid('gone_run_id'),
    /** The held run that did not find it; null: it is there, or gone. */
    missingRunId: uuid('missing_run_id'),
    /** Since when runs have not found it, or have found it disabled, while it is held back. */
    missingSince: at('missing_since'),
    /** The status that a held run found in place of this one; null: it did not find the person at all. */
    heldStatus: text('held_status').$type<AccountStatus>(),
  },
  table => [
    primaryKey({ columns: [table.instanceId, table.externalId] }),
    // One person in all applications, and who is in no other one.
    index('account_email').on(sql`lower(email)`),
    // Whom a held run did not find.
    index('account_missing').on(table.instanceId, table.missingRunId).where(sql`missing_run_id is not null`),
    // The purge's question.
    index('account_gone').on(table.goneAt).where(sql`gone_at is not null`),
  ],
)

/** Unlogged after its migration: a crash empties it, and the run starts again. */
export const accountStagingTable = pgTable(
  'account_staging',
  { runId: uuid('run_id').notNull(), fence: bigint('fence', { mode: 'number' }).notNull(), ...person() },
  table => [index('account_staging_run').on(table.runId, table.fence)],
)

export const accountProblemTable = pgTable(
  'account_problem',
  {
    runId: uuid('run_id').notNull(),
    position: integer('position').notNull(),
    /** The vendor's id of the row where it could be read. */
    externalId: text('external_id'),
    message: text('message').notNull(),
  },
  table => [primaryKey({ columns: [table.runId, table.position] })],
)
