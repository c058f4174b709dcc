// The sweep: asks for runs of instances that are due, and rings for everything that nobody took. The only clock there is.
import { dropStaging, stagedRuns } from '../accounts/pages.ts'
import { purgeGone } from '../accounts/summary.ts'
import { lockDueInstances } from '../instances/store.ts'
import { hostOf, mendLines } from './hosts.ts'
import { requestScheduled } from './request.ts'
import { nextSyncAt } from './schedule.ts'
import { endedOf } from './store.ts'
import type { Work } from './work.ts'

/** Instances asked for in one transaction: it is over before a person who edits one of them notices. */
const batchMax = 500
/** Batches of one sweep; the next one goes on. */
const batchesMax = 100
const purgeMax = 5_000

export function createSweep(work: Work): (signal: AbortSignal) => Promise<void> {
  return async signal => {
    const { db, clock, ring } = work
    const now = clock.now()
    await mendLines(db.conn)
    for (let batch = 0; batch < batchesMax && !signal.aborted; batch += 1) {
      const asked = await askForDue(work, now)
      // The first of them run while the others are asked for.
      if (asked > 0) ring('sync')
      if (asked < batchMax) break
    }
    ring('sync')
    ring('removal')
    ring('deliver')
    // A worker that was stopped past its lease stages one more page before it sees that the run is not its own any more.
    await dropStaging(db.conn, await endedOf(db.conn, await stagedRuns(db.conn)))
    await purgeGone(db.conn, new Date(now.getTime() - work.goneDays * 86_400_000), purgeMax)
  }
}

/** One batch, in one transaction; returns how many were due. */
async function askForDue({ db }: Work, now: Date): Promise<number> {
  return db.transaction(async tx => {
    const due = await lockDueInstances(tx, now, batchMax)
    if (due.length === 0) return 0
    const runs = due.map(instance => ({
      instanceId: instance.id,
      host: hostOf(instance),
      nextSyncAt: nextSyncAt(instance, now),
    }))
    await requestScheduled(tx, runs, now)
    return due.length
  })
}
