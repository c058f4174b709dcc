// A removal, top to bottom: users go in batches, each its own transaction; the end is recorded and told in the last one.
import { removeAccounts } from '../accounts/summary.ts'
import { announce, tellPerson } from '../announce/announce.ts'
import { appendAudit } from '../audit/store.ts'
import type { Tx } from '../db/db.ts'
import { instanceById, lockInstance, moveInstance, recordOutcome } from '../instances/store.ts'
import { crashpoint } from '../lib/crashpoint.ts'
import { newId } from '../lib/ids.ts'
import { announcementOf } from './conclude.ts'
import { hostOf, joinLines } from './hosts.ts'
import type { Removal } from './removal.ts'
import { nextSyncAt } from './schedule.ts'
import { advanceRemoval, ClaimLost, claimRemoval, giveBackRemoval, nextWorkMs } from './store.ts'
import { removalTable } from './table.ts'
import type { Work } from './work.ts'

export interface Remover {
  /** Milliseconds until a removal falls due, or until a dead worker's lease ends. */
  nextDue(): Promise<number | undefined>
  /** Work off every removal that is due; stops between two batches when the signal says so. */
  removeDue(signal: AbortSignal): Promise<void>
}

/** Accounts deleted in one transaction: short enough to hold up nobody. */
const batchMax = 1_000

export function createRemover(work: Work): Remover {
  return {
    nextDue: () => nextWorkMs(work.db.conn, removalTable, work.clock.now()),
    async removeDue(signal) {
      while (!signal.aborted) {
        const removal = await claimRemoval(work.db, work.owner, work.clock.now())
        if (!removal) return
        crashpoint('removal-claimed')
        await workOff(work, removal, signal)
      }
    },
  }
}

async function workOff(work: Work, removal: Removal, signal: AbortSignal): Promise<void> {
  for (;;) {
    if (signal.aborted) return giveBackRemoval(work.db.conn, removal)
    const more = await work.db
      .transaction(async tx => {
        const { reported, deleted } = await removeAccounts(tx, removal.instanceId, batchMax)
        crashpoint('batch-removed')
        const done = deleted < batchMax
        const held = await advanceRemoval(tx, removal, { removed: reported, done, now: work.clock.now() })
        if (!held) throw new ClaimLost()
        if (done) await end(tx, work, held)
        if (done) crashpoint('removal-ended')
        return !done
      })
      .catch(error => {
        if (error instanceof ClaimLost) return false
        throw error
      })
    crashpoint('batch-committed')
    if (!more) return
  }
}

async function end(tx: Tx, work: Work, removal: Removal): Promise<void> {
  const now = work.clock.now()
  const whole = removal.kind === 'instance'
  await lockInstance(tx, removal.instanceId)
  const instance = whole
    ? await moveInstance(tx, removal.instanceId, 'deleted', { now })
    : await instanceById(tx, removal.instanceId)
  if (!instance) return
  if (!whole) {
    // The run that was cancelled for this removal may have been the one that would have set the next one's time.
    if (instance.status === 'live' && instance.nextSyncAt === null)
      await recordOutcome(tx, instance.id, { nextSyncAt: nextSyncAt(instance, now) })
    tx.afterCommit(() => work.ring('sync'))
  }
  const told = {
    users: 0,
    lastSuccessAt: instance.lastSuccessAt,
    next: nextOf(removal, instance.status === 'live'),
  }
  const by = { at: now, actor: removal.requestedBy }
  const announcement = {
    ...announcementOf(instance, whole ? 'instance-deleted' : 'users-deleted', told, by),
    removed: removal.removed,
  }
  const where = { channel: work.channel, now, ring: work.ring }
  if (whole) await announce(tx, { announcement, instance, incident: 'resolve' }, where)
  const person = { announcement, teamId: instance.teamId, userId: removal.requestedBy, key: newId() }
  await tellPerson(tx, person, where)
  await appendAudit(tx, {
    teamId: instance.teamId,
    actor: removal.requestedBy,
    source: 'run',
    action: whole ? 'instance.deleted' : 'users.deleted',
    instance,
    after: { removed: removal.removed },
  })
  // A run that was asked for meanwhile may go on now.
  await joinLines(tx, [hostOf(instance)])
}

function nextOf(removal: Removal, live: boolean): string {
  if (removal.kind === 'instance')
    return 'Connecting the application again makes a new instance and imports all users.'
  return live
    ? 'The instance is Live: the next sync imports its users again.'
    : 'The instance is Inactive and stays empty.'
}
