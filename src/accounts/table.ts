// The account tables: who has an account where, the pages and the staging of a run under way, and the rows it could not read.
import { sql } from 'drizzle-orm'
import {
  bigint,
  boolean,
  customType,
  index,
  integer,
  jsonb,
  pgTable,
  primaryKey,
  text,
  timestamp,
  uuid,
} from 'drizzle-orm/pg-core'
import type { AccountKind, AccountStatus } from '../connectors/account.ts'
import type { Cursor } from '../connectors/engine.ts'
import { instanceTable } from '../instances/table.ts'

const at = (name: string) => timestamp(name, { withTimezone: true, mode: 'date' })

/** Sets of `seq`: people who were listed next to each other take one range together. */
const seqSet = customType<{ data: string }>({ dataType: () => 'int8multirange' })

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
  /** SHA-256 (22 base64url characters, 132 bits) of what is stored, in a fixed order of fields. */
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
    /** A number of one's own, given at the insert in the vendor's order: pages remember whom they saw by it. */
    seq: bigint('seq', { mode: 'number' }).generatedByDefaultAsIdentity({ cache: 1_000 }),
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
    // Who is marked gone moves to the last of these, and is written to no other one but the key.
    // One person in all applications, and who is in no other one.
    index('account_email').on(sql`lower(email)`).where(sql`gone_at is null`),
    // Who is in the gaps between those whom a run found.
    index('account_seq').on(table.instanceId, table.seq).where(sql`gone_at is null`),
    // Whom a held run did not find.
    index('account_missing').on(table.instanceId, table.missingRunId).where(sql`missing_run_id is not null`),
    // Whom the merge may find again, and the purge's question.
    index('account_gone').on(table.instanceId, table.goneAt).where(sql`gone_at is not null`),
  ],
)

/**
 * Read by plain SQL only. What a run under way has read, a batch of vendor pages a row. Unlogged, as the staging is: a crash of the database empties
 * both, and the run begins again. @public
 */
export const accountPageTable = pgTable(
  'account_page',
  {
    runId: uuid('run_id').notNull(),
    page: integer('page').notNull(),
    /** The claim that goes on with it: a later claim adopts whole pages. */
    fence: bigint('fence', { mode: 'number' }).notNull(),
    /** The claim that wrote it: its staged rows carry this one. */
    writtenBy: bigint('written_by', { mode: 'number' }).notNull(),
    /** Of the instance when it was read: pages of another one are of no use. */
    generation: integer('generation').notNull(),
    people: integer('people').notNull(),
    problems: integer('problems').notNull(),
    /** How many of the people are new or changed: so many rows this page has in staging, or it is not whole. */
    staged: integer('staged').notNull(),
    /** Whom it saw who was there already. */
    found: seqSet('found'),
    /** Those of them who are unchanged; null where none is staged: all of them. */
    same: seqSet('same'),
    /** Where the vendor's stream goes on after it. */
    cursor: jsonb('cursor').$type<Cursor>(),
    at: at('at').notNull(),
  },
  table => [primaryKey({ columns: [table.runId, table.page, table.writtenBy] })],
)

/** The new and the changed of a page, not merged yet. Unlogged. */
export const accountStagingTable = pgTable(
  'account_staging',
  {
    runId: uuid('run_id').notNull(),
    fence: bigint('fence', { mode: 'number' }).notNull(),
    page: integer('page').notNull(),
    /** Of the account that is there already; null: a new one. */
    seq: bigint('seq', { mode: 'number' }),
    ...person(),
  },
  table => [index('account_staging_run').on(table.runId, table.fence)],
)

/** Read by plain SQL only. Who wrote the chunks of an instance, and how many people were reported then. Unlogged. @public */
export const accountMemoryTable = pgTable('account_memory', {
  instanceId: uuid('instance_id').primaryKey(),
  /** The run, or a number that is no run's: accounts were written since. */
  version: uuid('version').notNull(),
  /** Null: nothing is remembered. */
  reported: integer('reported'),
})

/** Read by plain SQL only. The chunks of people whom the last run left as they were listed, many a row. Unlogged. @public */
export const accountChunkTable = pgTable(
  'account_chunk',
  {
    instanceId: uuid('instance_id').notNull(),
    part: integer('part').notNull(),
    /** A line a chunk: its digest (22 characters), and its people as a set of `seq` without the braces. */
    lines: text('lines').notNull(),
    /** Numbers of lines, from 0, that are not true any more. */
    void: integer('void').array().notNull().default([]),
  },
  table => [primaryKey({ columns: [table.instanceId, table.part] })],
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
