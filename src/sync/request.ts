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
import { openRemovalOf } from './removals.ts'
import type { RunTrigger, SyncRun } from './run.ts'
import { removalTable, syncRunTable } from './table.ts'

export interface RunRequest {
  instanceId: string
  trigger: RunTrigger
  /** The Slack user who asked; null: the schedule. */
  by: string | null
  now: Date
}

/** Somebody else's run may come or go between our look and our write this often. */
const triesMax = 3

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
  const { trigger, by } = wanted
  const enough = trigger === 'manual' || trigger === 'scheduled'
  for (let tries = 0; tries < triesMax; tries += 1) {
    const [open, instance] = await Promise.all([
      // Claimed before the change is committed it would read the instance as it was, and none would come after it.
      openRuns(tx, wanted.instanceId, { locked: !enough }),
      instanceById(tx, wanted.instanceId),
    ])
    if (!instance) throw new Error('A run was asked for of an instance that does not exist')
    const host = hostOf(instance)
    // Only who has just changed the instance knows where it is read from now.
    const moved = enough ? {} : { host }
    for (const run of open.filter(({ state }) => enough || state === 'requested')) {
      const hears =
        by === null ? false : await joinRun(tx, run, { ...{ trigger, by, now: wanted.now }, ...moved })
      if (hears === undefined) continue
      // Whoever has found it locked looks at its line only seconds later.
      if (by !== null && run.state === 'requested') await standInLine(tx, enough ? run.host : host, ring)
      return { run, created: false, hears }
    }
    const [created] = await tx
      .insert(syncRunTable)
      .values({
        id: newId(),
        instanceId: wanted.instanceId,
        trigger,
        requestedBy: by,
        state: 'requested',
        host,
        size: sizeOf(sql`${wanted.instanceId}`),
        urgent: trigger !== 'scheduled',
        dueAt: wanted.now,
        requestedAt: wanted.now,
      })
      .onConflictDoNothing()
      .returning()
    if (!created) continue
    await standInLine(tx, host, ring)
    return { run: created, created: true, hears: by !== null }
  }
  throw new Error('A run was asked for and is gone: try again')
}

/** A run waits on this host: the last thing that locks. */
async function standInLine(tx: Tx, host: string, ring: Ring): Promise<void> {
  await joinLines(tx, [host])
  tx.afterCommit(() => ring('sync'))
}

/**
 * The runs of an instance that are running or waiting; the running one first. `locked`: nobody claims them before the
 * transaction ends; who was just claiming one has done so by now.
 */
async function openRuns(tx: Tx, instanceId: string, { locked }: { locked: boolean }): Promise<SyncRun[]> {
  const { instanceId: of, state } = syncRunTable
  const open = tx
    .select()
    .from(syncRunTable)
    .where(and(eq(of, instanceId), inArray(state, ['running', 'requested'])))
    .limit(2)
  const rows = await (locked ? open.for('no key update') : open)
  return rows.toSorted((a, b) => Number(b.state === 'running') - Number(a.state === 'running'))
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
    const next =
      wanted.kind === 'instance' ? 'The instance is being deleted.' : 'Its users are being removed instead.'
    await cancelWaiting(tx, { now: wanted.now, ring }, instance, next)
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
