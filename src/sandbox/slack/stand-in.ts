// A Slack workspace on this machine: one model behind the Web API, the deliveries that reach the app, and the people who use it.
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import type { MovableClock } from '../../lib/clock.ts'
import { type ApiCall, createApiDoor, type SlackFault } from './api-door.ts'
import { createDeliveries } from './deliveries.ts'
import { createFiles, type StoredFile } from './files.ts'
import { createHands, type PersonMemory } from './gestures.ts'
import { type Channel, createMessages } from './messages.ts'
import { viewPayload } from './payloads.ts'
import type { Person, PersonState, ShownUser } from './person.ts'
import { createResponses } from './responses.ts'
import { createTriggers } from './triggers.ts'
import { createViews } from './views.ts'
import type { Workspace } from './web-api.ts'

export interface StandInOptions {
  clock: MovableClock
  botToken: string
  appToken: string
  signingSecret: string
  /** The bot scopes that the workspace granted: those of manifest.yml. */
  scopes: readonly string[]
  team: { id: string; name: string; domain: string }
  users: readonly ShownUser[]
  botUserId: string
  channels: readonly { id: string; name: string; members: readonly string[] }[]
  /** Hold calls to Slack's rates, in the machine's time; true unless told. Validation cannot be switched off. */
  enforceRates?: boolean
}

export interface SlackStandIn {
  /** Serve `/api/…`, `/response/…` and `/files/…`; false for another path. */
  handle(req: IncomingMessage, res: ServerResponse): Promise<boolean>
  /** Take a Socket Mode upgrade; false when it is none. */
  upgrade(req: IncomingMessage, socket: Duplex, head: Buffer): boolean
  /** `selfUrl`: this stand-in's own address; `appUrl`: the app's signed HTTP endpoint, null for Socket Mode. */
  connect(where: { selfUrl: string; appUrl?: string | null }): void
  /** One of the workspace's people. Throws for an id that is nobody's. */
  as(userId: string): Person
  /** What this person sees; for an unknown id the workspace as nobody sees it (users, no channels). */
  stateFor(userId: string, options?: { messagesMax?: number }): PersonState
  /** Returns the way to unsubscribe. */
  onChange(listener: () => void): () => void
  readonly faults: {
    next(fault: SlackFault): void
    each(choose: (method: string) => SlackFault | undefined): void
    dropSockets(): void
  }
  readonly journal: readonly ApiCall[]
  /** The channel itself, for tests that archive it or take the bot out. */
  channel(name: string): Channel
  /** A file that was uploaded, as a person would save it. */
  file(id: string): StoredFile | undefined
  /** Change a person: a demotion, a deletion. */
  changeUser(userId: string, change: Partial<ShownUser>): void
  /** Make a user group, or give it other members. */
  setGroup(groupId: string, members: readonly string[]): void
  stop(): void
}

/** Make a workspace. */
export function createSlackStandIn(options: StandInOptions): SlackStandIn {
  const { clock, botUserId } = options
  const listeners = new Set<() => void>()
  const changed = () => {
    for (const listener of listeners) listener()
  }
  const nowMs = () => clock.now().getTime()
  let selfUrl = 'http://127.0.0.1'
  const users = new Map(options.users.map(user => [user.id, user]))
  const groups = new Map<string, readonly string[]>()
  const messages = createMessages({ nowMs, changed, users, botUserId, channels: options.channels })
  const views = createViews(nowMs, changed)
  const deliveries = createDeliveries(options.signingSecret)
  const responses = createResponses({ nowMs, selfUrl: () => selfUrl, messages, botUserId })
  const files = createFiles({ ...options, selfUrl: () => selfUrl })
  const workspace: Workspace = {
    ...options,
    users,
    groups,
    messages,
    views,
    files,
    appId: 'A0SAASM',
    botId: 'B0SAASM',
    triggers: createTriggers(nowMs),
    socketTicket: () => deliveries.ticket(selfUrl),
    viewPayload: view => viewPayload(workspace, view),
  }
  const api = createApiDoor(workspace, { enforceRates: options.enforceRates ?? true })
  const closing = new AbortController()
  const memories = new Map<string, PersonMemory>()

  function memoryOf(userId: string): PersonMemory {
    const memory = memories.get(userId) ?? { waiting: [], lastFailure: null }
    memories.set(userId, memory)
    return memory
  }

  function stateFor(userId: string, { messagesMax = Number.POSITIVE_INFINITY } = {}): PersonState {
    const { waiting, lastFailure } = memoryOf(userId)
    const user = users.get(userId) ?? nobody
    return {
      user,
      users: [...users.values()],
      team: options.team,
      nowIso: clock.now().toISOString(),
      channels: messages.shownTo(userId, messagesMax),
      views: views
        .stackOf(userId)
        .map(({ id, view, hash, values, errors }) => ({ id, view, hash, values, errors })),
      home: views.homeOf(userId)?.view ?? null,
      waiting: [...waiting],
      lastFailure,
    }
  }

  return {
    stateFor,
    journal: api.journal,
    faults: { next: api.next, each: api.each, dropSockets: deliveries.dropSockets },
    upgrade: deliveries.upgrade,
    handle: async (req, res) =>
      (await files.handle(req, res)) || (await api.handle(req, res)) || (await responses.handle(req, res)),
    connect(where) {
      selfUrl = where.selfUrl
      if (where.appUrl !== undefined) deliveries.connect(where.appUrl)
    },
    as(userId) {
      const user = users.get(userId)
      if (!user) throw new Error(`Nobody has the id ${userId}`)
      // The direct message with the app is there from the start, as in Slack.
      messages.find(userId)
      const parts = { workspace, deliveries, responses, changed, stopped: closing.signal }
      const hands = createHands(user, memoryOf(userId), parts)
      return { ...hands, state: stateOptions => stateFor(userId, stateOptions) }
    },
    onChange(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    channel(name) {
      const found = messages.find(name)
      if (!found) throw new Error(`There is no channel ${name}`)
      return found
    },
    file: files.open,
    changeUser(userId, change) {
      const user = users.get(userId)
      if (user) users.set(userId, { ...user, ...change })
      changed()
    },
    setGroup: (groupId, members) => void groups.set(groupId, members),
    stop() {
      closing.abort(new Error('The workspace is closed'))
      deliveries.stop()
    },
  }
}

const nobody: ShownUser = {
  id: '',
  name: '',
  realName: 'Nobody',
  email: '',
  timeZone: 'UTC',
  isAdmin: false,
  isOwner: false,
  isPrimaryOwner: false,
  isRestricted: false,
  isUltraRestricted: false,
  isBot: false,
  deleted: false,
}
