// A run, top to bottom: claimed, read page by page into staging, merged or failed, and told. Its branches are here.
import { clearStaging } from '../accounts/pages.ts'
import { ProviderError } from '../connectors/errors.ts'
import { connectorById } from '../connectors/registry.ts'
import { isUnreachable } from '../db/db.ts'
import { credentialsOf } from '../instances/credentials.ts'
import type { Instance } from '../instances/instance.ts'
import { crashpoint } from '../lib/crashpoint.ts'
import { count } from '../lib/text.ts'
import { conclude, concludeFailure } from './conclude.ts'
import { faultOf } from './outcome.ts'
import { showRun } from './progress.ts'
import { read } from './read.ts'
import type { SyncRun } from './run.ts'
import { cancelRun, giveBack } from './stop.ts'
import { ClaimLost, heartbeatMs, holdRun, leaseSeconds, StagingLost } from './store.ts'
import { concludeUnchanged, look } from './unchanged.ts'
import type { Work } from './work.ts'

/** A vendor may put one run off for this long in all; then it has failed. */
const putOffMaxMs = 6 * 3_600_000
/** A run that took its worker down this often in a row, and got no further, is failed: it cannot go on for ever. */
const attemptsMax = 5
/**
 * All claims of a run together read for no longer: one that begins anew after each stop would have no end. The longest that
 * is known to be needed is a million people at 200 a page and 50 pages a minute (Okta's smallest limit): 100 minutes.
 */
const readingMaxMs = 24 * 3_600_000
/** How long a merge may still take to answer after its claim was lost: it may have been its own commit. */
const lostGraceMs = 5_000

/** One claimed run to its end: settled, given back, or left to its lease when the database does not answer. */
export async function execute(
  work: Work,
  run: SyncRun,
  { instance, signal }: { instance: Instance | undefined; signal: AbortSignal },
): Promise<void> {
  const { db } = work
  if (instance?.status !== 'live') {
    await cancelRun(work, run)
    return clearStaging(db.conn, { runId: run.id, fence: run.fence })
  }
  const lost = new AbortController()
  const slow = limitReading(work, run, instance)
  const stopBeating = beat(work, run, lost)
  const shown = showRun(work, run, instance)
  try {
    if (run.attempt > attemptsMax)
      throw new Error(`The run was begun ${run.attempt - 1} times in a row and got no further`)
    const last = () => {
      slow.stop()
      return shown.stop()
    }
    const stops = AbortSignal.any([signal, slow.signal])
    await unlessLost(bringIn(work, run, instance, { signal: stops, lost: lost.signal, last }), lost.signal)
  } catch (error) {
    slow.stop()
    await shown.stop()
    // What was under way may have broken in a way of its own.
    const why = slow.signal.aborted ? slow.signal.reason : error
    await stopped(work, run, instance, why, { signal, lost: lost.signal })
  } finally {
    slow.stop()
    stopBeating()
    await shown.stop()
  }
}

/** Aborts with what people are told once the run has had its time, unless reading has ended by then. */
function limitReading(work: Work, run: SyncRun, instance: Instance): { signal: AbortSignal; stop(): void } {
  const ms = work.readingMaxMs ?? readingMaxMs
  const app = connectorById(instance.connector)?.name ?? instance.connector
  const over = new AbortController()
  const timer = setTimeout(
    () => {
      const time = count(Math.max(1, Math.round(ms / 3_600_000)), 'hour', 'hours')
      const message = `${app} did not list everybody within ${time}.`
      over.abort(new ProviderError('broken', { message, detail: `reading took more than ${ms} ms` }))
    },
    Math.max(0, ms - run.workedMs),
  )
  return { signal: over.signal, stop: () => clearTimeout(timer) }
}

/** Read to the stream's own end, and merge; a small directory that says what is known already has nothing to merge. */
async function bringIn(
  work: Work,
  run: SyncRun,
  instance: Instance,
  { signal, lost, last }: { signal: AbortSignal; lost: AbortSignal; last: () => Promise<void> },
): Promise<void> {
  const credentials = credentialsOf(work.seal, instance)
  const either = AbortSignal.any([signal, lost])
  const begun = await look(work, run, instance, { grant: { credentials }, signal: either })
  try {
    if (begun.unchanged) {
      crashpoint('stream-ended')
      await last()
      if (await concludeUnchanged(work, run, instance, begun.unchanged)) return
    }
    const { grant, memoryOf } = begun
    const end = await read(begun.work, run, instance, { grant, memoryOf, signal: either, lost, last })
    if (!end) return
    crashpoint('stream-ended')
    await last()
    await conclude(work, run, instance, end)
  } finally {
    begun.close()
  }
}

/**
 * Hold the claim every third of the lease, one beat at a time: a merge locks the run's row, and beats would queue up at it. A
 * worker that was not heard for a whole lease gives up by itself: somebody else may hold the claim.
 */
function beat({ db, log }: Work, run: SyncRun, lost: AbortController): () => void {
  let beating = false
  let heardMs = performance.now()
  const heartbeat = setInterval(() => {
    if (beating) return
    beating = true
    const beganMs = performance.now()
    holdRun(db.conn, run)
      .then(
        held => {
          heardMs = beganMs
          if (!held) lost.abort(new ClaimLost())
        },
        error => {
          log.warn({ reason: String(error), run: run.id }, 'A heartbeat was not heard')
          if (performance.now() - heardMs > leaseSeconds * 1000) lost.abort(new ClaimLost())
        },
      )
      .finally(() => {
        beating = false
      })
  }, heartbeatMs)
  return () => clearInterval(heartbeat)
}

/** Work whose connection is half-open never answers: once the claim is lost it is waited for a little, and left. */
async function unlessLost(merging: Promise<void>, lost: AbortSignal): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const left = new Promise<never>((_, reject) => {
    const leave = () => {
      timer = setTimeout(() => reject(new ClaimLost()), lostGraceMs)
    }
    if (lost.aborted) leave()
    else lost.addEventListener('abort', leave, { once: true })
  })
  await Promise.race([merging, left]).finally(() => clearTimeout(timer))
}

/** The run did not reach its end: whose doing was it? */
async function stopped(
  work: Work,
  run: SyncRun,
  instance: Instance,
  error: unknown,
  signals: { signal: AbortSignal; lost: AbortSignal },
): Promise<void> {
  const { db, clock, log } = work
  const staged = { runId: run.id, fence: run.fence }
  if (signals.lost.aborted || error instanceof ClaimLost) {
    log.warn({ run: run.id }, 'A run was taken over; this worker stops')
    return clearStaging(db.conn, staged)
  }
  const now = clock.now()
  if (!signals.signal.aborted && (isUnreachable(error) || error instanceof StagingLost)) {
    // Nobody's failure. While Postgres does not answer, this does not either, and the run is left to its lease.
    log.warn({ run: run.id, reason: String(error) }, 'Postgres went away in a run, which goes on elsewhere')
    await giveBack(work, run, { dueAt: now, spent: true })
    return
  }
  const comeBack = signals.signal.aborted ? now : comeBackAt(run, error, now)
  if (comeBack) {
    if (comeBack > now) log.info({ run: run.id, until: comeBack }, 'The vendor asked to come back later')
    // Its pages wait with it.
    const putOffMs = Math.round(comeBack.getTime() - now.getTime())
    const waits = await giveBack(work, run, { dueAt: comeBack, putOffMs })
    return waits ? undefined : clearStaging(db.conn, staged)
  }
  const connector = connectorById(instance.connector)
  const fault = faultOf(error, connector?.name ?? instance.connector)
  const facts = {
    run: run.id,
    instance: instance.id,
    code: fault.code,
    detail: fault.detail,
    reference: fault.reference,
  }
  if (fault.problem === 'internal') log.error({ ...facts, err: error }, 'A run failed by our own doing')
  else log.info(facts, 'A run failed')
  await clearStaging(db.conn, staged)
  await concludeFailure(work, run, instance, fault)
}

/** When a busy vendor wants the run to go on; undefined: it is not that, or it has been put off for too long. */
function comeBackAt(run: SyncRun, error: unknown, now: Date): Date | undefined {
  if (!(error instanceof ProviderError) || error.problem !== 'busy' || !error.until) return undefined
  return error.until > now && run.putOffMs < putOffMaxMs ? error.until : undefined
}
