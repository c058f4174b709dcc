// Reading: everything the vendor lists, into the database, going on where an earlier claim of the run stopped.
import { writtenOf } from '../accounts/lesson.ts'
import { beginLoad, endOlderLoads, type Load } from '../accounts/load.ts'
import { knownBy, loadMemory, type Memory } from '../accounts/memory.ts'
import { type Adopted, adoptPages, clearStaging, stageProblems } from '../accounts/pages.ts'
import { createStager, type Reading } from '../accounts/stage.ts'
import type { Cursor } from '../connectors/engine.ts'
import { ProviderError } from '../connectors/errors.ts'
import { isUniqueViolation, type Tx } from '../db/db.ts'
import type { Instance } from '../instances/instance.ts'
import { crashpoint } from '../lib/crashpoint.ts'
import { conclude, LoadVoid } from './conclude.ts'
import type { Grant } from './grant.ts'
import type { Ending } from './outcome.ts'
import type { Gathered } from './pages.ts'
import type { SyncRun } from './run.ts'
import { isRefusedCursor, openSource, progressOf, type Source } from './source.ts'
import { ClaimLost, holdRun } from './store.ts'
import type { Work } from './work.ts'

/**
 * A first load may keep its transaction open this long; then it goes on in staging. Long enough for a million people from a
 * vendor that answers at once, too short to hold up a vacuum.
 */
const loadWindowMs = 45_000
/** A first load waits no longer for Postgres to take people before it reads on. */
const openMs = 100
/** The run says no later than this how far it has come. */
const progressMs = 1_000

interface Signals {
  /** A stop of the process, or the claim is lost. */
  signal: AbortSignal
  lost: AbortSignal
  /** Waited for before the end is written: what shows how far it is must be quiet by then. */
  last(): Promise<void>
}

/**
 * Everything the vendor lists is staged, and the merge is up to the caller; undefined: it went straight into an empty
 * instance, and the run is concluded. Throws ProviderError, the signal's reason, ClaimLost.
 */
export async function read(
  work: Work,
  run: SyncRun,
  instance: Instance,
  { grant, memoryOf, ...signals }: Signals & { grant: Grant; memoryOf: () => Promise<Memory> },
): Promise<Ending | undefined> {
  const { db } = work
  const { id: instanceId, generation } = instance
  const reading = { runId: run.id, fence: run.fence, instanceId, generation }
  const known = () => memoryOf().then(knownBy)
  const open = (adopted?: Adopted) => openSource(work, run, instance, { grant, adopted, known, ...signals })
  // What an earlier claim has left.
  if (run.fence > 1) await endOlderLoads(db.conn, run.id)
  const adopted = run.fence > 1 ? await adoptPages(db, reading) : undefined
  let source = open(adopted)
  const memory = await memoryOf()
  if (!adopted && memory.empty) {
    const loaded = await load(work, run, instance, { source, reading, memory, ...signals }).catch(error => {
      if (error instanceof LoadVoid) return 'void' as const
      // Somebody was listed twice: staging knows which of the two to keep.
      if (!isUniqueViolation(error)) throw error
      source.close()
      source = open()
      return 'staging' as const
    })
    if (loaded === 'concluded') return undefined
    // With nobody staged it is cancelled as any other run is.
    if (loaded === 'void') {
      const nothing = { warnings: [], complete: false, problems: 0, staged: 0 }
      return { ...nothing, ...progressOf(source), lesson: memory.lesson(0) }
    }
    return stage(work, run, {
      source,
      reading,
      memory: await loadMemory(db.conn, instanceId, work.rememberedFrom),
    })
  }
  try {
    return await stage(work, run, { source, reading, memory })
  } catch (error) {
    if (!isRefusedCursor(source, error)) throw error
    work.log.info({ run: run.id }, 'The vendor does not know where this run stopped: it begins again')
    await clearStaging(db.conn, reading)
    // Nothing was read: there is nothing to unlearn.
    return stage(work, run, { source: open(), reading, memory })
  }
}

/** Batch by batch into staging, to the stream's own end. */
async function stage(
  work: Work,
  run: SyncRun,
  { source, reading, memory }: { source: Source; reading: Reading; memory: Memory },
): Promise<Ending> {
  const stager = createStager(work.db, reading, { pages: source.batches, memory })
  const counter = counterOf(work, run, source)
  try {
    for (;;) {
      const batch = await source.next()
      await keepProblems(work, run, source, batch)
      if (hasRead(batch)) await stager.write({ ...batch, problems: source.problems })
      if (batch.end || 'error' in batch) await stager.settle()
      crashpoint('page-staged')
      await counter.count(batch)
      crashpoint('page-counted')
      if ('error' in batch) throw batch.error
      if (batch.end) {
        const { problems, people } = source
        const staged = stager.pages()
        return { ...batch.end, ...progressOf(source), problems, staged, lesson: memory.lesson(people) }
      }
    }
  } finally {
    counter.stop()
    await stager.leave()
  }
}

/**
 * A first load, in one transaction with its end. A stop that the run will go on after, and a vendor that takes longer than
 * the window, leave it in staging.
 */
async function load(
  work: Work,
  run: SyncRun,
  instance: Instance,
  {
    source,
    reading,
    memory,
    signal,
    lost,
    last,
  }: Signals & { source: Source; reading: Reading; memory: Memory },
): Promise<'concluded' | 'staging'> {
  const until = performance.now() + (work.loadWindowMs ?? loadWindowMs)
  const counter = counterOf(work, run, source)
  let stopped: { error: unknown } | undefined
  const over = new AbortController()
  const pour = async (tx: Tx, load: Load) => {
    let cursor: Cursor | null = null
    const demote = async () => {
      await load.demote({ problems: source.problems, cursor })
      source.batches = 1
      return 'staging' as const
    }
    // Postgres answers at once where Node is idle, and is what a load waits for. A lock on the table keeps no vendor waiting.
    await within(openMs, load.opened())
    for (;;) {
      const gathered = source.next()
      const batch = await within(until - performance.now(), gathered)
      // A connection that was lost while the vendor was asked has ended the transaction without us.
      over.signal.throwIfAborted()
      if (!batch) {
        const { next } = source
        source.next = () => {
          source.next = next
          return gathered
        }
        return demote()
      }
      await keepProblems(work, run, source, batch)
      await load.write(batch)
      if (hasRead(batch)) cursor = batch.cursor
      crashpoint('page-staged')
      await counter.count(batch)
      crashpoint('page-counted')
      if ('error' in batch) {
        if (lost.aborted || !(signal.aborted || isPutOff(batch.error))) throw batch.error
        stopped = { error: batch.error }
        return demote()
      }
      if (batch.end) {
        const ending = load.end()
        // Written out while Postgres checks the last rows: everybody is stored as listed, or nobody is.
        const lesson = memory.lesson(source.people)
        const [people, written] = await Promise.all([ending, writtenOf(lesson, 'all')])
        crashpoint('stream-ended')
        await last()
        const end = { ...batch.end, ...progressOf(source), problems: source.problems, staged: 0, lesson }
        await conclude(work, run, instance, end, { tx, people, written })
        return 'concluded' as const
      }
    }
  }
  const ended = work.db.transaction(
    async tx => {
      const load = await beginLoad(tx, reading, { now: work.clock.now(), memory })
      try {
        return await pour(tx, load)
      } catch (error) {
        await load.cancel()
        throw error
      }
    },
    { patient: true },
  )
  await ended.finally(() => {
    counter.stop()
    over.abort(new Error('The transaction is over'))
  })
  if (stopped) throw stopped.error
  return ended
}

/** Nothing comes with an end that stands by itself, and with a stream that threw at once. */
function hasRead({ pages, people }: Gathered): boolean {
  return pages > 0 || people > 0
}

function isPutOff(error: unknown): boolean {
  return error instanceof ProviderError && error.problem === 'busy' && error.until !== undefined
}

async function keepProblems(work: Work, run: SyncRun, source: Source, { problems }: Gathered): Promise<void> {
  await stageProblems(work.db.conn, run.id, source.problems, problems)
  source.problems += problems.length
}

interface Counter {
  /** Count a batch. Throws what the run's row has said since the last one: ClaimLost, or that Postgres is not there. */
  count(batch: Gathered): Promise<void>
  /** Say nothing more. */
  stop(): void
}

/** Says how far the run has come within a second, while it reads on; a run that is over by then says it at its end. */
function counterOf(work: Work, run: SyncRun, source: Source): Counter {
  let timer: NodeJS.Timeout | undefined
  let failure: { error: unknown } | undefined
  const say = () => holdRun(work.db.conn, run, progressOf(source))
  const sayAndHear = async () => {
    try {
      if (!(await say())) failure = { error: new ClaimLost() }
    } catch (error) {
      failure = { error }
    }
    timer = undefined
  }
  return {
    async count(batch) {
      source.pages += batch.pages
      source.people += batch.people
      if ('error' in batch && !(await say())) throw batch.error
      if (failure) throw failure.error
      if (!batch.end) timer ??= setTimeout(sayAndHear, progressMs)
    },
    stop: () => clearTimeout(timer),
  }
}

/** Undefined when it takes longer. */
async function within<T>(ms: number, work: Promise<T>): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<undefined>(resolve => {
    timer = setTimeout(() => resolve(undefined), Math.max(0, ms))
  })
  return Promise.race([work, late]).finally(() => clearTimeout(timer))
}
