// Progress: one direct message that is edited while something long goes on. It may be lost; the end, which the outbox tells, may not.
import { SlackFailure } from '../slack/post.ts'
import type { Announcement } from './announcement.ts'
import { channelMessage } from './channel.ts'
import type { Delivery } from './delivery.ts'
import { entryById } from './edited.ts'

/** Put this into the message that the outbox row posted, if that has been posted and it is not too soon. Never throws what Slack says. */
export type ShowProgress = (entryId: string, told: Announcement) => Promise<void>

/** Between two edits of one process: of the 50 a minute that Slack gives the app, tellings keep more than half. */
const gapMs = 3_000
/** Slack is busy: progress keeps out of the way of what must be told. */
const busyMs = 30_000

export function createShowProgress(parts: Pick<Delivery, 'db' | 'clock' | 'slack' | 'log'>): ShowProgress {
  const { db, clock, slack, log } = parts
  let freeAtMs = 0
  return async (entryId, told) => {
    const nowMs = clock.now().getTime()
    if (nowMs < freeAtMs) return
    freeAtMs = nowMs + gapMs
    const entry = await entryById(db.conn, entryId)
    if (entry?.state !== 'sent' || !entry.sentRef || !entry.sentChannel) return
    try {
      await slack.update({ channel: entry.sentChannel, ts: entry.sentRef, ...channelMessage(told) })
    } catch (error) {
      if (!(error instanceof SlackFailure)) throw error
      freeAtMs = clock.now().getTime() + Math.max(busyMs, error.retryAfterMs ?? 0)
      log.info({ entry: entryId, code: error.code }, 'Progress could not be shown')
    }
  }
}
