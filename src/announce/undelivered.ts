// When a way of telling is refused for good, the admins hear it by the other way; once a day for each reason.
import type { Announcement } from './announcement.ts'
import type { Delivery } from './delivery.ts'
import { type NewOutboxEntry, type OutboxEntry, wasSaid } from './outbox.ts'

const onceEveryMs = 24 * 3_600_000

/**
 * What each admin is told: by e-mail when Slack refused, in Slack when the mail service did; nothing when they heard it
 * today. Throws SlackFailure when Slack does not say who the admins are.
 */
export async function wordToAdmins(
  delivery: Delivery,
  refused: OutboxEntry,
  reason: string,
): Promise<NewOutboxEntry[]> {
  const { db, clock, log } = delivery
  // A refused telling about a refusal is only logged: it would go round for ever.
  log.warn({ entry: refused.id, medium: refused.medium, reason }, 'A telling is given up')
  if (refused.announcement.kind === 'undelivered') return []
  const now = clock.now()
  const medium = refused.medium === 'email' ? 'slack-direct' : 'email'
  const message = whatHappened(refused, reason)
  if (await wasSaid(db.conn, medium, message, new Date(now.getTime() - onceEveryMs))) return []
  const announcement: Announcement = {
    ...refused.announcement,
    kind: 'undelivered',
    at: now.toISOString(),
    actor: null,
    failure: { code: 'undelivered', message, missing: [], reference: refused.id },
    next: 'What could not be delivered stays parked; later announcements are tried again.',
  }
  const base = { teamId: refused.teamId, instanceId: null, transitionSeq: 0, announcement, now }
  const admins = (await delivery.admins()).slice(0, 10)
  return admins.flatMap(admin => {
    const destination = medium === 'email' ? admin.email : admin.id
    return destination ? [{ ...base, medium, destination } as const] : []
  })
}

/** For people: who refused what, and what helps. */
export function whatHappened(refused: OutboxEntry, reason: string): string {
  const code = reason.replace(/^[A-Za-z]+: /, '')
  if (refused.firstSentAt !== null) {
    const [who, what] =
      refused.medium === 'email' ? ['The mail service', 'an e-mail'] : ['Slack', 'a message']
    return `${who} did not say whether ${what} to ${refused.destination} has arrived (${code}).`
  }
  if (refused.medium === 'email')
    return `The mail service refused an e-mail to ${refused.destination} (${code}). Check the address and the sender’s domain.`
  const cures: Record<string, string> = {
    channel_not_found: 'Set SAASM_CHANNEL, or the channel in Edit Instance, to one that exists.',
    not_in_channel: 'Invite saasm to the channel.',
    is_archived: 'The channel is archived: choose another one.',
    missing_scope: 'Install the app again with the scopes of its manifest.',
  }
  return `Slack refused a message to ${refused.destination} (${code}). ${cures[code] ?? 'Check the channel and the app’s token.'}`
}
