// The sweep: asks for runs of instances that are due, and rings for everything that nobody took. The only clock there is.
import { dropStaging, stagedRuns } from '../accounts/stage.ts'
import { purgeGone } from '../accounts/summary.ts'
import { dueInstances, recordOutcome } from '../instances/store.ts'
import { crashpoint } from '../lib/crashpoint.ts'
import { requestRun } from './request.ts'
import { nextSyncAt } from './schedule.ts'
import { endedOf } from './store.ts'
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
    // A worker that was stopped past its lease stages one more page before it sees that the run is not its own any more.
    await dropStaging(db.conn, await endedOf(db.conn, await stagedRuns(db.conn)))
    await purgeGone(db.conn, new Date(now.getTime() - goneDaysMax * 86_400_000), purgeMax)
  }
}
