// A run that stops before its end: it waits for its time again, or is cancelled, and its askers wait for a newer one or hear that.
import { isUniqueViolation } from '../db/db.ts'
import { lockInstance } from '../instances/store.ts'
import { handOn } from './askers.ts'
import type { SyncRun } from './run.ts'
import { giveBackRun, settleRun } from './store.ts'
import type { Work } from './work.ts'

/** A newer run is asked for between our look and our write this often at most. */
const triesMax = 3

interface Until {
  dueAt: Date
  /** The attempt counts. */
  spent?: boolean
  /** The vendor wants it so much later: it is not urgent any more. */
  putOffMs?: number
}

/**
 * Until `dueAt`. False: it does not wait, since it is no longer ours, its instance is not Live any more, or a run that was
 * asked for meanwhile takes its place.
 */
export async function giveBack(work: Work, run: SyncRun, until: Until): Promise<boolean> {
  for (let tries = 1; ; tries += 1) {
    try {
      if (await giveBackRun(work.db.conn, run, until)) return true
      return await leave(work, run, until)
    } catch (error) {
      if (!isUniqueViolation(error) || tries === triesMax) throw error
    }
  }
}

/** End it: its instance is not Live. Nothing is written when it is no longer ours. */
export async function cancelRun(work: Work, run: SyncRun): Promise<void> {
  await leave(work, run, undefined)
}

async function leave({ db, clock, ring }: Work, run: SyncRun, until: Until | undefined): Promise<boolean> {
  return db.transaction(async tx => {
    const instance = await lockInstance(tx, run.instanceId)
    // What stood in its way may be gone by now.
    if (until && (await giveBackRun(tx, run, until))) return true
    const now = clock.now()
    const cancelled = await settleRun(tx, run, 'cancelled', { endedAt: now })
    const because =
      instance?.status === 'live' ? '' : 'The instance is not Live any more, so it brought nothing in.'
    if (cancelled && instance) await handOn(tx, { now, ring }, cancelled, instance, because)
    return false
  })
}
