// The sweep: asks for runs of instances that are due, and rings for everything that nobody took. The only clock there is.
import { clearStaging, stagedRuns } from '../accounts/pages.ts'
import { purgeGone } from '../accounts/summary.ts'
import { dueInstances, recordOutcome } from '../instances/store.ts'
import { crashpoint } from '../lib/crashpoint.ts'
import { requestRun } from './request.ts'
import { nextSyncAt } from './schedule.ts'
import { endedAmong } from './store.ts'
import type { Work } from './work.ts'

/** Instances asked for in one sweep; the next one goes on. */
const dueMax = 200
/** People who vanished are kept this long, in days. */
export const goneDaysMax = 30
const purgeMax = 5_000

export function createSweep(work: Work): (signal: AbortSignal) => Promise<void> {
  return async signal => {
    const { db, clock, ring } = work
    const now = clock.now()
    for (const instance of await dueInstances(db.conn, now, dueMax)) {
      if (signal.aborted) return
      await db.transaction(async tx => {
        await requestRun(tx, { instanceId: instance.id, trigger: 'scheduled', by: null, now }, ring)
        crashpoint('run-requested')
        await recordOutcome(tx, instance.id, { nextSyncAt: nextSyncAt(instance, now) })
      })
    }
    ring('sync')
    ring('removal')
    ring('deliver')
    await dropLeftovers(work)
    await purgeGone(db.conn, new Date(now.getTime() - goneDaysMax * 86_400_000), purgeMax)
  }
}

/** What is staged for a run that waited and was cancelled, or by a worker that woke after its run had ended. */
async function dropLeftovers({ db }: Work): Promise<void> {
  for (const runId of await endedAmong(db.conn, await stagedRuns(db.conn)))
    await clearStaging(db.conn, { runId, fence: Number.MAX_SAFE_INTEGER })
}
