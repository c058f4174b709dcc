// A whole world for a walk: the app over signed HTTP (or Socket Mode), the Slack stand-in, mailbox and vendors, one Postgres.
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { vi } from 'vitest'
import { type App, type AppOptions, createApp } from '../../src/app.ts'
import type { Access } from '../../src/chat/authorize.ts'
import type { Http } from '../../src/connectors/http.ts'
import { examine, report } from '../../src/db/doctor.ts'
import { migrate } from '../../src/db/migrate.ts'
import { makeJobTable } from '../../src/jobs/backend.ts'
import { type MovableClock, movableClock } from '../../src/lib/clock.ts'
import { createLog, silentLog } from '../../src/lib/log.ts'
import { type Sandbox, startSandbox } from '../../src/sandbox/sandbox.ts'
import type { Person, PersonState } from '../../src/sandbox/slack/person.ts'
import { restrictedDatabase, type TestDatabase, testDatabase } from './postgres.ts'
import { calledByBolt, calledMethods, manifestScopes } from './web-api-calls.ts'

export interface World {
  readonly app: App
  /** One more process's worth of app on the same database, job store and keys; stopped with the world. */
  another(): Promise<App>
  readonly sandbox: Sandbox
  readonly database: TestDatabase
  readonly clock: MovableClock
  /** One of the sandbox's people, by first name. */
  person(name: string): Person
  userId(name: string): string
  /** Stops everything; throws when the doctor finds something wrong in the database, or Slack was asked for what is not granted. */
  close(): Promise<void>
}

export interface WorldOptions {
  /** Slack reaches the app through the socket instead of HTTP. */
  socketMode?: boolean
  /** The app has a database role that makes nothing, and the schema is made by another (docs/database-roles.sql). */
  restricted?: boolean
  /** Every log line, at level debug. */
  logTo?: { write(line: string): void }
  /** Takes the place of the connectors' client. */
  http?: Http
  /** Who holds which role; the workspace's admins alone, unless told. */
  access?: Partial<Access>
  /** Of one person; no limit worth the name unless told. */
  requestsPerMinute?: number
  /** What the workspace grants; what the manifest asks for, unless told. */
  scopes?: readonly string[]
}

/** What the workspace grants: what the manifest asks for. */
export const scopes = manifestScopes()
const calls = calledMethods()

/** Postgres, or a MongoDB database of this world's own where SAASM_TEST_MONGODB_URI says where one is. */
function jobStore(databaseUrl: string) {
  const mongo = process.env.SAASM_TEST_MONGODB_URI
  if (!mongo) return { kind: 'postgres' as const, url: databaseUrl }
  const url = new URL(mongo)
  url.pathname = `/w_${randomBytes(6).toString('hex')}`
  return { kind: 'mongo' as const, url: url.href }
}

/** The schema, made as main makes it under a migrator's role. */
async function prepare(ownerUrl: string): Promise<void> {
  await migrate(ownerUrl, 'drizzle/migrations')
  await makeJobTable(ownerUrl)
}

/** Calls that Slack refused for want of a scope, and those that the look at the code does not know of. */
function unknownCalls(journal: Sandbox['slack']['journal']): string[] {
  const bad = journal.filter(
    ({ method, answer }) =>
      answer.error === 'missing_scope' || !(calls.has(method) || calledByBolt.includes(method)),
  )
  return [
    ...new Set(
      bad.map(({ method, answer }) => `${method} (${String(answer.error ?? 'not seen in the code')})`),
    ),
  ]
}

/** Start a world. */
export async function startWorld(options: WorldOptions = {}): Promise<World> {
  const restricted = options.restricted ? await restrictedDatabase() : undefined
  const database = restricted ?? (await testDatabase())
  const databaseUrl = restricted?.appUrl ?? database.url
  const clock = movableClock()
  const folder = await mkdtemp(join(tmpdir(), 'saasm-world-'))
  const granted = options.scopes ?? scopes
  const sandbox = await startSandbox({
    ...{ port: 0, clock, folder, log: silentLog },
    ...{ scopes: granted, enforceRates: false },
  })
  const appOptions: AppOptions = {
    clock,
    log: options.logTo || process.env.SAASM_TEST_LOG ? createLog('debug', options.logTo) : silentLog,
    ...(options.http ? { http: options.http } : {}),
    databaseUrl,
    jobStore: jobStore(databaseUrl),
    ...(restricted ? { prepare: () => prepare(restricted.ownerUrl) } : {}),
    listen: { port: 0, host: '127.0.0.1' },
    slack: {
      botToken: sandbox.settings.botToken,
      signingSecret: options.socketMode ? null : sandbox.settings.signingSecret,
      appToken: options.socketMode ? sandbox.settings.appToken : null,
      apiUrl: sandbox.settings.slackApiUrl,
    },
    mail: {
      apiKey: sandbox.settings.resendApiKey,
      baseUrl: sandbox.settings.resendBaseUrl,
      from: sandbox.settings.emailFrom,
    },
    secretKeys: [randomBytes(32)],
    channel: sandbox.settings.channel,
    access: { admins: [], operators: [], viewers: [], ownersManage: true, ...options.access },
    requestsPerMinute: options.requestsPerMinute ?? 10_000,
    allowPrivateNetwork: true,
    // All vendors of a world are one host: its cap and its pace have tests of their own.
    limits: { hostRunsAtOnce: 50, hostStartsPerSecond: 10_000 },
    roles: { chat: true, work: true },
    sweepEveryMs: 500,
  }
  const app = createApp(appOptions)
  const others: App[] = []
  if (options.socketMode) sandbox.connectTo(null)
  await app.start()
  if (!options.socketMode) sandbox.connectTo(`http://127.0.0.1:${app.port()}`)
  const userId = (name: string) => {
    const found = sandbox.slack
      .stateFor('')
      .users.find(user => user.realName.startsWith(name) || user.name === name.toLowerCase())
    if (!found) throw new Error(`Nobody is called ${name} in the sandbox`)
    return found.id
  }
  return {
    app,
    async another() {
      const other = createApp(appOptions)
      others.push(other)
      await other.start()
      return other
    },
    sandbox,
    database,
    clock,
    userId,
    person: name => sandbox.slack.as(userId(name)),
    async close() {
      await Promise.all([app, ...others].map(one => one.stop(2_000)))
      await sandbox.stop()
      const { findings } = await examine(restricted?.doctorUrl ?? database.url, 'drizzle/doctor.sql')
      await database.drop()
      await rm(folder, { recursive: true, force: true })
      if (findings.length > 0) throw new Error(report({ asked: 0, findings }))
      const unknown = unknownCalls(sandbox.slack.journal)
      if (unknown.length > 0) throw new Error(`Slack was called past the manifest: ${unknown.join(', ')}`)
    },
  }
}

/** Wait until `look` returns something truthy (looked at every 20 ms), at most 15 s; says `what` when it never does. */
export async function until<T>(what: string, look: () => T | Promise<T>): Promise<NonNullable<T>> {
  return vi.waitFor(
    async () => {
      const seen = await look()
      if (!seen) throw new Error(`Never happened: ${what}`)
      return seen as NonNullable<T>
    },
    { timeout: 15_000, interval: 20 },
  )
}

/** The view on top of a person's stack. */
export function topView(state: PersonState) {
  const top = state.views.at(-1)
  if (!top) throw new Error(`${state.user.realName} has no view open`)
  return top
}

/** All text that a person can read in a view or message, in order. */
export function readable(blocks: unknown): string {
  const words: string[] = []
  const walk = (node: unknown, key?: string): void => {
    if (typeof node === 'string' && (key === 'text' || key === 'alt_text')) words.push(node)
    else if (Array.isArray(node)) for (const child of node) walk(child)
    else if (node && typeof node === 'object')
      for (const [name, child] of Object.entries(node)) walk(child, name)
  }
  walk(blocks)
  return words.join('\n')
}
