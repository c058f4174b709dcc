// The conversations of a workspace: channels, direct messages with the bot, messages, ephemerals, threads, metadata.

import { codePoints } from '../../lib/text.ts'
import { checkMessageBlocks } from './blocks.ts'
import { limits } from './limits.ts'
import type { Block, ShownChannel, ShownFile, ShownUser } from './person.ts'
import { Refusal } from './refusal.ts'
import { withIds } from './views.ts'

export interface Channel {
  readonly id: string
  readonly name: string
  /** The person on the other side of a direct message; null: a channel. */
  readonly with: string | null
  readonly members: Set<string>
  archived: boolean
  readonly messages: Message[]
}

export interface Message {
  readonly ts: string
  readonly userId: string
  text: string
  blocks: readonly Block[]
  /** The only person who sees it; null: everybody. */
  readonly onlyFor: string | null
  edited: boolean
  readonly threadTs: string | null
  /** Files shared with it. */
  readonly files: readonly ShownFile[]
  metadata: unknown
}

/** What an app may put into a message. */
export interface Draft {
  text?: unknown
  blocks?: unknown
  metadata?: unknown
  threadTs?: string | undefined
  files?: readonly ShownFile[]
}

export interface Messages {
  readonly channels: readonly Channel[]
  /** By id, by `name` or `#name`, or by a person's id (the direct message with the bot, made when missing). */
  find(where: string): Channel | undefined
  post(channel: Channel, userId: string, draft: Draft, onlyFor?: string): Message
  /** Slack's rules of chat.update: text without blocks removes the blocks, neither is refused. */
  update(channel: Channel, ts: string, draft: Draft): Message
  remove(channel: Channel, ts: string): void
  shownTo(userId: string, messagesMax: number): ShownChannel[]
}

export interface MessagesOptions {
  nowMs: () => number
  changed: () => void
  users: ReadonlyMap<string, ShownUser>
  botUserId: string
  channels: readonly { id: string; name: string; members: readonly string[] }[]
}

/** A channel keeps its newest messages: enough for a day of trying, bounded for a month of it. */
const messagesMax = 20_000

export function createMessages(options: MessagesOptions): Messages {
  const { users, botUserId, changed } = options
  const channels: Channel[] = options.channels.map(one => ({
    ...one,
    with: null,
    members: new Set(one.members),
    archived: false,
    messages: [],
  }))
  let lastTs = 0

  /** Microseconds, always growing: a ts names one message. */
  function nextTs(): string {
    lastTs = Math.max(lastTs + 1, Math.round(options.nowMs() * 1000))
    return `${Math.floor(lastTs / 1e6)}.${String(lastTs % 1e6).padStart(6, '0')}`
  }

  function directWith(userId: string): Channel | undefined {
    const known = channels.find(channel => channel.with === userId)
    const user = users.get(userId)
    if (known || !user || user.isBot) return known
    const fresh: Channel = {
      id: `D${userId.slice(1)}`,
      name: user.realName,
      with: userId,
      members: new Set([userId, botUserId]),
      archived: false,
      messages: [],
    }
    channels.push(fresh)
    return fresh
  }

  function content(draft: Draft, textMax: number): { text: string; blocks: readonly Block[] } {
    const text = typeof draft.text === 'string' ? draft.text : ''
    const given = draft.blocks ?? []
    if (!Array.isArray(given)) throw new Refusal('invalid_blocks_format')
    const problems = checkMessageBlocks(given)
    if (problems.length > 0)
      throw new Refusal('invalid_blocks', { messages: problems, extra: { errors: problems } })
    if (text === '' && given.length === 0 && !draft.files?.length) throw new Refusal('no_text')
    if (codePoints(text) > textMax) throw new Refusal('msg_too_long')
    return { text, blocks: withIds({ blocks: given }).blocks as Block[] }
  }

  function own(channel: Channel, ts: string): Message {
    const message = channel.messages.find(one => one.ts === ts && one.onlyFor === null)
    if (!message) throw new Refusal('message_not_found')
    if (message.userId !== botUserId) throw new Refusal('cant_update_message')
    return message
  }

  return {
    channels,
    find(where) {
      const wanted = where.replace(/^#/, '')
      if (/^[UW]/.test(where) && users.has(where)) return directWith(where)
      return channels.find(
        channel => channel.id === where || (channel.with === null && channel.name === wanted),
      )
    },
    post(channel, userId, draft, onlyFor) {
      if (channel.archived) throw new Refusal('is_archived')
      const good = content(draft, Number.POSITIVE_INFINITY)
      const metadata = readMetadata(draft.metadata)
      if (draft.threadTs && !channel.messages.some(one => one.ts === draft.threadTs))
        throw new Refusal('thread_not_found')
      const message: Message = {
        ts: nextTs(),
        userId,
        text: Array.from(good.text).slice(0, limits.postTextMax).join(''),
        blocks: good.blocks,
        onlyFor: onlyFor ?? null,
        edited: false,
        threadTs: draft.threadTs ?? null,
        files: draft.files ?? [],
        metadata,
      }
      channel.messages.push(message)
      if (channel.messages.length > messagesMax) channel.messages.shift()
      changed()
      return message
    },
    update(channel, ts, draft) {
      const message = own(channel, ts)
      if (draft.text === undefined && draft.blocks === undefined) throw new Refusal('no_text')
      const good = content({ ...draft, text: draft.text ?? message.text }, limits.updateTextMax)
      const onlyText = draft.blocks === undefined
      message.text = good.text
      message.blocks = onlyText ? [] : good.blocks
      message.edited = onlyText
      if (draft.metadata !== undefined) message.metadata = readMetadata(draft.metadata)
      changed()
      return message
    },
    remove(channel, ts) {
      const at = channel.messages.findIndex(one => one.ts === ts)
      if (at < 0) throw new Refusal('message_not_found')
      channel.messages.splice(at, 1)
      changed()
    },
    shownTo(userId, max) {
      return channels
        .filter(channel => channel.members.has(userId))
        .map(channel => ({
          id: channel.id,
          name: channel.with === userId ? (users.get(botUserId)?.realName ?? channel.name) : channel.name,
          isDirect: channel.with !== null,
          messages: newest(channel.messages, userId, max).map(({ onlyFor, metadata: _, ...message }) => ({
            ...message,
            ephemeral: onlyFor !== null,
          })),
        }))
    },
  }
}

/** The newest `max` messages that a person sees, oldest first, without walking a long channel. */
function newest(messages: readonly Message[], userId: string, max: number): Message[] {
  const found: Message[] = []
  for (let at = messages.length - 1; at >= 0 && found.length < max; at -= 1) {
    const message = messages[at]
    if (message && (message.onlyFor === null || message.onlyFor === userId)) found.push(message)
  }
  return found.reverse()
}

function readMetadata(metadata: unknown): unknown {
  if (metadata === undefined || metadata === null) return null
  const { event_type, event_payload, ...rest } = metadata as Record<string, unknown>
  const good = typeof event_type === 'string' && typeof event_payload === 'object' && event_payload !== null
  if (!good || Object.keys(rest).length > 0) throw new Refusal('invalid_metadata_format')
  if (Buffer.byteLength(JSON.stringify(metadata)) > limits.metadataBytesMax)
    throw new Refusal('metadata_too_large')
  return metadata
}
