// What is measured, each in a process of its own: the limits (COPY, parsing, hashing), saasm's sync, and the common upsert.
import { randomBytes, randomUUID } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { pipeline } from 'node:stream/promises'
import { sql } from 'drizzle-orm'
import { drizzle } from 'drizzle-orm/postgres-js'
import postgres from 'postgres'
import { hashOf } from '../src/accounts/row.ts'
import { accountTable } from '../src/accounts/table.ts'
import type { Account } from '../src/connectors/account.ts'
import { createEngine, type Engine, type Page } from '../src/connectors/engine.ts'
import type { Http, HttpAnswer } from '../src/connectors/http.ts'
import { textOf } from '../src/connectors/http-body.ts'
import { nothingLooked } from '../src/connectors/lookup.ts'
import { connectorById } from '../src/connectors/registry.ts'
import { readRows } from '../src/connectors/rows.ts'
import { type Db, openDb } from '../src/db/db.ts'
import { createSeal } from '../src/instances/seal.ts'
import { createInstance } from '../src/instances/store.ts'
import { systemClock } from '../src/lib/clock.ts'
import { idAt, newId } from '../src/lib/ids.ts'
import { silentLog } from '../src/lib/log.ts'
import { createRunner } from '../src/sync/lanes.ts'
import { runLimits } from '../src/sync/limits.ts'
import { createRemover } from '../src/sync/remove.ts'
import { requestRemoval, requestRun } from '../src/sync/request.ts'
import { historyOf } from '../src/sync/store.ts'
import type { Work } from '../src/sync/work.ts'
import { readPages } from './people.ts'

export type Design = 'copy' | 'copy binary' | 'parse' | 'hash' | 'sync' | 'upsert' | 'remove'

export interface Task {
  design: Design
  url: string
  /** The vendor's pages; for `copy` and `copy binary`, the rows in that format of COPY. */
  file: string
  instanceId: string
  /** Done first and not counted, all of it for each of these others, so that code is compiled and connections are open. */
  warmUp: { files: readonly string[]; instanceIds: readonly string[] } | null
}

/** What was done, to prove that all designs did the same. */
export type Done = Record<string, number>

const batchMax = 500
const credentials = { domain: 'acme.okta.com', token: 'x' }

/** Make the design ready; the function returned does it once. */
export function prepare(task: Task): { db: Db; run(file: string, instanceId: string): Promise<Done> } {
  const db = openDb(task.url, { statementTimeoutMs: 3_600_000 })
  const runs: Record<Design, (file: string, instanceId: string) => Promise<Done>> = {
    copy: file => copyRows(db, file, 'text'),
    'copy binary': file => copyRows(db, file, 'binary'),
    parse: async file => ({ people: drain(file, account => account.externalId.length) }),
    hash: async file => ({ people: drain(file, account => hashOf(account).length) }),
    sync: (file, instanceId) => syncOnce(db, file, instanceId),
    upsert: (file, instanceId) => upsert(task.url, file, instanceId),
    remove: (_file, instanceId) => removeAll(db, instanceId),
  }
  return { db, run: runs[task.design] }
}

/** Pages as the engine hands them on: parsed, read by the connector's listing, cleaned. */
export function* accountPages(file: string): Generator<Page> {
  const listing = connectorById('okta')?.listings[0]
  if (!listing) throw new Error('Okta lists nobody')
  for (const { bytes } of readPages(file)) {
    const items = listing.items(JSON.parse(textOf(bytes)), credentials)
    if (!items) throw new Error('A page is no list')
    yield readRows(listing, items, { credentials, looked: nothingLooked })
  }
}

function drain(file: string, look: (account: Account) => number): number {
  let people = 0
  let seen = 0
  for (const { accounts } of accountPages(file)) {
    for (const account of accounts) seen += look(account)
    people += accounts.length
  }
  return seen > 0 ? people : 0
}

/** On a connection that keeps the plan of a foreign key's check, as a fresh one does: on the others COPY takes twice as long. */
async function copyRows(db: Db, file: string, format: 'text' | 'binary'): Promise<Done> {
  const copy = await db.pages.unsafe(`copy account from stdin (format ${format})`).writable()
  await pipeline(createReadStream(file, { highWaterMark: 1 << 18 }), copy)
  return {}
}

/** A run as in production, from asked-for to told; only the vendor's HTTP is left out. */
async function syncOnce(db: Db, file: string, instanceId: string): Promise<Done> {
  const runner = createRunner(workOf(db, engineOf(file)))
  const by = { instanceId, trigger: 'scheduled' as const, by: null, now: new Date() }
  await db.transaction(tx => requestRun(tx, by, () => {}))
  await runner.runDue(new AbortController().signal)
  const [run] = await historyOf(db.conn, instanceId, 1)
  if (run?.state !== 'succeeded') throw new Error(`The run ended as ${JSON.stringify(run)}`)
  const { added, changed, removed, unchanged } = run
  return { added: added ?? 0, changed: changed ?? 0, removed: removed ?? 0, unchanged: unchanged ?? 0 }
}

/** saasm's own, over a vendor that answers at once: Okta's check, then a page a request, each with a link to the next. */
function engineOf(file: string): Engine {
  const pages = readPages(file)
  const http: Http = {
    async request({ url }) {
      const { origin, searchParams } = new URL(url)
      if (searchParams.get('limit') === '1') return answerOf(Buffer.from('[]'))
      const page = pages.next()
      if (page.done) return answerOf(Buffer.from('[]'))
      const { bytes, last } = page.value
      const next = `<${origin}/api/v1/users?limit=200&after=${randomUUID()}>; rel="next"`
      return answerOf(bytes, last ? {} : { link: next })
    },
    close: async () => {},
  }
  return createEngine({ clock: systemClock, log: silentLog, allowPrivateNetwork: false, code: 'bench', http })
}

function answerOf(bytes: Buffer, headers: Record<string, string> = {}): HttpAnswer {
  return {
    ...{ status: 200, headers, bytes },
    get text() {
      return textOf(bytes)
    },
  }
}

export function workOf(db: Db, engine: Engine): Work {
  return {
    ...{ db, engine, clock: systemClock, log: silentLog, seal: createSeal([randomBytes(32)]) },
    ...{ ring: () => {}, channel: 'C0SYNC', owner: newId(), patienceMs: 60_000 },
    ...{ showProgress: async () => {}, goneDays: 30 },
    // No run waits for its host's pace: several of one instance follow each other.
    limits: { ...runLimits, hostStartsPerSecond: 1_000 },
  }
}

/** Delete All Users, to its end; the longest of its transactions is told apart. */
async function removeAll(db: Db, instanceId: string): Promise<Done> {
  const took: number[] = []
  const transaction: Db['transaction'] = async (work, wanted) => {
    const from = performance.now()
    const result = await db.transaction(work, wanted)
    took.push(performance.now() - from)
    return result
  }
  const by = { instanceId, kind: 'users' as const, by: 'U1', now: new Date() }
  await db.transaction(tx => requestRemoval(tx, by, () => {}))
  const timed = { ...db, pages: db.pages, transaction }
  await createRemover(workOf(timed, engineOf(''))).removeDue(new AbortController().signal)
  const rows =
    await db.sql`select removed from removal where instance_id = ${instanceId} order by requested_at desc limit 1`
  const people = Number(rows[0]?.removed ?? 0)
  process.stderr.write(
    `  removal: ${took.length} batches, the longest ${Math.max(0, ...took).toFixed(0)} ms\n`,
  )
  return { people }
}

/** The common design: drizzle on postgres.js as they come, 500 rows a statement, ON CONFLICT DO UPDATE. */
async function upsert(url: string, file: string, instanceId: string): Promise<Done> {
  const client = postgres(url, { max: 1 })
  const conn = drizzle(client)
  let people = 0
  for (const { accounts } of accountPages(file)) {
    for (let from = 0; from < accounts.length; from += batchMax) {
      const rows = accounts.slice(from, from + batchMax).map(account => ({
        ...account,
        instanceId,
        hash: hashOf(account),
        firstSeenAt: new Date(),
      }))
      await conn
        .insert(accountTable)
        .values(rows)
        .onConflictDoUpdate({
          target: [accountTable.instanceId, accountTable.externalId],
          set: {
            email: sql`excluded.email`,
            name: sql`excluded.name`,
            status: sql`excluded.status`,
            kind: sql`excluded.kind`,
            roles: sql`excluded.roles`,
            admin: sql`excluded.admin`,
            licences: sql`excluded.licences`,
            mfa: sql`excluded.mfa`,
            lastActiveAt: sql`excluded.last_active_at`,
            createdAt: sql`excluded.created_at`,
            hash: sql`excluded.hash`,
            goneAt: sql`null`,
          },
        })
      people += rows.length
    }
  }
  await client.end()
  return { people }
}

/** A Live instance that has never synced. */
export async function freshInstance(db: Db): Promise<string> {
  const id = idAt(new Date(), newId())
  const sealed = null
  await db.transaction(tx =>
    createInstance(
      tx,
      {
        ...{ id, teamId: 'T1', name: id, connector: 'okta', tenantKey: 'acme', tenantName: null, sealed },
        // Of a vendor host of its own: what is measured is no host's pace.
        ...{ settings: { ...credentials, domain: `${id}.okta.com` }, owner: 'U1', createdBy: 'U1' },
      },
      new Date(),
    ),
  )
  return id
}
