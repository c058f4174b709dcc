// Asking for work: a row in the caller's transaction, a ring after its commit.
import { and, eq } from 'drizzle-orm'
import type { Tx } from '../db/db.ts'
import type { Ring } from '../jobs/jobs.ts'
import { newId } from '../lib/ids.ts'
import type { Removal, RemovalKind } from './removal.ts'
import type { RunTrigger, SyncRun } from './run.ts'
import { cancelRequested, openRemovalOf, openRunOf } from './store.ts'
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
 * (edited, reactivated) gets one of its own after it. `created` says whether this call made the run.
 */
export async function requestRun(
  tx: Tx,
  wanted: RunRequest,
  ring: Ring,
): Promise<{ run: SyncRun; created: boolean }> {
  const open = await openRunOf(tx, wanted.instanceId)
  const enough = wanted.trigger === 'manual' || wanted.trigger === 'scheduled'
  if (open && (enough || open.state === 'requested')) return { run: open, created: false }
  const rows = await tx
    .insert(syncRunTable)
    .values({
      id: newId(),
      instanceId: wanted.instanceId,
      trigger: wanted.trigger,
      requestedBy: wanted.by,
      state: 'requested',
      dueAt: wanted.now,
      requestedAt: wanted.now,
    })
    .onConflictDoNothing()
    .returning()
  tx.afterCommit(() => ring('sync'))
  const [run] = rows
  if (run) return { run, created: true }
  // Somebody else asked between our look and our write: theirs is the one.
  const [theirs] = await tx
    .select()
    .from(syncRunTable)
    .where(and(eq(syncRunTable.instanceId, wanted.instanceId), eq(syncRunTable.state, 'requested')))
  if (!theirs) throw new Error('A run was asked for and is gone: try again')
  return { run: theirs, created: false }
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
  await cancelRequested(tx, wanted.instanceId, wanted.now)
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
