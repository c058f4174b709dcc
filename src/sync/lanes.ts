// The lanes: a process executes several runs side by side, and claims the next ones as soon as there is room.
import { instancesById } from '../instances/store.ts'
import { crashpoint } from '../lib/crashpoint.ts'
import { type Claimed, claimRuns, takeOverRuns } from './claim.ts'
import { execute } from './execute.ts'
import { joinLines, nextRunMs, paceMs } from './hosts.ts'
import { runLimits } from './limits.ts'
import { type RunSize, runSizes } from './run.ts'
import type { Work } from './work.ts'

export interface Runner {
  /** Milliseconds until a run may be started, or until a dead worker's lease ends. */
  nextDue(): Promise<number | undefined>
  /** Execute every run that is due, a few at a time; stops at page edges when the signal says so. */
  runDue(signal: AbortSignal): Promise<void>
  /** While runs are executed: look at once whether another one may join them. */
  nudge(): void
}

/** Lanes that are free look this often by themselves while others run: another process's ring may be lost. */
const lookEveryMs = 2_000

export function createRunner(work: Work): Runner {
  const nudges = new Set<() => void>()
  return {
    nextDue: () => nextRunMs(work.db.conn, work.clock.now()),
    async runDue(signal) {
      const lanes = createLanes(work, signal)
      nudges.add(lanes.nudge)
      await lanes.work().finally(() => nudges.delete(lanes.nudge))
    },
    nudge() {
      for (const nudge of nudges) nudge()
    },
  }
}

function createLanes(work: Work, signal: AbortSignal) {
  const limits = work.limits ?? runLimits
  const running = new Set<Promise<void>>()
  let freed: string[] = []
  let failure: unknown
  /** A worker may have died since the last look. */
  let lookForDead = true
  /** Something has happened since the last look. */
  let again = false
  let wake = () => {}
  /** There was room for more of these at the last look. */
  let sizes: readonly RunSize[] = runSizes

  const places = () => limits.runsAtOnce - running.size
  const claimant = () => ({ owner: work.owner, now: work.clock.now(), limits, places: places() })

  function start({ runs, instances }: Pick<Claimed, 'runs' | 'instances'>): void {
    for (const run of runs) {
      crashpoint('run-claimed')
      const lane = execute(work, run, { instance: instances.get(run.instanceId), signal })
        .catch(error => {
          // It is left to its lease, and the other lanes go on.
          work.log.warn(
            { reason: String(error), run: run.id },
            'A run could not be ended; it is taken up again',
          )
          failure ??= error
        })
        .finally(() => {
          running.delete(lane)
          freed.push(run.host)
          stir()
        })
      running.add(lane)
    }
  }

  /** Fill the free lanes; false: every line that was there has been asked. */
  async function fill(): Promise<boolean> {
    again = false
    if (places() > 0 && lookForDead) {
      lookForDead = false
      await takeOver()
    }
    const asked = places()
    if (asked <= 0) return false
    const hosts = freed
    freed = []
    const claimed = await claimRuns(work.db, claimant(), hosts).catch(error => {
      freed.push(...hosts)
      throw error
    })
    sizes = claimed.sizes
    start(claimed)
    return claimed.looked === asked
  }

  async function takeOver(): Promise<void> {
    const runs = await takeOverRuns(work.db, claimant())
    const ids = runs.map(run => run.instanceId)
    start({ runs, instances: await instancesById(work.db.conn, ids) })
  }

  /** Until something happens, or the time is over. */
  async function pause(ms: number): Promise<void> {
    const woken = new Promise<void>(resolve => {
      wake = resolve
    })
    const timer = setTimeout(nudge, Math.ceil(ms))
    signal.addEventListener('abort', stir, { once: true })
    if (!again) await woken
    clearTimeout(timer)
    signal.removeEventListener('abort', stir)
  }

  function stir(): void {
    again = true
    wake()
  }

  function nudge(): void {
    lookForDead = true
    stir()
  }

  return {
    nudge,
    async work(): Promise<void> {
      while (!signal.aborted) {
        let ms: number | undefined
        try {
          if ((await fill()) || again) continue
          ms = places() > 0 ? await paceMs(work.db.conn, work.clock.now(), sizes) : undefined
        } catch (error) {
          work.log.warn({ reason: String(error) }, 'No run could be taken; looked at again')
          failure ??= error
          // What runs goes on in these lanes: another set of them would take as many once more.
          if (running.size === 0) break
          ms = lookEveryMs
          again = false
        }
        // The last run may have been given back since we looked.
        if (running.size === 0 && ms === undefined && !again) break
        await pause(ms ?? lookEveryMs)
      }
      await Promise.all(running)
      if (freed.length > 0) await joinLines(work.db.conn, freed)
      if (failure !== undefined) throw failure
    },
  }
}
