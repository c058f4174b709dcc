// response_url: five answers within thirty minutes to where a gesture came from, ephemeral unless it says in_channel.
import { randomBytes } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { answerJson, readBody } from '../http.ts'
import { limits } from './limits.ts'
import type { Messages } from './messages.ts'
import { Refusal } from './refusal.ts'

export interface Responses {
  /** An address for one gesture of `userId` in `channelId`; `ts` is the message it was made in. */
  issue(from: { userId: string; channelId: string; ts: string | null }): string
  handle(req: IncomingMessage, res: ServerResponse): Promise<boolean>
  /** The body of an acknowledged command: the same as one answer. */
  answer(from: { userId: string; channelId: string; ts: string | null }, body: unknown): void
}

const bodyMaxBytes = 1_000_000

export function createResponses(options: {
  nowMs: () => number
  selfUrl: () => string
  messages: Messages
  botUserId: string
}): Responses {
  const { messages, botUserId, nowMs } = options
  const live = new Map<
    string,
    { userId: string; channelId: string; ts: string | null; at: number; uses: number }
  >()

  function answer(from: { userId: string; channelId: string; ts: string | null }, body: unknown): void {
    const said = typeof body === 'string' ? { text: body } : ((body ?? {}) as Record<string, unknown>)
    const channel = messages.channels.find(one => one.id === from.channelId)
    if (!channel) throw new Refusal('channel_not_found')
    const original = channel.messages.find(one => one.ts === from.ts)
    if (said.delete_original === true) {
      if (original) messages.remove(channel, original.ts)
      return
    }
    // Slack: an ephemeral stays ephemeral, and the person's own command line cannot be replaced.
    if (said.replace_original === true && original && original.userId === botUserId) {
      const fresh = messages.post(channel, botUserId, said, original.onlyFor ?? undefined)
      original.text = fresh.text
      original.blocks = fresh.blocks
      messages.remove(channel, fresh.ts)
      return
    }
    const onlyFor = said.response_type === 'in_channel' ? undefined : from.userId
    messages.post(channel, botUserId, said, onlyFor)
  }

  return {
    answer,
    issue(from) {
      const id = randomBytes(12).toString('hex')
      live.set(id, { ...from, at: nowMs(), uses: 0 })
      for (const [old, { at }] of live) if (nowMs() - at > 2 * limits.responseUrlMs) live.delete(old)
      return `${options.selfUrl()}/response/${id}`
    },
    async handle(req, res) {
      const path = new URL(req.url ?? '/', 'http://slack').pathname
      if (!path.startsWith('/response/')) return false
      const known = live.get(path.slice('/response/'.length))
      const raw = await readBody(req, bodyMaxBytes)
      if (!known || nowMs() - known.at > limits.responseUrlMs)
        answerJson(res, 404, { ok: false, error: 'expired_url' })
      else if (known.uses >= limits.responseUrlUses) answerJson(res, 404, { ok: false, error: 'used_url' })
      else {
        known.uses += 1
        try {
          answer(known, JSON.parse(raw))
          res.writeHead(200, { 'content-type': 'text/plain' }).end('ok')
        } catch (error) {
          if (!(error instanceof Refusal)) throw error
          answerJson(res, 400, { ok: false, error: error.code, errors: error.messages })
        }
      }
      return true
    },
  }
}
