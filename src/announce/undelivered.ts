// When a way of telling is refused for good, the admins hear it by the other way; once a day for each reason.

import { count } from '../lib/text.ts'
import type { Announcement } from './announcement.ts'
import type { Delivery, Sent } from './delivery.ts'
import {
  appendOutbox,
  type ClaimedEntry,
  type NewOutboxEntry,
  type OutboxEntry,
  settleSent,
  wasSaid,
} from './outbox.ts'

const onceEveryMs = 24 * 3_600_000

/** Stands for all admins in a row that becomes one for each of them once Slack says who they are. */
export const everyAdmin = 'admins'
const adminsMax = 10

/**
 * What the admins are told of a refusal: by e-mail when it was Slack's, in Slack when it was the mail service's. Undefined:
 * they heard it today, or it is a refused telling of a refusal, which would go round for ever.
 */
export async function wordToAdmins(
  { db, clock }: Delivery,
  refused: OutboxEntry,
  reason: string,
  next = 'What could not be delivered stays parked; later announcements are tried again.',
): Promise<NewOutboxEntry | undefined> {
  if (refused.announcement.kind === 'undelivered') return undefined
  const now = clock.now()
  const medium = refused.medium === 'email' ? 'slack-direct' : 'email'
  const message = whatHappened(refused, reason)
  if (await wasSaid(db.conn, medium, message, new Date(now.getTime() - onceEveryMs))) return undefined
  const announcement: Announcement = {
    ...refused.announcement,
    kind: 'undelivered',
    at: now.toISOString(),
    actor: null,
    failure: { code: 'undelivered', message, missing: [], reference: refused.id },
    next,
  }
  const to = { teamId: refused.teamId, instanceId: null, transitionSeq: 0, destination: everyAdmin }
  return { ...to, medium, announcement, now }
}

/** The row for all admins becomes one for each but who did what it tells, and hears of it anyway. Throws SlackFailure while Slack does not say who they are. */
export async function toEachAdmin({ db, clock, admins }: Delivery, entry: ClaimedEntry): Promise<Sent> {
  const { teamId, announcement, medium } = entry
  const now = clock.now()
  const base = { teamId, instanceId: null, transitionSeq: 0, announcement, medium, now }
  const rows = (await admins()).slice(0, adminsMax).flatMap(admin => {
    const destination = medium === 'email' ? admin.email : admin.id
    return destination && admin.id !== announcement.actor ? [{ ...base, destination }] : []
  })
  await db.transaction(async tx => {
    const reason = `For ${count(rows.length, 'admin', 'admins')}`
    if (await settleSent(tx, entry, { ref: '', now, reason })) await appendOutbox(tx, rows)
  })
  return { kind: 'done' }
}

/** For people: who refused what, and what helps. */
export function whatHappened(refused: OutboxEntry, reason: string): string {
  const code = reason.replace(/^[A-Za-z]+: /, '')
  if (refused.firstSentAt !== null) {
    const [who, what] =
      refused.medium === 'email' ? ['The mail service', 'an e-mail'] : ['Slack', 'a message']
    return `${who} did not say whether ${what} to ${refused.destination} has arrived (${code}).`
  }
  if (code === 'invalid_api_key')
    return 'The mail service does not know saasm’s key (invalid_api_key). Check RESEND_API_KEY.'
  if (/quota/.test(code))
    return `The mail service sends no more e-mails: its quota is used up (${code}). Raise it there, or wait until it is renewed.`
  if (refused.medium === 'email' && reason.startsWith('Slack: '))
    return `Slack did not say what the e-mail address of ${refused.destination} is (${code}). ${slackCure(code)}`
  if (refused.medium === 'email')
    return `The mail service refused an e-mail to ${refused.destination} (${code}). Check the address and the sender’s domain.`
  return `Slack refused a message to ${refused.destination} (${code}). ${slackCure(code)}`
}

function slackCure(code: string): string {
  const cures: Record<string, string> = {
    channel_not_found: 'Set SAASM_CHANNEL, or the channel in Edit Instance, to one that exists.',
    not_in_channel: 'Invite saasm to the channel.',
    is_archived: 'The channel is archived: choose another one.',
    missing_scope: 'Install the app again with the scopes of its manifest.',
  }
  return cures[code] ?? 'Check the channel and the app’s token.'
}
