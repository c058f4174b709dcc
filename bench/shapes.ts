// bench:shapes: every shape of change of a directory, in tables that Postgres knows and does not know; none may grow faster than its people.
import { releaseMissing } from '../src/accounts/held.ts'
import type { Account, AccountStatus } from '../src/connectors/account.ts'
import type { Engine } from '../src/connectors/engine.ts'
import { openDb } from '../src/db/db.ts'
import { lastQuestion } from '../src/sync/held.ts'
import { createRunner } from '../src/sync/lanes.ts'
import { createRemover } from '../src/sync/remove.ts'
import { requestRemoval, requestRun } from '../src/sync/request.ts'
import { historyOf } from '../src/sync/store.ts'
import { freshInstance, workOf } from './designs.ts'
import { startServer } from './server.ts'

const numberOf = (name: string, otherwise: number) =>
  Number(new RegExp(`--${name}=(\\d+)`).exec(process.argv.join(' '))?.[1] ?? otherwise)
const few = numberOf('people', 20_000)
const times = 5
/** What takes this many times as long for each person of many as of few grows with a square. */
const growthMax = 3
/** Shorter ones say nothing of growth. */
const leastMs = 300
const shares = [1, 4, 15, 30]
const pagePeople = 1_000

const tables = ['never analyzed', 'analyzed when others were in it', 'analyzed'] as const

/** Somebody as they are listed: named or not as before, disabled or not. */
interface Person {
  id: number
  name?: string
  status?: AccountStatus
}

const server = await startServer()
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void end(1))
const db = openDb(server.url, { statementTimeoutMs: 3_600_000 })
let listed: readonly Person[] = []
const engine: Engine = {
  verify: async () => ({ tenantKey: 'acme', tenantName: null }),
  async *pages() {
    for (let from = 0; from < listed.length; from += pagePeople)
      yield { accounts: listed.slice(from, from + pagePeople).map(accountOf), problems: [] }
    return { warnings: [], complete: true }
  },
  close: async () => {},
}
const work = workOf(db, engine)
const signal = new AbortController().signal

let code = 1
try {
  code = (await missedIn()) > 0 ? 1 : 0
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`)
}
await end(code)

async function end(code: number): Promise<never> {
  await db.close().catch(() => {})
  await server.stop().catch(() => {})
  process.exit(code)
}

/** Print how long every step takes, and return how many grow too fast. */
async function missedIn(): Promise<number> {
  let missed = 0
  for (const table of tables) {
    console.log(`\n${`in a table ${table}`.padEnd(46)} ${few} people  ${times} times  growth`)
    const took = [await stepsOf(table, few), await stepsOf(table, few * times)] as const
    for (const [step, ms] of took[0]) {
      const many = took[1].get(step) ?? Number.NaN
      const growth = many / ms / times
      const isFine = many < leastMs || growth <= growthMax
      if (!isFine) missed += 1
      const cells = [`${ms.toFixed(0)} ms`.padStart(13), `${many.toFixed(0)} ms`.padStart(8)]
      console.log(step.padEnd(46), ...cells, growth.toFixed(2).padStart(7), isFine ? '' : 'MISSED')
    }
  }
  console.log(
    `\n${missed} steps took more than ${growthMax} times as long a person (aim: none; under ${leastMs} ms none is looked at)`,
  )
  return missed
}

function accountOf({ id, name = '', status = 'active' }: Person): Account {
  return {
    ...{ externalId: `00u${String(id).padStart(8, '0')}`, email: `p${id}@acme.example` },
    ...{ name: `Person ${id}${name}`, status, kind: 'human', roles: [], licences: [], admin: false },
    ...{ mfa: null, lastActiveAt: new Date(1_700_000_000_000 + id * 1_000), createdAt: null },
  }
}

/** How many milliseconds each step takes, each shape in an instance of its own and an otherwise empty table. */
async function stepsOf(table: (typeof tables)[number], people: number): Promise<Map<string, number>> {
  const took = new Map<string, number>()
  const all = Array.from({ length: people }, (_, id): Person => ({ id }))
  let id = ''
  const timed = async (step: string, what: () => Promise<unknown>) => {
    const from = performance.now()
    await what()
    took.set(step, performance.now() - from)
  }
  const sync = (step: string, list: readonly Person[]) => timed(step, () => syncOnce(id, list))
  const loaded = async () => {
    await server.sql`truncate account, account_staging`
    await server.sql`delete from pg_statistic where starelid = 'account'::regclass`
    if (table === 'analyzed when others were in it') {
      await syncOnce(await freshInstance(db), all.slice(0, people / 10))
      await server.sql`vacuum analyze account`
    }
    id = await freshInstance(db)
    await syncOnce(id, all)
    if (table === 'analyzed') await server.sql`vacuum analyze account`
  }
  for (const share of shares) {
    const isIn = ({ id }: Person) => id % 100 < share
    const others = all.filter(one => !isIn(one))
    const newOnes = all.filter(isIn).map(one => ({ id: people + one.id }))
    const as = (facts: Omit<Person, 'id'>) => all.map(one => (isIn(one) ? { ...one, ...facts } : one))
    const name = (what: string) => `${share} % ${what}`

    await loaded()
    await sync(name('gone'), others)
    const question = await lastQuestion(db.conn, id)
    if (question) {
      const of = { markedBy: question.held.markedBy, runId: question.runId, now: new Date() }
      await sync(name('still gone, while it is held'), others)
      await timed(name('gone: allowed'), () =>
        db.transaction(tx => releaseMissing(tx, id, of), { patient: true }),
      )
    }
    await sync(name('back'), all)
    await loaded()
    await sync(name('renamed'), as({ name: ' Renamed' }))
    await sync(name('named as before'), all)
    await loaded()
    await sync(name('disabled'), as({ status: 'suspended' }))
    await sync(name('enabled again'), all)
    await loaded()
    await sync(name('new'), [...all, ...newOnes])
    await loaded()
    await sync(name('listed twice, in two ways'), [
      ...all,
      ...all.filter(isIn).map(one => ({ ...one, name: ' Twice' })),
    ])
    await loaded()
    const renamed = others.map(one => (one.id % 100 < 2 * share ? { ...one, name: ' Renamed' } : one))
    await sync(name('gone, as many renamed and new'), [...renamed, ...newOnes])
    await sync(name('the other way round'), all)
    await timed(name('all users deleted'), () => removeAll(id))
  }
  return took
}

async function syncOnce(instanceId: string, list: readonly Person[]): Promise<void> {
  listed = list
  const by = { instanceId, trigger: 'scheduled' as const, by: null, now: new Date() }
  await db.transaction(tx => requestRun(tx, by, () => {}))
  await createRunner(work).runDue(signal)
  const [run] = await historyOf(db.conn, instanceId, 1)
  if (run?.state !== 'succeeded' && run?.state !== 'held')
    throw new Error(`The run ended as ${JSON.stringify(run)}`)
}

async function removeAll(instanceId: string): Promise<void> {
  const by = { instanceId, kind: 'users' as const, by: 'U1', now: new Date() }
  await db.transaction(tx => requestRemoval(tx, by, () => {}))
  await createRemover(work).removeDue(signal)
}
