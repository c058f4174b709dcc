// Slack's Web API, as far as apps of this kind use it: tokens, scopes, rates, and one function a method. Anything else is unknown_method.
import type { MovableClock } from '../../lib/clock.ts'
import type { Files } from './files.ts'
import type { Channel, Message, Messages } from './messages.ts'
import type { Block, ShownUser } from './person.ts'
import { Refusal } from './refusal.ts'
import type { Triggers } from './triggers.ts'
import type { StoredView, Views } from './views.ts'

export interface Workspace {
  clock: MovableClock
  team: { id: string; name: string; domain: string }
  appId: string
  botId: string
  botUserId: string
  botToken: string
  appToken: string
  scopes: readonly string[]
  users: ReadonlyMap<string, ShownUser>
  /** User groups: id to the ids of its members. */
  groups: ReadonlyMap<string, readonly string[]>
  messages: Messages
  views: Views
  files: Files
  triggers: Triggers
  /** Open a Socket Mode address; used once within 30 s. */
  socketTicket(): string
  /** What a view looks like in an answer or payload. */
  viewPayload(view: StoredView): Record<string, unknown>
}

type Args = Readonly<Record<string, unknown>>
type Answer = Record<string, unknown>

export interface Method {
  scope: string | null
  /** Calls a minute; `post`: a message a second and channel. */
  tier: 20 | 50 | 100 | 'post'
  appToken?: true
  run(args: Args, workspace: Workspace): Answer
}

export const methods: Readonly<Record<string, Method>> = {
  'api.test': { scope: null, tier: 100, run: () => ({}) },
  'auth.test': {
    scope: null,
    tier: 100,
    run: (_args, { team, botUserId, botId, users }) => ({
      url: `https://${team.domain}.slack.com/`,
      team: team.name,
      team_id: team.id,
      user: users.get(botUserId)?.name,
      user_id: botUserId,
      bot_id: botId,
      is_enterprise_install: false,
    }),
  },
  'apps.connections.open': {
    scope: null,
    tier: 50,
    appToken: true,
    run: (_args, workspace) => ({ url: workspace.socketTicket() }),
  },
  'views.open': {
    scope: null,
    tier: 100,
    run: (args, workspace) =>
      shown(workspace, workspace.views.open(workspace.triggers.use(args.trigger_id), args.view)),
  },
  'views.push': {
    scope: null,
    tier: 100,
    run: (args, workspace) =>
      shown(workspace, workspace.views.push(workspace.triggers.use(args.trigger_id), args.view)),
  },
  'views.update': {
    scope: null,
    tier: 100,
    run: (args, workspace) => {
      if (args.view_id === undefined && args.external_id === undefined) throw new Refusal('invalid_arguments')
      const where = {
        ...given(args, 'view_id', 'viewId'),
        ...given(args, 'external_id', 'externalId'),
        ...given(args, 'hash', 'hash'),
      }
      return shown(workspace, workspace.views.update(where, args.view))
    },
  },
  'views.publish': {
    scope: null,
    tier: 100,
    run: (args, workspace) => {
      const user = person(workspace, args.user_id)
      return shown(workspace, workspace.views.publish(user.id, args.view, text(args.hash)))
    },
  },
  'chat.postMessage': {
    scope: 'chat:write',
    tier: 'post',
    run: (args, workspace) => {
      const channel = writable(workspace, args.channel)
      const message = workspace.messages.post(channel, workspace.botUserId, {
        ...draft(args),
        threadTs: text(args.thread_ts),
      })
      return { channel: channel.id, ts: message.ts, message: messagePayload(workspace, message) }
    },
  },
  'chat.postEphemeral': {
    scope: 'chat:write',
    tier: 100,
    run: (args, workspace) => {
      const channel = writable(workspace, args.channel)
      const user = person(workspace, args.user)
      if (!channel.members.has(user.id)) throw new Refusal('user_not_in_channel')
      const message = workspace.messages.post(channel, workspace.botUserId, draft(args), user.id)
      return { message_ts: message.ts }
    },
  },
  'chat.update': {
    scope: 'chat:write',
    tier: 50,
    run: (args, workspace) => {
      const channel = byId(workspace, args.channel)
      const message = workspace.messages.update(channel, String(args.ts), draft(args))
      return {
        channel: channel.id,
        ts: message.ts,
        text: message.text,
        message: messagePayload(workspace, message),
      }
    },
  },
  'users.info': {
    scope: 'users:read',
    tier: 100,
    run: (args, workspace) => ({ user: userPayload(workspace, person(workspace, args.user)) }),
  },
  'users.list': {
    scope: 'users:read',
    tier: 20,
    run: (args, workspace) => {
      const { items, next } = page([...workspace.users.values()], args)
      return {
        members: items.map(user => userPayload(workspace, user)),
        response_metadata: { next_cursor: next },
      }
    },
  },
  'usergroups.users.list': {
    scope: 'usergroups:read',
    tier: 20,
    run: (args, { groups }) => {
      const members = groups.get(String(args.usergroup))
      if (!members) throw new Refusal('no_such_subteam')
      return { users: members }
    },
  },
  'conversations.list': {
    scope: 'channels:read',
    tier: 20,
    run: (args, workspace) => {
      const { items, next } = page(
        workspace.messages.channels.filter(channel => channel.with === null),
        args,
      )
      const channels = items.map(channel => ({
        id: channel.id,
        name: channel.name,
        is_channel: true,
        is_private: false,
        is_archived: channel.archived,
        is_member: channel.members.has(workspace.botUserId),
        num_members: channel.members.size,
      }))
      return { channels, response_metadata: { next_cursor: next } }
    },
  },
}

function shown(workspace: Workspace, view: StoredView): Answer {
  return { view: workspace.viewPayload(view) }
}

export function text(value: unknown): string | undefined {
  return value === undefined || value === null || value === '' ? undefined : String(value)
}

function given<K extends string>(args: Args, from: string, to: K): Partial<Record<K, string>> {
  const value = text(args[from])
  return value === undefined ? {} : ({ [to]: value } as Record<K, string>)
}

function draft(args: Args) {
  return { text: args.text, blocks: args.blocks, metadata: args.metadata }
}

function person(workspace: Workspace, id: unknown): ShownUser {
  const user = workspace.users.get(String(id))
  if (!user) throw new Refusal('user_not_found')
  return user
}

export function byId(workspace: Workspace, id: unknown): Channel {
  const channel = workspace.messages.channels.find(one => one.id === id)
  if (!channel) throw new Refusal('channel_not_found')
  return channel
}

export function writable(workspace: Workspace, where: unknown): Channel {
  const channel = workspace.messages.find(String(where))
  if (!channel) throw new Refusal('channel_not_found')
  if (!channel.members.has(workspace.botUserId)) throw new Refusal('not_in_channel')
  return channel
}

export function cursorText(cursor: unknown): string {
  return Buffer.from(String(cursor ?? ''), 'base64').toString()
}

function page<T>(all: readonly T[], args: Args): { items: readonly T[]; next: string } {
  const start = Number(cursorText(args.cursor).replace('at:', ''))
  if (!Number.isInteger(start) || start < 0 || start > all.length) throw new Refusal('invalid_cursor')
  const end = start + Math.min(Math.max(Number(args.limit ?? 100), 1), 1000)
  return {
    items: all.slice(start, end),
    next: end < all.length ? Buffer.from(`at:${end}`).toString('base64') : '',
  }
}

/** A message as Slack gives it. */
export function messagePayload(workspace: Workspace, message: Message): Record<string, unknown> {
  const ours = message.userId === workspace.botUserId
  return {
    type: 'message',
    ts: message.ts,
    user: message.userId,
    text: message.text,
    ...(message.blocks.length > 0 ? { blocks: message.blocks as Block[] } : {}),
    ...(ours ? { bot_id: workspace.botId, app_id: workspace.appId } : {}),
    ...(message.threadTs ? { thread_ts: message.threadTs } : {}),
    ...(message.edited ? { edited: { user: message.userId, ts: message.ts } } : {}),
  }
}

function userPayload(workspace: Workspace, user: ShownUser): Record<string, unknown> {
  const mayEmail = workspace.scopes.includes('users:read.email')
  return {
    id: user.id,
    team_id: user.teamId ?? workspace.team.id,
    name: user.name,
    deleted: user.deleted,
    real_name: user.realName,
    tz: user.timeZone,
    locale: 'en-US',
    profile: {
      real_name: user.realName,
      display_name: user.name,
      ...(mayEmail && !user.isBot ? { email: user.email } : {}),
    },
    is_admin: user.isAdmin,
    is_owner: user.isOwner,
    is_primary_owner: user.isPrimaryOwner,
    is_restricted: user.isRestricted,
    is_ultra_restricted: user.isUltraRestricted,
    is_bot: user.isBot,
    is_app_user: false,
    ...(user.teamId ? { is_stranger: true } : {}),
  }
}
