// A whole world for a walk: the app over signed HTTP (or Socket Mode), the Slack stand-in, mailbox and vendors, one Postgres.
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { vi } from 'vitest'
import { type App, createApp } from '../../src/app.ts'
import type { Access } from '../../src/chat/authorize.ts'
import { examine, report } from '../../src/db/doctor.ts'
import { type MovableClock, movableClock } from '../../src/lib/clock.ts'
import { createLog, silentLog } from '../../src/lib/log.ts'
import { type Sandbox, startSandbox } from '../../src/sandbox/sandbox.ts'
import type { Person, PersonState } from '../../src/sandbox/slack/person.ts'
import { type TestDatabase, testDatabase } from './postgres.ts'

export interface World {
  readonly app: App
  readonly sandbox: Sandbox
  readonly database: TestDatabase
  readonly clock: MovableClock
  /** One of the sandbox's people, by first name. */
  person(name: string): Person
  userId(name: string): string
  /** Stops everything; throws when the doctor finds something wrong in the database that is left. */
  close(): Promise<void>
}

export interface WorldOptions {
  /** Slack reaches the app through the socket instead of HTTP. */
  socketMode?: boolean
  /** Who holds which role; the workspace's admins alone, unless told. */
  access?: Partial<Access>
  /** Of one person; no limit worth the name unless told. */
  requestsPerMinute?: number
}

export const scopes = [
  'commands',
  'chat:write',
  'users:read',
  'users:read.email',
  'channels:read',
  'channels:history',
  'usergroups:read',
  'files:write',
]

/** Postgres, or a MongoDB database of this world's own where SAASM_TEST_MONGODB_URI says where one is. */
function jobStore(databaseUrl: string) {
  const mongo = process.env.SAASM_TEST_MONGODB_URI
  if (!mongo) return { kind: 'postgres' as const, url: databaseUrl }
  const url = new URL(mongo)
  url.pathname = `/w_${randomBytes(6).toString('hex')}`
  return { kind: 'mongo' as const, url: url.href }
}

/** Start a world. */
export async function startWorld(options: WorldOptions = {}): Promise<World> {
  const database = await testDatabase()
  const clock = movableClock()
  const folder = await mkdtemp(join(tmpdir(), 'saasm-world-'))
  const sandbox = await startSandbox({ port: 0, clock, folder, log: silentLog, scopes, enforceRates: false })
  const app = createApp({
    clock,
    log: process.env.SAASM_TEST_LOG ? createLog('debug') : silentLog,
    databaseUrl: database.url,
    jobStore: jobStore(database.url),
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
    roles: { chat: true, work: true },
    sweepEveryMs: 500,
  })
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
    sandbox,
    database,
    clock,
    userId,
    person: name => sandbox.slack.as(userId(name)),
    async close() {
      await app.stop(2_000)
      await sandbox.stop()
      const { findings } = await examine(database.url, 'drizzle/doctor.sql')
      await database.drop()
      await rm(folder, { recursive: true, force: true })
      if (findings.length > 0) throw new Error(report({ asked: 0, findings }))
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
