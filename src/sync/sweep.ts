// The sweep: asks for runs of instances that are due, and rings for everything that nobody took. The only clock there is.
import { purgeGone } from '../accounts/summary.ts'
import { dueInstances, recordOutcome } from '../instances/store.ts'
import { crashpoint } from '../lib/crashpoint.ts'
import { requestRun } from './request.ts'
import { nextSyncAt } from './schedule.ts'
import type { Work } from './work.ts'

/** Instances asked for in one sweep; the next one goes on. */
const dueMax = 200
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
    await purgeGone(db.conn, new Date(now.getTime() - work.goneDays * 86_400_000), purgeMax)
  }
}
