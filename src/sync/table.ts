// The work rows of this room: runs of instances, the lines they wait in, and removals of users.
import { sql } from 'drizzle-orm'
import {
  bigint,
  boolean,
  index,
  integer,
  jsonb,
  pgTable,
  smallint,
  text,
  timestamp,
  uniqueIndex,
  uuid,
} from 'drizzle-orm/pg-core'
import { instanceTable } from '../instances/table.ts'
import type { Held } from './held.ts'
import type { Fault } from './outcome.ts'
import type { RemovalKind, RemovalState } from './removal.ts'
import type { RunSize, RunState, RunTrigger } from './run.ts'

const at = (name: string) => timestamp(name, { withTimezone: true, mode: 'date' })

/** What every claimed row carries: the attempt is counted at the claim, later writes are conditional on the fence. */
const lease = () => ({
  attempt: integer('attempt').notNull().default(0),
  dueAt: at('due_at').notNull(),
  leaseUntil: at('lease_until'),
  leaseOwner: text('lease_owner'),
  fence: bigint('fence', { mode: 'number' }).notNull().default(0),
})

export const syncRunTable = pgTable(
  'sync_run',
  {
    id: uuid('id').primaryKey(),
    instanceId: uuid('instance_id')
      .notNull()
      .references(() => instanceTable.id),
    trigger: text('trigger').$type<RunTrigger>().notNull(),
    /** The Slack user who asked; null for the schedule. Hears the end. */
    requestedBy: text('requested_by'),
    /** Who would have asked for it and found it, as Slack users: they hear its end, too. */
    alsoAsked: text('also_asked').array().notNull().default([]),
    state: text('state').$type<RunState>().notNull(),
    /** The vendor's host that it reads from, as it was when the run was asked for. */
    host: text('host').notNull().default(''),
    /** How long it will take, from the instance's last run. */
    size: text('size').$type<RunSize>().notNull().default('unknown'),
    /** Somebody waits for it: taken before what the schedule asked for. */
    urgent: boolean('urgent').notNull().default(false),
    ...lease(),
    requestedAt: at('requested_at').notNull(),
    startedAt: at('started_at'),
    /** Batches that were staged when it was last claimed: a claim that finds more counts its attempts anew. */
    stagedAtClaim: integer('staged_at_claim').notNull().default(0),
    /** For so long its vendor has put it off, in milliseconds: nobody worked on it meanwhile. */
    putOffMs: integer('put_off_ms').notNull().default(0),
    /** For so long all its claims together have worked on it, to the last word of each, in milliseconds. */
    workedMs: integer('worked_ms').notNull().default(0),
    endedAt: at('ended_at'),
    pages: integer('pages').notNull().default(0),
    peopleRead: integer('people_read').notNull().default(0),
    added: integer('added'),
    changed: integer('changed'),
    removed: integer('removed'),
    unchanged: integer('unchanged'),
    fault: jsonb('fault').$type<Fault>(),
    /** Set when it is held: whom it did not find, and what was decided. */
    held: jsonb('held').$type<Held>(),
    /** The outbox row of the message that shows its progress; null: there is none. */
    progressId: uuid('progress_id'),
    /** What was not reported, for people (an optional listing without its permission, rows that could not be read). */
    warnings: jsonb('warnings').$type<string[]>().notNull().default([]),
  },
  table => [
    // One running run an instance, and one waiting: a second request finds the first.
    uniqueIndex('sync_run_running').on(table.instanceId).where(sql`state = 'running'`),
    uniqueIndex('sync_run_requested').on(table.instanceId).where(sql`state = 'requested'`),
    // The claim's questions: what waits on a host, in its order, and how much runs there. No lease in it: each page renews one.
    index('sync_run_waiting')
      .on(table.host, table.urgent.desc().nullsFirst(), table.dueAt)
      .where(sql`state = 'requested'`),
    index('sync_run_on_host').on(table.host).where(sql`state = 'running'`),
    // /saasm history.
    index('sync_run_history').on(table.instanceId, table.requestedAt),
  ],
)

/** The line of one vendor host: its row is locked by who starts a run there, so that all processes keep one count and one pace. @public drizzle-kit reads it. */
export const syncHostTable = pgTable(
  'sync_host',
  {
    host: text('host').primaryKey(),
    /** When the first of its waiting runs falls due; null: none waits. */
    dueAt: at('due_at'),
    /** One of the waiting runs is urgent. */
    urgent: boolean('urgent').notNull().default(false),
    /** Place in `runSizes` of the smallest run that waits: a process that has its share of large ones passes by the others. */
    smallest: smallint('smallest').notNull().default(0),
    /** When a claim looks here next, by the database's clock. */
    readyAt: at('ready_at').notNull().default(sql`now()`),
    /** No run is started here before, by the database's clock. */
    nextStartAt: at('next_start_at').notNull().default(sql`now()`),
  },
  table => [
    // The claim's first question, of each size: whose turn it is, the longest waiting first. Without the size a claim read
    // every line to see that none of them waits with a large run.
    index('sync_host_turn')
      .on(table.smallest, table.urgent.desc().nullsFirst(), table.readyAt)
      .where(sql`due_at is not null`),
  ],
)

export const removalTable = pgTable(
  'removal',
  {
    id: uuid('id').primaryKey(),
    instanceId: uuid('instance_id')
      .notNull()
      .references(() => instanceTable.id),
    kind: text('kind').$type<RemovalKind>().notNull(),
    state: text('state').$type<RemovalState>().notNull(),
    requestedBy: text('requested_by').notNull(),
    ...lease(),
    requestedAt: at('requested_at').notNull(),
    endedAt: at('ended_at'),
    removed: integer('removed').notNull().default(0),
    /** Reported when it began; null: it has not. */
    total: integer('total'),
    progressId: uuid('progress_id'),
    /** Set while a removal's end has not been announced. */
    announced: boolean('announced').notNull().default(false),
  },
  table => [
    uniqueIndex('removal_open')
      .on(table.instanceId, table.kind)
      .where(sql`state in ('requested', 'running')`),
    index('removal_due').on(table.dueAt).where(sql`state in ('requested', 'running')`),
  ],
)
