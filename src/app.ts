// The composition root: wires every room to the next and owns no logic.
import type { ServerResponse } from 'node:http'
import { createDeliverer } from './announce/deliver.ts'
import { createMailer, createNoMailer } from './announce/mailer.ts'
import { createShowProgress } from './announce/progress.ts'
import { auditGesture } from './chat/audit.ts'
import type { Access } from './chat/authorize.ts'
import { connectGesture } from './chat/connect.ts'
import { deleteInstanceGesture } from './chat/delete-instance.ts'
import { deleteUsersGesture } from './chat/delete-users.ts'
import { editInstanceGesture } from './chat/edit-instance.ts'
import type { House } from './chat/gesture.ts'
import { heldRemovalsGesture } from './chat/held-removals.ts'
import { createHelpGesture } from './chat/help.ts'
import { historyGesture } from './chat/history.ts'
import { integrationsGesture } from './chat/integrations.ts'
import { manageRecipientsGesture } from './chat/manage-recipients.ts'
import { createHearing } from './chat/saasm.ts'
import { syncNowGesture } from './chat/sync-now.ts'
import { undeliveredGesture } from './chat/undelivered.ts'
import { unreadRowsGesture } from './chat/unread-rows.ts'
import { createEngine } from './connectors/engine.ts'
import type { Http } from './connectors/http.ts'
import { connectors } from './connectors/registry.ts'
import { isUnreachable, openDb } from './db/db.ts'
import { createSeal } from './instances/seal.ts'
import { createJobs, type Ring } from './jobs/jobs.ts'
import type { Clock } from './lib/clock.ts'
import { codePrint } from './lib/code-print.ts'
import { newId } from './lib/ids.ts'
import type { Log } from './lib/log.ts'
import { createRetention, type Kept } from './privacy/retention.ts'
import { createSlackDoor } from './slack/bolt.ts'
import { createSlackClient } from './slack/client.ts'
import { createRunner } from './sync/lanes.ts'
import { type RunLimits, runLimits } from './sync/limits.ts'
import { createRemover } from './sync/remove.ts'
import { createSweep } from './sync/sweep.ts'

/** What an app is made of; main reads it from the settings or from the sandbox. */
export interface AppOptions {
  clock: Clock
  log: Log
  databaseUrl: string
  jobStore: { kind: 'postgres' | 'mongo'; url: string }
  /** `host`: the address to listen on; undefined: all. */
  listen: { port: number; host?: string }
  slack: { botToken: string; signingSecret: string | null; appToken: string | null; apiUrl: string | null }
  mail: { apiKey: string; baseUrl: string | null; from: string } | null
  secretKeys: Buffer[]
  channel: string | null
  access: Access
  /** Of one person; 60 unless told. */
  requestsPerMinute?: number
  allowPrivateNetwork: boolean
  /** Takes the place of the connectors' client. */
  http?: Http
  /** How long people who vanished are kept, in days; 30 unless told. */
  goneDays?: number
  roles: { chat: boolean; work: boolean }
  /** How long what has ended is kept; a year of history and two of audit unless told. */
  kept?: Kept
  /** Brings the database up to date. Tried again while the database does not answer; `/readyz` says so meanwhile. */
  prepare?: () => Promise<void>
  /** How often the sweep looks for due work; 15,000 ms unless told. */
  sweepEveryMs?: number
  /** How many runs at once; `runLimits` unless told. */
  limits?: Partial<RunLimits>
}

export interface App {
  /** Listens at once; resolves when the database is up to date and work is taken. Throws what waiting cannot mend. */
  start(): Promise<void>
  /** Take nothing new, let what runs reach an edge, give leases back; `graceMs` at most. */
  stop(graceMs: number): Promise<void>
  /** The port that the HTTP routes listen on. */
  port(): number
}

/** The longest single wait for a busy vendor within a run; a longer one gives the run back until then. */
const patienceMs = 60_000
const mailTimeoutMs = 10_000
/** What has not answered by then is waited for: a half-open connection answers nothing for ever. */
const readyMs = 5_000
/** How often a start asks for a database that does not answer. */
const prepareEveryMs = 2_000

export function createApp(options: AppOptions): App {
  const { clock, log, channel, allowPrivateNetwork } = options
  const db = openDb(options.databaseUrl)
  const engine = createEngine({
    clock,
    log,
    allowPrivateNetwork,
    code: codePrint(['connectors', 'lib']),
    ...(options.http ? { http: options.http } : {}),
  })
  const seal = createSeal(options.secretKeys)
  const slack = createSlackClient({
    botToken: options.slack.botToken,
    apiUrl: options.slack.apiUrl,
    clock,
    log,
  })
  const mailer = options.mail
    ? createMailer({
        apiKey: options.mail.apiKey,
        from: options.mail.from,
        timeoutMs: mailTimeoutMs,
        ...(options.mail.baseUrl ? { baseUrl: options.mail.baseUrl } : {}),
      })
    : createNoMailer()
  const owner = newId()
  const ring: Ring = bell => jobs.ring(bell)
  const showProgress = createShowProgress({ db, clock, slack, log })
  const goneDays = options.goneDays ?? 30
  const work = {
    db,
    clock,
    log,
    engine,
    seal,
    ring,
    channel,
    owner,
    patienceMs,
    showProgress,
    goneDays,
    limits: { ...runLimits, ...options.limits },
  }
  const runner = createRunner(work)
  const remover = createRemover(work)
  const sweep = createSweep(work)
  const retain = createRetention({ db, clock, log }, options.kept ?? { historyDays: 365, auditDays: 730 })
  const deliverer = createDeliverer({
    db,
    clock,
    log,
    slack,
    mailer,
    owner,
    admins: () => slack.workspaceAdmins(),
  })
  const jobs = createJobs({
    store: options.jobStore,
    log,
    name: owner,
    sweepEveryMs: options.sweepEveryMs ?? 15_000,
    handlers: options.roles.work
      ? {
          sweep: async signal => {
            await sweep(signal)
            await retain(signal)
          },
          sync: signal => runner.runDue(signal),
          removal: signal => remover.removeDue(signal),
          deliver: signal => deliverer.deliverDue(signal),
        }
      : null,
    nextDue: { sync: runner.nextDue, removal: remover.nextDue, deliver: deliverer.nextDue },
    nudges: { sync: runner.nudge },
  })
  const house: House = {
    ...{ db, clock, log, engine, connectors, seal, slack, ring, channel, allowPrivateNetwork, goneDays },
  }
  const gestures = [
    integrationsGesture,
    connectGesture,
    editInstanceGesture,
    syncNowGesture,
    historyGesture,
    unreadRowsGesture,
    manageRecipientsGesture,
    deleteUsersGesture,
    deleteInstanceGesture,
    heldRemovalsGesture,
    auditGesture,
    undeliveredGesture,
  ]
  const stopping = new AbortController()
  let prepared = options.prepare === undefined
  const prepare = async () => {
    for (let attempt = 1; !prepared && !stopping.signal.aborted; attempt += 1) {
      try {
        await options.prepare?.()
        prepared = true
      } catch (error) {
        if (!isUnreachable(error)) throw error
        log.warn({ attempt, reason: String(error) }, 'The database does not answer yet; trying again in 2 s')
        await clock.sleep(prepareEveryMs, stopping.signal).catch(() => {})
      }
    }
  }
  const databaseReady = async () => prepared && (await db.sql`select 1`.then(() => true))
  const slackReady = async () => door.hears() && (await slack.ready())
  const isReady = async () => {
    const answers = await Promise.allSettled([databaseReady(), jobs.ready(), slackReady()].map(inTime))
    const names = ['database', 'job store', 'Slack'] as const
    return names.filter((_name, position) => {
      const answer = answers[position]
      return answer?.status !== 'fulfilled' || answer.value === false
    })
  }
  const door = createSlackDoor({
    ...options.slack,
    ...options.listen,
    log,
    clock,
    hear: createHearing([...gestures, createHelpGesture(gestures)], house, {
      access: options.access,
      requestsPerMinute: options.requestsPerMinute ?? 60,
    }),
    chat: options.roles.chat,
    routes: [
      { path: '/healthz', method: 'GET', handle: (_req, res) => answer(res, 200, 'alive') },
      {
        path: '/readyz',
        method: 'GET',
        handle: async (_req, res) => {
          const waitingFor = await isReady()
          answer(
            res,
            waitingFor.length ? 503 : 200,
            waitingFor.length ? `waiting for ${waitingFor.join(', ')}` : 'ready',
          )
        },
      },
    ],
  })
  return {
    async start() {
      await door.start()
      await prepare()
      if (!stopping.signal.aborted) await jobs.start()
    },
    async stop(graceMs) {
      stopping.abort(new Error('saasm is stopping'))
      // Side by side: a gesture that is slow to end takes no time from a run that has to reach its page edge.
      await Promise.all([door.stop(), jobs.stop(graceMs)])
      await engine.close()
      await db.close(2)
    },
    port: () => door.port(),
  }
}

/** What it answers, or false after `readyMs`. */
async function inTime(ready: Promise<boolean>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<boolean>(done => {
    timer = setTimeout(done, readyMs, false)
  })
  return Promise.race([ready, late]).finally(() => clearTimeout(timer))
}

function answer(res: ServerResponse, status: number, text: string): void {
  res.writeHead(status, { 'content-type': 'text/plain; charset=utf-8', 'x-content-type-options': 'nosniff' })
  res.end(`${text}\n`)
}
