// The stage of a fault: real worker processes on a real database, with Slack, the mail service and the vendors in this process.
import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { expect, vi } from 'vitest'
import { type Db, openDb } from '../../src/db/db.ts'
import { examine, report } from '../../src/db/doctor.ts'
import type { Instance } from '../../src/instances/instance.ts'
import { createSeal } from '../../src/instances/seal.ts'
import { createInstance } from '../../src/instances/store.ts'
import { movableClock } from '../../src/lib/clock.ts'
import { newId } from '../../src/lib/ids.ts'
import { silentLog } from '../../src/lib/log.ts'
import { type Sandbox, startSandbox } from '../../src/sandbox/sandbox.ts'
import { createOktaStandIn } from '../../src/sandbox/vendors/okta.ts'
import type { VendorStandIn } from '../../src/sandbox/vendors/vendor-stand-in.ts'
import { requestRun } from '../../src/sync/request.ts'
import type { RunTrigger } from '../../src/sync/run.ts'
import { scopes } from '../support/world.ts'

/** What recovery may take: a lease (60 s), a sweep (15 s) and 5 s. */
export const recoveryMs = 80_000

/** What a start may take on a machine that is busy with all the others. */
export const startMaxMs = 240_000
/** How much of what each process said last is shown with a failure. */
const logMax = 3_000

export interface Worker {
  readonly pid: number
  /** Where its HTTP routes are, once it is up. */
  readonly url: string
  readonly ended: Promise<{ code: number | null; signal: NodeJS.Signals | null }>
  signal(name: NodeJS.Signals): void
  log(): string
}

/** The vendor of one instance: an Okta of its own, whose answers a test can hold back. */
export interface Vendor {
  readonly okta: VendorStandIn
  readonly url: string
  /** The next listing request waits; `reached` resolves when it is there, and it is answered after `open`. */
  hold(): { reached: Promise<void>; open(): void }
}

export interface Stage {
  readonly sandbox: Sandbox
  readonly db: Db
  readonly url: string
  /** Start a process and wait until it is up (unless `wait` is false). */
  worker(env?: Record<string, string>, wait?: boolean): Promise<Worker>
  vendor(people?: number): Vendor
  /** An instance of this vendor, Live and never synced. */
  instance(of: Vendor, name?: string): Promise<Instance>
  ask(instanceId: string, trigger?: RunTrigger): Promise<void>
  /** The vendor's first person is reported already, and changed since: the run goes through staging, as all but first loads do. */
  know(instance: Instance, of: Vendor): Promise<void>
  rows(text: string, ...values: (string | number)[]): Promise<Record<string, unknown>[]>
  /** Resolves when no work waits or runs; throws after `ms`. */
  quiet(ms: number): Promise<void>
  /** How often the channel was told something with this text, ephemerals aside. */
  told(text: string): number
  mailed(text: string): number
  /** Accounts reported of an instance, in order. */
  users(instanceId: string): Promise<string[]>
  /** Every question of the doctor finds nothing. */
  expectSound(): Promise<void>
  close(): Promise<void>
}

/** Wait until `look` sees something, at most `ms`; says `what` when it never does. For concurrent tests, which have no `expect.poll`. */
export async function seen(what: string, ms: number, look: () => Promise<boolean>): Promise<void> {
  const again = async () => {
    if (!(await look())) throw new Error(`Never happened: ${what}`)
  }
  await vi.waitFor(again, { timeout: ms, interval: 20 })
}

/** What its workers and its instances are sealed with. */
export const key = randomBytes(32)

export async function stageOn(
  databaseUrl: string,
  options: { workerUrl?: string; env?: Record<string, string> } = {},
): Promise<Stage> {
  const folder = mkdtempSync(join(tmpdir(), 'saasm-stage-'))
  const clock = movableClock()
  const sandbox = await startSandbox({ port: 0, clock, folder, log: silentLog, scopes, enforceRates: false })
  const db = openDb(databaseUrl, { connectionsMax: 4 })
  const vendors = await serveVendors()
  const seal = createSeal([key])
  const children: ChildProcess[] = []
  const workers: Worker[] = []
  let closed = false
  const rows = (text: string, ...values: (string | number)[]) => db.sql.unsafe(text, values)
  const team = sandbox.slack.stateFor('').team.id

  const messages = () => sandbox.slack.channel('saas-sync').messages
  return {
    sandbox,
    db,
    url: databaseUrl,
    async worker(env = {}, wait = true) {
      if (closed) throw new Error('The stage is closed')
      const child = spawn(process.execPath, [resolve('dist/main.js')], {
        cwd: folder,
        env: {
          PATH: process.env.PATH ?? '',
          HOME: folder,
          // All vendors of a stage are one host: its cap and its pace have tests of their own.
          SAASM_HOST_RUNS_AT_ONCE: '50',
          SAASM_HOST_STARTS_PER_SECOND: '1000',
          PORT: '0',
          LOG_LEVEL: 'info',
          DATABASE_URL: options.workerUrl ?? databaseUrl,
          SLACK_BOT_TOKEN: sandbox.settings.botToken,
          SLACK_SIGNING_SECRET: sandbox.settings.signingSecret,
          SLACK_API_URL: sandbox.settings.slackApiUrl,
          RESEND_API_KEY: sandbox.settings.resendApiKey,
          RESEND_BASE_URL: sandbox.settings.resendBaseUrl,
          SAASM_EMAIL_FROM: sandbox.settings.emailFrom,
          SAASM_CHANNEL: sandbox.settings.channel,
          SAASM_SECRET_KEY: key.toString('base64'),
          SAASM_ALLOW_PRIVATE_NETWORK: 'true',
          ...options.env,
          ...env,
        },
        stdio: ['ignore', 'pipe', 'pipe'],
      })
      children.push(child)
      const worker = watched(child)
      workers.push(worker)
      if (wait)
        await vi.waitFor(() => expect(worker.log()).toMatch(/saasm is up/), {
          timeout: startMaxMs,
          interval: 50,
        })
      return worker
    },
    vendor: people => vendors.add(people ?? 450),
    async instance(of, name = `okta-${newId().slice(0, 8)}`) {
      const id = newId()
      const place = { teamId: team, instanceId: id, field: 'credentials' }
      return db.transaction(tx =>
        createInstance(
          tx,
          {
            ...{ id, teamId: team, name, connector: 'okta', settings: { domain: of.url } },
            sealed: seal.seal(JSON.stringify({ token: of.okta.token() }), place),
            ...{ tenantKey: id, tenantName: null, owner: 'U0ADA', createdBy: 'U0ADA' },
          },
          new Date(),
        ),
      )
    },
    async know(instance, of) {
      await rows(
        `insert into account (instance_id, external_id, status, kind, roles, licences, hash, first_seen_at)
          values ($1, $2, 'active', 'human', '{}', '{}', 'x', now())`,
        ...[instance.id, of.okta.snapshot().people[0]?.id ?? ''],
      )
    },
    async ask(instanceId, trigger = 'initial') {
      await db.transaction(tx => requestRun(tx, { instanceId, trigger, by: null, now: new Date() }, () => {}))
    },
    rows,
    async quiet(ms) {
      const look = async () => {
        const waiting = await rows(`
          select 'run' as kind, state, attempt::text from sync_run where state in ('requested', 'running')
          union all select 'removal', state, attempt::text from removal where state in ('requested', 'running')
          union all select 'instance', status, name from instance where status = 'live' and next_sync_at <= now()
          union all select medium, state, coalesce(reason, '') from outbox where state in ('pending', 'sending')`)
        if (waiting.length > 0) throw new Error(`Still waiting: ${JSON.stringify(waiting.slice(0, 5))}`)
      }
      await vi.waitFor(look, { timeout: ms, interval: 100 }).catch((error: Error) => {
        const logs = workers.map(worker => `Process ${worker.pid}:\n${worker.log().slice(-logMax)}`)
        throw new Error(`${error.message}\n${logs.join('\n')}`)
      })
    },
    told: text =>
      messages().filter(message => message.onlyFor === null && JSON.stringify(message).includes(text)).length,
    mailed: text => sandbox.mailbox.mails.filter(mail => mail.subject.includes(text)).length,
    users: async instanceId =>
      (
        await rows(
          'select external_id from account where instance_id = $1 and gone_at is null order by 1',
          instanceId,
        )
      ).map(row => String(row.external_id)),
    async expectSound() {
      const found = await examine(databaseUrl, 'drizzle/doctor.sql')
      expect(found.findings, report(found)).toEqual([])
    },
    async close() {
      closed = true
      for (const child of children) {
        child.kill('SIGCONT')
        child.kill('SIGKILL')
      }
      await db.close(1)
      vendors.stop()
      await sandbox.stop()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

function watched(child: ChildProcess): Worker {
  let printed = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', chunk => {
      printed = (printed + String(chunk)).slice(-200_000)
    })
  }
  const ended = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>(done =>
    child.once('exit', (code, signal) => done({ code, signal })),
  )
  return {
    pid: child.pid ?? 0,
    get url() {
      return `http://127.0.0.1:${/"port":(\d+)/.exec(printed)?.[1]}`
    },
    ended,
    signal: name => void child.kill(name),
    log: () => printed,
  }
}

/** A server with one Okta a path, and the holds in front of them. */
async function serveVendors() {
  const vendors: { okta: VendorStandIn; holds: (() => Promise<void>)[] }[] = []
  const server: Server = createServer(async (req, res) => {
    const [, at, rest] = /^\/o(\d+)(\/.*)$/.exec(req.url ?? '') ?? []
    const vendor = vendors[Number(at)]
    if (!vendor) return void res.writeHead(404).end()
    if (rest?.startsWith('/api/v1/users')) await vendor.holds.shift()?.()
    req.url = rest ?? '/'
    await vendor.okta.handle(req, res)
  })
  await new Promise<void>(done => server.listen(0, '127.0.0.1', done))
  const address = server.address()
  const base = `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`
  return {
    add(people: number): Vendor {
      const at = vendors.length
      const okta = createOktaStandIn({ clock: movableClock(), mount: `/o${at}` })
      if (people !== 450)
        okta.restore({ ...okta.snapshot(), people: okta.snapshot().people.slice(0, people) })
      const vendor = { okta, holds: [] as (() => Promise<void>)[] }
      vendors.push(vendor)
      return {
        okta,
        url: `${base}/o${at}`,
        hold() {
          let arrive = () => {}
          let open = () => {}
          const reached = new Promise<void>(done => {
            arrive = done
          })
          const opened = new Promise<void>(done => {
            open = done
          })
          vendor.holds.push(() => {
            arrive()
            return opened
          })
          return { reached, open: () => open() }
        },
      }
    },
    stop() {
      server.closeAllConnections()
      server.close()
    },
  }
}

/** A TCP port on loopback that nobody listens on just now. */
export async function freePort(): Promise<number> {
  const probe = createServer()
  await new Promise<void>(done => probe.listen(0, '127.0.0.1', done))
  const address = probe.address()
  await new Promise(done => probe.close(done))
  return typeof address === 'object' && address ? address.port : 0
}

/** What a process answers, or `nothing` when it does not within 15 s. */
export async function ask(url: string): Promise<string> {
  return fetch(url, { signal: AbortSignal.timeout(15_000) }).then(
    async answer => `${answer.status} ${await answer.text()}`.trim(),
    () => 'nothing',
  )
}

/** How the statements begin that a test lets wait for a lock. */
const statements = {
  merge: '%update account %',
  removal: '%from account where instance_id = %',
  staging: 'copy account_staging %',
} as const

/** Resolves when such a statement waits for a lock; throws after a minute. */
export async function waitingIn(stage: Stage, what: keyof typeof statements): Promise<void> {
  const question = `select query from pg_stat_activity
    where datname = current_database() and wait_event_type = 'Lock' and query like '${statements[what]}'`
  await vi.waitFor(async () => expect((await stage.rows(question)).length, what).toBeGreaterThan(0), {
    timeout: 60_000,
    interval: 50,
  })
}

/** Resolves when the worker has stopped itself at its armed point; throws after `startMaxMs`. */
export async function stoppedAt(worker: Worker): Promise<void> {
  await vi.waitFor(() => expect(worker.log()).toMatch(/^stopped at /m), { timeout: startMaxMs, interval: 50 })
}

/** What `work` resolves to, or the error `otherwise` after `ms`. */
export async function within<T>(ms: number, work: Promise<T>, otherwise: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(otherwise)), ms)
  })
  return Promise.race([work, late]).finally(() => clearTimeout(timer))
}
