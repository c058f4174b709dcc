// Asking for work: a row in the caller's transaction, a ring after its commit.
import { and, eq, inArray, sql } from 'drizzle-orm'
import type { Tx } from '../db/db.ts'
import { instanceById } from '../instances/store.ts'
import type { Ring } from '../jobs/jobs.ts'
import { crashpoint } from '../lib/crashpoint.ts'
import { newId } from '../lib/ids.ts'
import { cancelWaiting, joinRun } from './askers.ts'
import { hostOf, joinLines, sizeOf } from './hosts.ts'
import type { Removal, RemovalKind } from './removal.ts'
import type { RunTrigger, SyncRun } from './run.ts'
import { openRemovalOf } from './store.ts'
import { removalTable, syncRunTable } from './table.ts'

export interface RunRequest {
  instanceId: string
  trigger: RunTrigger
  /** The Slack user who asked; null: the schedule. */
  by: string | null
  now: Date
}

/**
 * Ask for a run. A run that is open already is enough for Sync now and for the schedule; a change of what a run depends on
 * (edited, reactivated) gets one of its own after it. `created` says whether this call made the run, `hears` whether who
 * asked is told its end: all are but for the schedule, and for the one too many.
 */
export async function requestRun(
  tx: Tx,
  wanted: RunRequest,
  ring: Ring,
): Promise<{ run: SyncRun; created: boolean; hears: boolean }> {
  const enough = wanted.trigger === 'manual' || wanted.trigger === 'scheduled'
  const [open, instance] = await Promise.all([
    // Claimed before the change is committed it would read the instance as it was, and none would come after it.
    openRun(tx, wanted.instanceId, { locked: !enough }),
    instanceById(tx, wanted.instanceId),
  ])
  const urgent = wanted.trigger !== 'scheduled'
  if (open && (enough || open.state === 'requested')) {
    const hears = wanted.by === null ? false : await joinIn(tx, open, { ...wanted, by: wanted.by }, ring)
    if (hears !== undefined) return { run: open, created: false, hears }
  }
  if (!instance) throw new Error('A run was asked for of an instance that does not exist')
  const host = hostOf(instance)
  const rows = await tx
    .insert(syncRunTable)
    .values({
      id: newId(),
      instanceId: wanted.instanceId,
      trigger: wanted.trigger,
      requestedBy: wanted.by,
      state: 'requested',
      host,
      size: sizeOf(sql`${wanted.instanceId}`),
      urgent,
      dueAt: wanted.now,
      requestedAt: wanted.now,
    })
    .onConflictDoNothing()
    .returning()
  await joinLines(tx, [host])
  tx.afterCommit(() => ring('sync'))
  const [run] = rows
  if (run) return { run, created: true, hears: wanted.by !== null }
  // Somebody else asked between our look and our write: theirs is the one.
  const [theirs] = await tx
    .select()
    .from(syncRunTable)
    .where(and(eq(syncRunTable.instanceId, wanted.instanceId), eq(syncRunTable.state, 'requested')))
  if (!theirs) throw new Error('A run was asked for and is gone: try again')
  const hears = wanted.by !== null && (await joinIn(tx, theirs, { ...wanted, by: wanted.by }, ring))
  return { run: theirs, created: false, hears: hears ?? false }
}

/**
 * The run of an instance that is running or waiting; the running one first. `locked`: nobody claims it before the transaction
 * ends; who was just claiming it has done so by now.
 */
async function openRun(
  tx: Tx,
  instanceId: string,
  { locked }: { locked: boolean },
): Promise<SyncRun | undefined> {
  const { instanceId: of, state } = syncRunTable
  const open = tx
    .select()
    .from(syncRunTable)
    .where(and(eq(of, instanceId), inArray(state, ['running', 'requested'])))
    .limit(2)
  const rows = await (locked ? open.for('no key update') : open)
  return rows.find(run => run.state === 'running') ?? rows[0]
}

/**
 * A person waits for a run that is there already: one that waits goes before the rest of its line, and one that only the
 * schedule has asked for is theirs. True: they hear its end; undefined: it is over, or just about to be.
 */
async function joinIn(
  tx: Tx,
  run: SyncRun,
  { trigger, by }: RunRequest & { by: string },
  ring: Ring,
): Promise<boolean | undefined> {
  const waiting = and(eq(syncRunTable.id, run.id), eq(syncRunTable.state, 'requested'))
  const theirs = run.state === 'requested' && run.trigger === 'scheduled'
  if (theirs || (run.state === 'requested' && !run.urgent))
    await tx
      .update(syncRunTable)
      .set({ urgent: true, ...(theirs ? { trigger, requestedBy: by } : {}) })
      .where(waiting)
  const hears = await joinRun(tx, run.id, by)
  if (run.state !== 'requested') return hears
  // Whoever has found it locked looks at its line only seconds later.
  await joinLines(tx, [run.host])
  tx.afterCommit(() => ring('sync'))
  return hears
}

/** One due instance, and when its next run is to be. */
export interface DueRun {
  instanceId: string
  host: string
  nextSyncAt: Date
}

/** Ask for the scheduled runs of many instances, in three statements. An open run is enough, as it is in `requestRun`. */
export async function requestScheduled(tx: Tx, due: readonly DueRun[], now: Date): Promise<void> {
  const rows = due.map(({ instanceId, host, nextSyncAt: next }) => ({
    ...{ id: newId(), instance_id: instanceId, host, next: next.toISOString() },
  }))
  const wanted = sql`jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as d(id uuid, instance_id uuid, host text, next timestamptz)`
  const at = now.toISOString()
  await tx.execute(sql`
    insert into sync_run (id, instance_id, trigger, state, host, size, due_at, requested_at)
    select d.id, d.instance_id, 'scheduled', 'requested', d.host, ${sizeOf(sql`d.instance_id`)}, ${at}, ${at} from ${wanted}
    where not exists (
      select 1 from sync_run o where o.instance_id = d.instance_id and o.state in ('requested', 'running'))
    on conflict do nothing`)
  crashpoint('run-requested')
  await tx.execute(sql`update instance i set next_sync_at = d.next from ${wanted} where i.id = d.instance_id`)
  await joinLines(
    tx,
    due.map(({ host }) => host),
  )
}

export interface RemovalRequest {
  instanceId: string
  kind: RemovalKind
  by: string
  now: Date
}

/** Ask for the removal of an instance's users, or of all of it; one that is open already is enough. Waiting runs end. */
export async function requestRemoval(
  tx: Tx,
  wanted: RemovalRequest,
  ring: Ring,
): Promise<{ removal: Removal; created: boolean }> {
  const instance = await instanceById(tx, wanted.instanceId)
  if (instance) {
    const next = 'Its users are being removed instead.'
    await cancelWaiting(tx, { now: wanted.now, ring }, instance, { by: wanted.by, next })
  }
  tx.afterCommit(() => ring('removal'))
  const rows = await tx
    .insert(removalTable)
    .values({
      id: newId(),
      instanceId: wanted.instanceId,
      kind: wanted.kind,
      state: 'requested',
      requestedBy: wanted.by,
      dueAt: wanted.now,
      requestedAt: wanted.now,
    })
    .onConflictDoNothing()
    .returning()
  const [removal] = rows
  if (removal) return { removal, created: true }
  const open = await openRemovalOf(tx, wanted.instanceId)
  if (!open) throw new Error('A removal was asked for and is gone: try again')
  return { removal: open, created: false }
}
