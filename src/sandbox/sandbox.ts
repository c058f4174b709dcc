// The sandbox: a Slack workspace, a mailbox and three vendors behind one address on this machine, kept between starts.
import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { MovableClock } from '../lib/clock.ts'
import type { Log } from '../lib/log.ts'
import { createMailbox, type Mailbox } from './mailbox.ts'
import { createPageApi } from './page-api.ts'
import { botUserId, channels, people, syncChannel, team } from './seed.ts'
import { listen, type VendorId } from './server.ts'
import { createSlackStandIn, type SlackStandIn } from './slack/stand-in.ts'
import { createGithubStandIn } from './vendors/github.ts'
import { createOktaStandIn } from './vendors/okta.ts'
import { createScimStandIn } from './vendors/scim.ts'
import type { VendorSnapshot, VendorStandIn } from './vendors/vendor-stand-in.ts'

export interface SandboxOptions {
  /** The next free one of twenty is taken when it is in use; 0: any. */
  port: number
  clock: MovableClock
  /** Where tokens and the vendors' people are kept. */
  folder: string
  log: Log
  /** The bot scopes that the workspace grants. */
  scopes: readonly string[]
  /** Hold Slack and the mailbox to their rates; true unless told. */
  enforceRates?: boolean
}

export interface Sandbox {
  /** The page. */
  readonly url: string
  readonly slack: SlackStandIn
  readonly mailbox: Mailbox
  readonly vendors: Readonly<Record<VendorId, VendorStandIn>>
  /** What an app is started with, so that it talks to this sandbox. */
  readonly settings: {
    teamId: string
    botToken: string
    appToken: string
    signingSecret: string
    slackApiUrl: string
    resendApiKey: string
    resendBaseUrl: string
    channel: string
    emailFrom: string
  }
  /** Where the app's signed HTTP endpoint is (without its path), or null for Socket Mode. */
  connectTo(appUrl: string | null): void
  stop(): Promise<void>
}

interface Kept {
  botToken: string
  appToken: string
  signingSecret: string
  resendApiKey: string
  /** How far the clock was moved, so that a second start is not in the past of its own data. */
  aheadMs: number
  vendors: Partial<Record<VendorId, VendorSnapshot>>
}

/** How long changes are gathered before they are written. */
const saveAfterMs = 250

export async function startSandbox(options: SandboxOptions): Promise<Sandbox> {
  const { clock, log } = options
  const kept = await readKept(options.folder)
  if (kept.aheadMs > clock.offsetMs()) clock.advance(kept.aheadMs - clock.offsetMs())
  const enforceRates = options.enforceRates ?? true
  const slack = createSlackStandIn({
    ...kept,
    clock,
    scopes: options.scopes,
    team,
    users: people,
    botUserId,
    channels,
    enforceRates,
  })
  const mailbox = createMailbox({ apiKey: kept.resendApiKey, clock, enforceRates })
  const vendors = {
    okta: createOktaStandIn({ clock }),
    github: createGithubStandIn({ clock }),
    scim: createScimStandIn({ clock }),
  }
  for (const [id, vendor] of Object.entries(vendors)) {
    const snapshot = kept.vendors[id as VendorId]
    if (snapshot) vendor.restore(snapshot)
  }
  let url = ''
  const page = createPageApi({ slack, mailbox, vendors, clock, selfUrl: () => url })
  const server = await listen({ slack, mailbox, vendors, page, log }, options.port)
  url = `http://127.0.0.1:${server.port}`
  slack.connect({ selfUrl: url })
  // Everybody's direct message with the app is there from the start.
  for (const user of people) if (!user.isBot) slack.as(user.id)

  let timer: NodeJS.Timeout | undefined
  // One write at a time: two would take the same new file's name from each other.
  let saving: Promise<void> = Promise.resolve()
  const save = (): Promise<void> => {
    timer = undefined
    const snapshots = Object.fromEntries(
      Object.entries(vendors).map(([id, vendor]) => [id, vendor.snapshot()]),
    )
    const state = { ...kept, aheadMs: clock.offsetMs(), vendors: snapshots }
    saving = saving.catch(() => {}).then(() => writeKept(options.folder, state))
    return saving
  }
  const saveSoon = () => {
    timer ??= setTimeout(
      () => void save().catch(error => log.warn({ err: error }, 'The sandbox could not keep its state')),
      saveAfterMs,
    )
  }
  slack.onChange(page.changed)
  mailbox.onChange(page.changed)
  for (const vendor of Object.values(vendors)) {
    vendor.onChange(page.changed)
    vendor.onChange(saveSoon)
  }
  await save()
  return {
    url,
    slack,
    mailbox,
    vendors,
    settings: {
      teamId: team.id,
      botToken: kept.botToken,
      appToken: kept.appToken,
      signingSecret: kept.signingSecret,
      slackApiUrl: `${url}/api/`,
      resendApiKey: kept.resendApiKey,
      resendBaseUrl: `${url}/resend`,
      channel: syncChannel.id,
      emailFrom: 'saasm <saasm@acme.example>',
    },
    connectTo: appUrl => slack.connect({ selfUrl: url, appUrl }),
    async stop() {
      clearTimeout(timer)
      await save()
      page.stop()
      slack.stop()
      await server.stop()
    },
  }
}

async function readKept(folder: string): Promise<Kept> {
  const path = join(folder, 'sandbox.json')
  if (existsSync(path)) return JSON.parse(await readFile(path, 'utf8')) as Kept
  const secret = () => randomBytes(16).toString('hex')
  return {
    botToken: `xoxb-${secret()}`,
    appToken: `xapp-${secret()}`,
    signingSecret: secret(),
    resendApiKey: `re_${secret()}`,
    aheadMs: 0,
    vendors: {},
  }
}

async function writeKept(folder: string, kept: Kept): Promise<void> {
  await mkdir(folder, { recursive: true })
  const path = join(folder, 'sandbox.json')
  await writeFile(`${path}.new`, JSON.stringify(kept), { mode: 0o600 })
  await rename(`${path}.new`, path)
}
