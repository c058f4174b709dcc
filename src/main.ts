// The start: read the settings, bring the database up, start the app (with the sandbox when there is no Slack), stop on a signal.
import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type App, createApp } from './app.ts'
import { isUnreachable, openDb } from './db/db.ts'
import { examine, report } from './db/doctor.ts'
import { type Embedded, startEmbedded } from './db/embedded.ts'
import { migrate } from './db/migrate.ts'
import { readSettings, type Settings } from './env.ts'
import { otherTeamIn } from './instances/other-team.ts'
import { rotateKeys, rotationReport } from './instances/rotate.ts'
import { createSeal } from './instances/seal.ts'
import { makeJobTable } from './jobs/backend.ts'
import { movableClock, systemClock } from './lib/clock.ts'
import { armCrashpoint } from './lib/crashpoint.ts'
import { createLog, type Log } from './lib/log.ts'
import { forgetPerson, said } from './privacy/forget.ts'
import { readAddress } from './recipients/recipients.ts'

/** Where the sandbox keeps its database, tokens and key. */
const folder = resolve('.saasm')
const migrations = fileURLToPath(new URL('../drizzle/migrations', import.meta.url))
const questions = fileURLToPath(new URL('../drizzle/doctor.sql', import.meta.url))
/** How long a stop may take before the process ends all the same. */
const stopMs = 10_000

/** What is running, newest last: stopped in the opposite order. */
const running: { name: string; stop(): Promise<void> }[] = []
let stopping = false

await main().catch(error => {
  say(`saasm did not start: ${error instanceof Error ? error.message : String(error)}`)
  return stop(1)
})

async function main(): Promise<void> {
  const read = readSettings(process.env)
  if (!read.ok) {
    say(`saasm cannot start with these settings:\n${read.problems.map(line => `  ${line}`).join('\n')}`)
    process.exit(1)
  }
  const { settings } = read
  if (settings.crashAt !== null) armCrashpoint(settings.crashAt)
  if (process.argv[2] === 'doctor') return doctor(settings)
  if (process.argv[2] === 'forget') return forget(settings, process.argv.slice(3))
  if (process.argv[2] === 'rotate-keys') return rotate(settings)
  if (process.argv[2] === 'migrate') return migrateOnly(settings)
  const log = createLog(settings.logLevel)
  process.on('SIGINT', () => void stop(0))
  process.on('SIGTERM', () => void stop(0))
  process.on('unhandledRejection', error => {
    // Agenda does not wait for some of its own writes (a job that is unlocked): a job store that is away ends nobody.
    if (isUnreachable(error) || /^Mongo/.test((error as Error | null)?.name ?? ''))
      return log.warn({ reason: String(error) }, 'A write that nobody waits for was lost')
    log.error({ err: error }, 'A promise was rejected and nobody heard; the process ends')
    void stop(1)
  })
  const databaseUrl = settings.databaseUrl ?? (await embeddedDatabase()).url
  await (settings.slack ? startReal(settings, databaseUrl, log) : startSandboxed(settings, databaseUrl))
}

/** `npm run doctor`: look at the database of DATABASE_URL, or at the sandbox's; ends with 1 when something is wrong. */
async function doctor(settings: Settings): Promise<void> {
  const found = await examine(settings.databaseUrl ?? (await embeddedDatabase()).url, questions)
  say(report(found))
  await stop(found.findings.length > 0 ? 1 : 0)
}

/** `npm run forget -- EMAIL`: take a person out of everything, and say from where. */
async function forget(settings: Settings, words: readonly string[]): Promise<void> {
  const read = readAddress(words.join(' '))
  if (!read.ok) {
    say(`${read.reason} Say it like this: npm run forget -- ada@example.com`)
    return stop(1)
  }
  const url = settings.databaseMigrationUrl ?? settings.databaseUrl ?? (await embeddedDatabase()).url
  const db = openDb(url, {
    connectionsMax: 1,
    statementTimeoutMs: 600_000,
  })
  running.push({ name: 'database', stop: () => db.close(2) })
  say(said(await forgetPerson(db, read.address)))
  await stop(0)
}

/** `npm run rotate-keys`: seal everything with the first key; ends with 1 when an older key is needed still, or one is missing. */
async function rotate(settings: Settings): Promise<void> {
  const db = openDb(settings.databaseUrl ?? (await embeddedDatabase()).url, { connectionsMax: 1 })
  running.push({ name: 'database', stop: () => db.close(1) })
  const seal = createSeal(settings.secretKeys ?? [await keptKey()])
  const { ok, text } = rotationReport(seal, await rotateKeys(db.conn, seal))
  say(text)
  await stop(ok ? 0 : 1)
}

/** `npm run migrate`: bring the schema up to date and end; afterwards the app needs no right to change it. */
async function migrateOnly(settings: Settings): Promise<void> {
  await bringUpToDate(settings, settings.databaseUrl ?? (await embeddedDatabase()).url)
  say('The database is up to date.')
  await stop(0)
}

/** The schema, under the migrator's role where there is one; the job table, too, which Agenda's backend would make. */
async function bringUpToDate(settings: Settings, databaseUrl: string): Promise<void> {
  const url = settings.databaseMigrationUrl ?? databaseUrl
  await migrate(url, migrations)
  if (settings.databaseMigrationUrl && !settings.mongodbUrl) await makeJobTable(url)
}

async function startReal(settings: Settings, databaseUrl: string, log: Log): Promise<void> {
  if (!settings.slack || !settings.secretKeys) throw new Error('the Slack settings are incomplete')
  const app = createApp({
    ...settings,
    clock: systemClock,
    log,
    databaseUrl,
    jobStore: jobStoreOf(settings, databaseUrl),
    listen: { port: settings.port },
    slack: settings.slack,
    secretKeys: settings.secretKeys,
    prepare: () => bringUpToDate(settings, databaseUrl),
  })
  await startApp(app)
  log.info({ port: app.port() }, 'saasm is up')
}

async function startSandboxed(settings: Settings, databaseUrl: string): Promise<void> {
  // Only here: a production install does not load the sandbox.
  const { startSandbox } = await import('./sandbox/sandbox.ts')
  const log = createLog(process.env.LOG_LEVEL ? settings.logLevel : 'warn')
  const clock = movableClock()
  const sandbox = await startSandbox({
    port: settings.port,
    clock,
    folder,
    log,
    scopes: await manifestScopes(),
  })
  running.push({ name: 'sandbox', stop: () => sandbox.stop() })
  if (settings.databaseUrl) await refuseOthers(settings.databaseUrl, sandbox.settings.teamId)
  const app = createApp({
    clock,
    log,
    databaseUrl,
    jobStore: jobStoreOf(settings, databaseUrl),
    listen: { port: 0, host: '127.0.0.1' },
    slack: {
      botToken: sandbox.settings.botToken,
      signingSecret: sandbox.settings.signingSecret,
      appToken: null,
      apiUrl: sandbox.settings.slackApiUrl,
    },
    mail: {
      apiKey: sandbox.settings.resendApiKey,
      baseUrl: sandbox.settings.resendBaseUrl,
      from: sandbox.settings.emailFrom,
    },
    secretKeys: settings.secretKeys ?? [await keptKey()],
    channel: settings.channel ?? sandbox.settings.channel,
    access: settings.access,
    limits: settings.limits,
    goneDays: settings.goneDays,
    allowPrivateNetwork: true,
    roles: { chat: true, work: true },
    kept: settings.kept,
    prepare: () => migrate(databaseUrl, migrations),
    sweepEveryMs: 2_000,
  })
  await startApp(app)
  sandbox.connectTo(`http://127.0.0.1:${app.port()}`)
  say(welcome(sandbox.url, app.port()))
}

/** Told to the sandbox's Slack, the news of a company would be lost: its database is not opened, and not migrated. */
async function refuseOthers(databaseUrl: string, teamId: string): Promise<void> {
  const other = await otherTeamIn(databaseUrl, teamId)
  if (other !== undefined)
    throw new Error(
      `the database of DATABASE_URL belongs to the Slack workspace ${other}, and the sandbox would swallow its news. Set SLACK_BOT_TOKEN and SLACK_SIGNING_SECRET (or SLACK_APP_TOKEN) to run it; leave DATABASE_URL out for the sandbox.`,
    )
}

function welcome(url: string, appPort: number): string {
  return [
    '',
    `saasm is up, with a Slack workspace of its own: open ${url}`,
    '',
    'Three things to try there:',
    '  1. /saasm connect okta        (the address and the token are on the Vendors tab)',
    '  2. /saasm integrations        then Manage, and look at Edit Instance',
    '  3. Vendors: revoke the token, then /saasm sync okta, and watch #saas-sync and the Mailbox',
    '',
    `Health: http://127.0.0.1:${appPort}/readyz. Data is kept in .saasm; stop with Ctrl+C.`,
    '',
  ].join('\n')
}

async function startApp(app: App): Promise<void> {
  running.push({ name: 'app', stop: () => app.stop(stopMs - 3_000) })
  await app.start()
}

async function embeddedDatabase(): Promise<Embedded> {
  await mkdir(folder, { recursive: true })
  const starting = startEmbedded(join(folder, 'postgres'))
  // Whoever stops saasm while it starts leaves no server behind.
  const stopIt = () =>
    starting.then(
      embedded => embedded.stop(),
      () => {},
    )
  running.push({ name: 'Postgres', stop: stopIt })
  return starting
}

function jobStoreOf(settings: Settings, databaseUrl: string) {
  return settings.mongodbUrl
    ? { kind: 'mongo' as const, url: settings.mongodbUrl }
    : { kind: 'postgres' as const, url: databaseUrl }
}

/** The sandbox's own key, made at its first start: 32 bytes, base64. */
async function keptKey(): Promise<Buffer> {
  const path = join(folder, 'secret-key')
  await mkdir(folder, { recursive: true })
  if (!existsSync(path)) await writeFile(path, randomBytes(32).toString('base64'), { mode: 0o600 })
  return Buffer.from(await readFile(path, 'utf8'), 'base64')
}

/** The bot scopes of manifest.yml: the sandbox's workspace grants exactly those. */
async function manifestScopes(): Promise<string[]> {
  const text = await readFile(fileURLToPath(new URL('../manifest.yml', import.meta.url)), 'utf8')
  const block = /\n {4}bot:\n((?: {6}- .+\n)+)/.exec(text)?.[1] ?? ''
  return [...block.matchAll(/- (\S+)/g)].map(match => match[1] ?? '')
}

/** Stop everything, newest first, and end the process; at most `stopMs`. */
async function stop(code: number): Promise<void> {
  if (stopping) return
  stopping = true
  setTimeout(() => process.exit(code || 1), stopMs).unref()
  for (const part of running.toReversed()) {
    await part.stop().catch(error => say(`${part.name} did not stop cleanly: ${String(error)}`))
  }
  process.exit(code)
}

function say(text: string): void {
  process.stdout.write(`${text}\n`)
}
