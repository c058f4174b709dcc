// A small directory in which nothing has changed, which is what most runs find: known by one look, and ended without staging or merge.
import { sql } from 'drizzle-orm'
import { knownBy, loadMemory, type Memory } from '../accounts/memory.ts'
import { isUnchanged } from '../accounts/unchanged.ts'
import type { Engine, Page, StreamEnd } from '../connectors/engine.ts'
import { connectorById } from '../connectors/registry.ts'
import { peopleOf } from '../connectors/seen.ts'
import { byKeyAndOnePlan } from '../db/db.ts'
import type { Instance } from '../instances/instance.ts'
import { recordSuccessAgain } from '../instances/store.ts'
import { crashpoint } from '../lib/crashpoint.ts'
import { type Grant, keeperOf } from './grant.ts'
import { openRemovalOf } from './removals.ts'
import type { SyncRun } from './run.ts'
import { nextSyncAt } from './schedule.ts'
import { ClaimLost, settleRun } from './store.ts'
import type { Work } from './work.ts'

/** More people are compared a page a statement, and staged. */
const peopleMax = 500
/** What a slow vendor has listed by then is staged; a run that is stopped before asks for that little again. */
const lookMs = 1_000

/** A directory that says what is known already. */
interface Unchanged {
  people: number
  pages: number
  warnings: string[]
}

/** A run that has asked its vendor. */
export interface Begun {
  unchanged: Unchanged | null
  /** For `read`: its engine gives the pages that are here already, and the rest. */
  work: Work
  /** What is remembered of the instance, loaded once, when it is first asked for. */
  memoryOf: () => Promise<Memory>
  /** For `read`, too: the vendor may have rotated a token, and may do so again. */
  grant: Grant
  /** The stream is not needed any more. */
  close(): void
}

/** Read the beginning of a directory that was small and well at its last run; of any other nothing is read here. */
export async function look(
  work: Work,
  run: SyncRun,
  instance: Instance,
  { grant, signal }: { grant: Grant; signal: AbortSignal },
): Promise<Begun> {
  const connector = connectorById(instance.connector)
  // A run that was begun before has pages to go on with, after one that did not end well there is something to tell, and who
  // waits for a run is shown how far it is.
  const small = run.size === 'small' && instance.lastOutcome === 'succeeded'
  const may = small && run.fence === 1 && run.trigger === 'scheduled' && !run.urgent
  let memory: Promise<Memory> | undefined
  const memoryOf = () => {
    memory ??= loadMemory(work.db.conn, instance.id, work.rememberedFrom)
    return memory
  }
  if (!may || !connector) return { unchanged: null, work, memoryOf, grant, close: () => {} }
  const keep = keeperOf(work, instance, { connector, grant })
  const { patienceMs } = work
  const known = () => memoryOf().then(knownBy)
  const stream = work.engine.pages(connector, grant.credentials, { signal, patienceMs, keep, known })
  const close = () => void stream.return({ warnings: [], complete: false }).catch(() => {})
  const first = await beginningOf(stream)
  try {
    const unchanged = await unchangedIn(work, instance, first)
    return {
      unchanged,
      work: { ...work, engine: goingOn(work.engine, () => goOn(first, stream)) },
      ...{ memoryOf, grant },
      close,
    }
  } catch (error) {
    close()
    throw error
  }
}

type Next = Promise<IteratorResult<Page, StreamEnd>>

/** What a stream has brought by now, and what it was asked for since. */
interface Beginning {
  pages: Page[]
  /** It ended by itself after them. */
  end?: StreamEnd
  /** What comes after them, if it was asked for: a page, or what the stream threw. */
  next?: Next
}

async function beginningOf(stream: AsyncGenerator<Page, StreamEnd>): Promise<Beginning> {
  const pages: Page[] = []
  const until = performance.now() + lookMs
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<undefined>(resolve => {
    timer = setTimeout(resolve, lookMs, undefined)
  })
  try {
    for (let people = 0; people <= peopleMax && performance.now() < until; ) {
      const next = stream.next()
      const brought = await Promise.race([next, late]).catch(() => undefined)
      if (!brought) return { pages, next }
      if (brought.done) return { pages, end: brought.value }
      pages.push(brought.value)
      people += peopleOf(brought.value)
    }
    return { pages }
  } finally {
    clearTimeout(timer)
  }
}

async function* goOn(
  { pages, end, next }: Beginning,
  stream: AsyncGenerator<Page, StreamEnd>,
): AsyncGenerator<Page, StreamEnd> {
  yield* pages
  if (end) return end
  const brought = await next
  if (brought?.done) return brought.value
  if (brought) yield brought.value
  return yield* stream
}

/** The same engine, whose first stream goes on with another one. */
function goingOn(engine: Engine, first: () => AsyncGenerator<Page, StreamEnd>): Engine {
  let asked = false
  return {
    ...engine,
    pages(...of) {
      if (asked) return engine.pages(...of)
      asked = true
      return first()
    },
  }
}

async function unchangedIn(
  { db }: Work,
  instance: Instance,
  { pages, end }: Beginning,
): Promise<Unchanged | null> {
  if (!end?.complete) return null
  const accounts = pages.flatMap(({ accounts, chunks = [] }) => [
    ...accounts,
    ...chunks.flatMap(chunk => chunk.accounts ?? []),
  ])
  const read = pages.every(({ problems, chunks }) => problems.length === 0 && !chunks?.some(one => one.known))
  if (!read || accounts.length === 0 || accounts.length > peopleMax) return null
  if (!(await isUnchanged(db, instance.id, accounts))) return null
  return { people: accounts.length, pages: pages.filter(page => !page.more).length, warnings: end.warnings }
}

class Another extends Error {}

/**
 * The end of a run that has found nothing new, in one transaction; false: the instance is another one by now, or somebody
 * waits for the end, and nothing was written. Throws ClaimLost. What was compared stands but for a person forgotten since: only a run under this claim writes
 * people, and users who are being removed end it. It writes nobody, so nothing comes back.
 */
export async function concludeUnchanged(
  work: Work,
  run: SyncRun,
  instance: Instance,
  { people, pages, warnings }: Unchanged,
): Promise<boolean> {
  const now = work.clock.now()
  const facts = { added: 0, changed: 0, removed: 0, unchanged: people, pages, peopleRead: people, warnings }
  const written = work.db.transaction(async tx => {
    // Each is void without the other. The instance's row is locked first, as at every end of a run.
    const [, same, settled, removal] = await Promise.all([
      tx.execute(sql`select ${byKeyAndOnePlan}`),
      recordSuccessAgain(tx, instance, { lastSuccessAt: now, nextSyncAt: nextSyncAt(instance, now) }),
      settleRun(tx, run, 'succeeded', { ...facts, endedAt: now }),
      openRemovalOf(tx, instance.id),
    ])
    if (!settled) throw new ClaimLost()
    // Somebody waits for it since: the whole way ends by telling them.
    if (!same || removal || settled.alsoAsked.length > 0) throw new Another()
    crashpoint('run-settled')
    return true
  })
  return written.catch(error => {
    if (error instanceof Another) return false
    throw error
  })
}
