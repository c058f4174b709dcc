// A run, top to bottom: claimed, read page by page into staging, merged or failed, and told. Its branches are here.
import { clearStaging, stageAccounts, stageProblems } from '../accounts/stage.ts'
import type { Credentials } from '../connectors/connector.ts'
import type { StreamEnd } from '../connectors/engine.ts'
import { ProviderError } from '../connectors/errors.ts'
import { connectorById } from '../connectors/registry.ts'
import type { Instance } from '../instances/instance.ts'
import type { Seal } from '../instances/seal.ts'
import { instanceById } from '../instances/store.ts'
import { crashpoint } from '../lib/crashpoint.ts'
import { conclude, concludeFailure } from './conclude.ts'
import { faultOf } from './outcome.ts'
import { showRun } from './progress.ts'
import type { SyncRun } from './run.ts'
import { ClaimLost, claimRun, giveBackRun, heartbeatMs, holdRun, nextWorkMs, settleRun } from './store.ts'
import { syncRunTable } from './table.ts'
import type { Work } from './work.ts'

export interface Runner {
  /** Milliseconds until a run falls due, or until a dead worker's lease ends. */
  nextDue(): Promise<number | undefined>
  /** Execute every run that is due, a few at a time; stops at page edges when the signal says so. */
  runDue(signal: AbortSignal): Promise<void>
}

/** Runs of one process at a time: each holds a connection only while it stages and merges. */
const runsAtOnceMax = 4
/** A vendor may put one run off for this long in all; then it has failed. */
const putOffMaxMs = 6 * 3_600_000
/** A run that took its worker down this often is failed, so that it cannot go on for ever. */
const attemptsMax = 5
/** How long a merge may still take to answer after its claim was lost: it may have been its own commit. */
const lostGraceMs = 5_000

export function createRunner(work: Work): Runner {
  async function lane(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const run = await claimRun(work.db, work.owner, work.clock.now())
      if (!run) return
      crashpoint('run-claimed')
      await execute(work, run, signal)
    }
  }
  return {
    nextDue: () => nextWorkMs(work.db.conn, syncRunTable, work.clock.now()),
    async runDue(signal) {
      await Promise.all(Array.from({ length: runsAtOnceMax }, () => lane(signal)))
    },
  }
}

/** One claimed run to its end: settled, given back, or left to its lease when the database does not answer. */
async function execute(work: Work, run: SyncRun, signal: AbortSignal): Promise<void> {
  const { db, clock } = work
  const instance = await instanceById(db.conn, run.instanceId)
  if (instance?.status !== 'live') {
    await settleRun(db.conn, run, 'cancelled', { endedAt: clock.now() })
    return
  }
  const lost = new AbortController()
  const stopBeating = beat(work, run, lost)
  const shown = showRun(work, run, instance)
  try {
    if (run.attempt > attemptsMax)
      throw new Error(`The run was begun ${run.attempt - 1} times and never ended`)
    const end = await read(work, run, instance, AbortSignal.any([signal, lost.signal]))
    crashpoint('stream-ended')
    await shown.stop()
    await unlessLost(conclude(work, run, instance, end), lost.signal)
  } catch (error) {
    await shown.stop()
    await stopped(work, run, instance, error, { signal, lost: lost.signal })
  } finally {
    stopBeating()
    await shown.stop()
  }
}

/** Hold the claim every third of the lease, one beat at a time: a merge locks the run's row, and beats would queue up at it. */
function beat({ db, log }: Work, run: SyncRun, lost: AbortController): () => void {
  let beating = false
  const heartbeat = setInterval(() => {
    if (beating) return
    beating = true
    holdRun(db.conn, run)
      .then(
        held => held || lost.abort(new ClaimLost()),
        error => log.warn({ reason: String(error), run: run.id }, 'A heartbeat was not heard'),
      )
      .finally(() => {
        beating = false
      })
  }, heartbeatMs)
  return () => clearInterval(heartbeat)
}

/** A merge whose connection is half-open never answers: once the claim is lost it is waited for a little, and left. */
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

/** Everything the vendor lists goes to staging; returns once the stream has ended by itself. */
async function read(
  work: Work,
  run: SyncRun,
  instance: Instance,
  signal: AbortSignal,
): Promise<StreamEnd & { problems: number }> {
  const { db, engine } = work
  const connector = connectorById(instance.connector)
  if (!connector) throw new Error(`There is no connector ${instance.connector}`)
  await clearStaging(db.conn, { runId: run.id, fence: run.fence })
  const stream = engine.pages(connector, credentialsOf(work.seal, instance), {
    signal,
    patienceMs: work.patienceMs,
  })
  let [pages, peopleRead, problems] = [0, 0, 0]
  for (;;) {
    const next = await stream.next()
    if (next.done) return { ...next.value, problems }
    await stageAccounts(db, { runId: run.id, fence: run.fence }, next.value.accounts)
    await stageProblems(db.conn, run.id, problems, next.value.problems)
    crashpoint('page-staged')
    pages += 1
    peopleRead += next.value.accounts.length
    problems += next.value.problems.length
    if (!(await holdRun(db.conn, run, { pages, peopleRead }))) throw new ClaimLost()
    crashpoint('page-counted')
    signal.throwIfAborted()
  }
}

/** Settings and opened secrets of an instance; what a run and a check are given, and nobody else. */
export function credentialsOf(seal: Seal, instance: Instance): Credentials {
  const place = { teamId: instance.teamId, instanceId: instance.id, field: 'credentials' }
  const secrets = instance.sealed
    ? (JSON.parse(seal.open(instance.sealed, place)) as Record<string, string>)
    : {}
  return { ...instance.settings, ...secrets }
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
  if (signals.signal.aborted) return giveBackRun(db.conn, run, { dueAt: now, now })
  const comeBack = comeBackAt(run, error, now)
  if (comeBack) {
    log.info({ run: run.id, until: comeBack }, 'The vendor asked to come back later')
    return giveBackRun(db.conn, run, { dueAt: comeBack, now })
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
  const putOffMs = now.getTime() - run.requestedAt.getTime()
  return error.until > now && putOffMs < putOffMaxMs ? error.until : undefined
}
