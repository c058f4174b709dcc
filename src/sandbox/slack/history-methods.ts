// The Web API's two methods with which an app reads messages: those of a channel, newest first, and those of one thread.
import type { Message } from './messages.ts'
import { Refusal } from './refusal.ts'
import { byId, cursorText, type Method, messagePayload, type Workspace } from './web-api.ts'

type Args = Readonly<Record<string, unknown>>

export const historyMethods: Readonly<Record<string, Method>> = {
  'conversations.history': {
    scope: 'channels:history',
    tier: 50,
    run: (args, workspace) => {
      const { messages, after, limit } = asked(args, workspace)
      const before = Number(cursorText(args.cursor).replace('next_ts:', '') || Infinity)
      if (Number.isNaN(before)) throw new Refusal('invalid_cursor')
      const found = messages.filter(one => one.threadTs === null && after(one) && Number(one.ts) < before)
      const newest = found.slice(-limit).reverse()
      const next = found.length > newest.length ? `next_ts:${newest.at(-1)?.ts}` : ''
      return answerOf(args, workspace, newest, next)
    },
  },
  'conversations.replies': {
    scope: 'channels:history',
    tier: 50,
    run: (args, workspace) => {
      const { messages, after, limit } = asked(args, workspace)
      const parent = messages.find(one => one.ts === args.ts)
      if (!parent) throw new Refusal('thread_not_found')
      const from = Number(cursorText(args.cursor).replace('next_ts:', '') || 0)
      if (Number.isNaN(from)) throw new Refusal('invalid_cursor')
      const replies = messages.filter(
        one => one.threadTs === parent.ts && after(one) && Number(one.ts) >= from,
      )
      const oldest = replies.slice(0, limit)
      const next = replies.length > limit ? `next_ts:${replies[limit]?.ts}` : ''
      // The message that began it comes first, however old it is.
      return answerOf(args, workspace, from === 0 ? [parent, ...oldest] : oldest, next)
    },
  },
}

function asked(args: Args, workspace: Workspace) {
  const channel = byId(workspace, args.channel)
  if (channel.with !== null)
    throw new Refusal('missing_scope', {
      extra: { needed: 'im:history', provided: workspace.scopes.join(',') },
    })
  if (!channel.members.has(workspace.botUserId)) throw new Refusal('not_in_channel')
  const oldest = Number(args.oldest ?? 0)
  return {
    messages: channel.messages.filter(one => one.onlyFor === null),
    after: ({ ts }: Message) => Number(ts) > oldest,
    limit: Math.min(Number(args.limit ?? 100), 999),
  }
}

function answerOf(args: Args, workspace: Workspace, shown: readonly Message[], next: string) {
  return {
    messages: shown.map(one => ({
      ...messagePayload(workspace, one),
      ...(String(args.include_all_metadata) === 'true' && one.metadata ? { metadata: one.metadata } : {}),
    })),
    has_more: next !== '',
    response_metadata: { next_cursor: Buffer.from(next).toString('base64') },
  }
}
