// A room to sync in: real Postgres, runner and remover, and a vendor that lists what a test says, page by page.
import { hash, randomBytes } from 'node:crypto'
import { createCutter } from '../../src/accounts/chunks.ts'
import { accountStagingTable } from '../../src/accounts/table.ts'
import type { Announcement } from '../../src/announce/announcement.ts'
import type { Account } from '../../src/connectors/account.ts'
import type { Cursor, Engine, Known, Page, StreamEnd } from '../../src/connectors/engine.ts'
import type { Instance } from '../../src/instances/instance.ts'
import { createSeal } from '../../src/instances/seal.ts'
import { createInstance, instanceById } from '../../src/instances/store.ts'
import { one } from '../../src/lib/assert.ts'
import { movableClock } from '../../src/lib/clock.ts'
import { newId } from '../../src/lib/ids.ts'
import { silentLog } from '../../src/lib/log.ts'
import { createRunner, type Runner } from '../../src/sync/lanes.ts'
import { type RunLimits, runLimits } from '../../src/sync/limits.ts'
import { createRemover } from '../../src/sync/remove.ts'
import { requestRun } from '../../src/sync/request.ts'
import type { RunTrigger } from '../../src/sync/run.ts'
import { historyOf } from '../../src/sync/store.ts'
import type { Work } from '../../src/sync/work.ts'
import { testDatabase } from '../support/postgres.ts'

export type Pages = (signal: AbortSignal, from?: Cursor) => AsyncGenerator<Page, StreamEnd>

export const whole: StreamEnd = { warnings: [], complete: true }

/** People `from`, `from + 1`, … as one page. */
export function people(from: number, to: number, facts: Partial<Account> = {}): Page {
  const accounts = Array.from({ length: to - from }, (_, at) => ({
    externalId: `p${String(from + at).padStart(6, '0')}`,
    email: `p${from + at}@example.com`,
    name: `Person ${from + at}`,
    status: 'active' as const,
    kind: 'human' as const,
    ...{ roles: [], admin: null, licences: [], mfa: null, lastActiveAt: null, createdAt: null },
    ...facts,
  }))
  return { accounts, problems: [] }
}

/** A vendor that lists these pages and ends by itself. */
export function listing(...pages: readonly Page[]): Pages {
  return async function* () {
    yield* pages
    return whole
  }
}

export interface Walk {
  /** Where each stream began: null at the beginning, else after how many pages. */
  begun: (number | null)[]
  pages: Pages
}

/** A vendor that can go on after any page; `before` is called before each, with its number from 0 (their count: the end). */
export function walking(
  pages: readonly Page[],
  before: (page: number, from: Cursor | undefined) => Promise<unknown> | undefined = () => undefined,
): Walk {
  const begun: Walk['begun'] = []
  return {
    begun,
    async *pages(_signal, from) {
      begun.push(from ? from.pages : null)
      for (let at = from?.pages ?? 0; at < pages.length; at += 1) {
        await before(at, from)
        const cursor = { listing: 0, req: { path: `/users?after=${at + 1}` }, pages: at + 1, end: whole }
        yield { ...(pages[at] ?? people(0, 0)), cursor }
      }
      await before(pages.length, from)
      return whole
    },
  }
}

/** A gate: `reached` resolves once somebody waits at it, and they go on after `open`. */
export function gate() {
  let arrive = () => {}
  let open = () => {}
  const reached = new Promise<void>(done => {
    arrive = done
  })
  const opened = new Promise<void>(done => {
    open = done
  })
  return {
    reached,
    open: () => open(),
    wait: () => {
      arrive()
      return opened
    },
  }
}

/** A vendor that lists `first`, then waits at the gate before it lists `second`. */
export function halting(at: ReturnType<typeof gate>, first = people(0, 5), second = people(5, 10)): Pages {
  return async function* () {
    yield first
    await at.wait()
    yield second
    return whole
  }
}

/** What of its settings and rooms one process has of its own. */
type Own = Partial<Pick<Work, 'db' | 'loadWindowMs' | 'readingMaxMs' | 'rememberedFrom'>> & {
  limits?: Partial<RunLimits>
}

/** These pages in chunks, as the engine gives them to who knows some by the vendor's bytes: in no new chunk is somebody who was listed before. */
async function* cut(
  stream: AsyncGenerator<Page, StreamEnd>,
  known: () => Promise<Known>,
  bytes: { spelling: string; known: number; discarded: readonly Account[] },
) {
  const recall = await known()
  bytes.known = 0
  const digestOf = (accounts: readonly Account[]) =>
    hash('sha256', `${bytes.spelling} ${JSON.stringify(accounts)}`, 'base64url').slice(0, 22)
  for (const accounts of chunksIn(bytes.discarded)) recall(digestOf(accounts))
  const listed = new Set<string>()
  try {
    for (;;) {
      const next = await stream.next()
      if (next.done) return next.value
      const page: Page = { ...next.value, accounts: [], chunks: [] }
      for (const accounts of chunksIn(next.value.accounts)) {
        const ids = new Set(accounts.map(account => account.externalId))
        const anew = ids.size === accounts.length && [...ids].every(id => !listed.has(id))
        for (const id of ids) listed.add(id)
        const digest = digestOf(accounts)
        const found = recall(digest)
        bytes.known += found?.people ?? 0
        if (found) page.chunks?.push({ known: found })
        else if (anew) page.chunks?.push({ digest, accounts })
        else page.accounts.push(...accounts)
      }
      yield page
    }
  } finally {
    await stream.return(whole)
  }
}

function chunksIn(accounts: readonly Account[]): Account[][] {
  const chunks: Account[][] = []
  const cutter = createCutter()
  let ends = true
  for (const account of accounts) {
    if (ends) chunks.push([])
    chunks.at(-1)?.push(account)
    ends = cutter.push(account) !== undefined
  }
  return chunks
}

/** The lease of a worker that has died in a test. */
const longAgo = '1970-01-01'

/** In a test the dead live on in the same process, and on a slow machine one of them beats before another has its run. */
const deadStayDead = `
  create function dead_stay_dead() returns trigger language plpgsql as $$
  begin
    if new.state = 'running' and new.fence = old.fence then new.lease_until := old.lease_until; end if;
    return new;
  end $$;
  create trigger dead_stay_dead before update on sync_run
    for each row when (old.lease_until = '${longAgo}') execute function dead_stay_dead()`

/**
 * `remembers`: directories of any size, as those of a thousand people are. `cuts`: people are also known by what stands for
 * the vendor's bytes.
 */
export async function startSync({ remembers = false, cuts = false } = {}) {
  const database = await testDatabase()
  const { db } = database
  await db.sql.unsafe(deadStayDead)
  const clock = movableClock()
  const rings: string[] = []
  /** Progress as it was shown. */
  const shown: { id: string; told: Announcement }[] = []
  let vendor: Pages = listing()
  /**
   * The vendor's bytes differ with the spelling, where its people do not; so many people were known by them last. What is
   * `discarded` was in an answer that was looked through and not taken.
   */
  const bytes = { spelling: '', known: 0, discarded: [] as readonly Account[] }
  const pagesOf =
    (of: () => Pages): Engine['pages'] =>
    (_connector, _credentials, { signal, from, known }) => {
      const stream = of()(signal, from)
      return cuts && known ? cut(stream, known, bytes) : stream
    }
  const engine: Engine = {
    verify: async () => ({ tenantKey: 'acme', tenantName: 'Acme' }),
    pages: pagesOf(() => vendor),
    close: async () => {},
  }
  const workOf = (owner: string, pages?: Pages, limits: Partial<RunLimits> = {}): Work => ({
    db,
    clock,
    log: silentLog,
    engine: pages ? { ...engine, pages: pagesOf(() => pages) } : engine,
    seal: createSeal([randomBytes(32)]),
    ring: bell => void rings.push(bell),
    channel: 'C0SYNC',
    owner,
    patienceMs: 60_000,
    // No pace: tests sync one instance again and again.
    limits: { ...runLimits, hostStartsPerSecond: 10_000, ...limits },
    goneDays: 30,
    ...(remembers ? { rememberedFrom: 0 } : {}),
    showProgress: async (id, told) => void shown.push({ id, told }),
  })
  const never = new AbortController().signal
  const runners = new Set<Runner>()
  const rows = (text: string, ...values: string[]) => db.sql.unsafe(text, values)
  const refreshed = async (id: string): Promise<Instance> => {
    const found = await instanceById(db.conn, id)
    if (!found) throw new Error('The instance is gone')
    return found
  }
  const history = (id: string) => historyOf(db.conn, id, 100)
  const room = {
    database,
    db,
    clock,
    rings,
    shown,
    rows,
    refreshed,
    history,
    work: workOf('first'),
    list(...pages: readonly Page[]) {
      vendor = listing(...pages)
    },
    vendor(pages: Pages) {
      vendor = pages
    },
    bytes,
    /** The newest run. */
    latest: async (id: string) => one(await history(id), 'a run was asked for'),
    async instance(connector = 'okta'): Promise<Instance> {
      const id = newId()
      const facts = { id, teamId: 'T1', name: `${connector}-${id}`, connector, settings: {}, sealed: null }
      const by = { tenantKey: 'acme', tenantName: null, owner: 'U1', createdBy: 'U1' }
      return db.transaction(tx => createInstance(tx, { ...facts, ...by }, clock.now()))
    },
    ask: (instanceId: string, trigger: RunTrigger = 'manual', by: string | null = 'U1') =>
      db.transaction(tx =>
        requestRun(tx, { instanceId, trigger, by, now: clock.now() }, work => rings.push(work)),
      ),
    /** Work off what is due, as the process called `owner`; `pages` is what only this one is listed, the last argument what else it has of its own. */
    runDue: async (signal = never, owner = 'first', pages?: Pages, { limits, ...facts }: Own = {}) => {
      const runner = createRunner({ ...workOf(owner, pages, limits), ...facts })
      runners.add(runner)
      await runner.runDue(signal).finally(() => runners.delete(runner))
    },
    /** A ring reaches the runners that are at work. */
    nudge() {
      for (const runner of runners) runner.nudge()
    },
    removeDue: (signal = never) => createRemover(workOf('first')).removeDue(signal),
    async sync(instanceId: string, ...pages: readonly Page[]) {
      vendor = listing(...pages)
      await room.ask(instanceId)
      await room.runDue()
      return room.latest(instanceId)
    },
    /** Whoever holds claims has died: their leases are over, and no beat of theirs is heard any more. */
    die: () => rows(`update sync_run set lease_until = '${longAgo}' where state = 'running'`),
    users: async (instanceId: string) =>
      (
        await rows(
          'select external_id from account where instance_id = $1 and gone_at is null order by 1',
          instanceId,
        )
      ).map(row => String(row.external_id)),
    staged: async () => (await db.conn.select().from(accountStagingTable)).length,
    /** What was announced of an instance, one kind a change, oldest first. */
    told: async (instanceId: string) =>
      (
        await rows(
          "select distinct transition_seq, announcement->>'kind' kind from outbox where instance_id = $1 order by 1",
          instanceId,
        )
      ).map(row => String(row.kind)),
    /** What one person was told directly of an instance. */
    toldDirectly: async (instanceId: string) =>
      (
        await rows(
          "select announcement from outbox where medium = 'slack-direct' and announcement->>'instanceId' = $1 order by created_at",
          instanceId,
        )
      ).map(row => row.announcement as Announcement),
  }
  return room
}

export type Sync = Awaited<ReturnType<typeof startSync>>
