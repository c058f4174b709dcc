// Delivery: claims what is due and sends it, once each. Waits, ambiguity and refusal are told apart; nothing is dropped silently.
import { crashpoint } from '../lib/crashpoint.ts'
import { SlackFailure } from '../slack/post.ts'
import { sendMail } from './deliver-mail.ts'
import { sendSlack } from './deliver-slack.ts'
import { backoffOf, type Delivery, type Sent, slackBackoff } from './delivery.ts'
import {
  appendOutbox,
  type ClaimedEntry,
  claimEntry,
  isDirect,
  nextEntryMs,
  type OutboxEntry,
  park,
  settleLater,
} from './outbox.ts'
import { everyAdmin, toEachAdmin, wordToAdmins } from './undelivered.ts'

export interface Deliverer {
  /** Milliseconds until an entry falls due, or until a dead worker's lease ends. */
  nextDue(): Promise<number | undefined>
  /** Send what is due until nothing is, or until the signal. */
  deliverDue(signal: AbortSignal): Promise<void>
}

/** A telling is given up after so many attempts, and not before so long: an outage of Slack or the mail service ends by itself. */
const attemptsMin = 12
const patienceMs = 6 * 3_600_000
/** Calls that break after so long in all have hung: what needs the one waits for the next time, and the other goes on. */
const hangsMs = 5_000
/** Slack does not know the token: whoever runs saasm mends that, and until then it is an outage. */
const away = /^(invalid_auth|not_authed|account_inactive|token_revoked|token_expired)$/

export function createDeliverer(delivery: Delivery): Deliverer {
  return {
    nextDue: () => nextEntryMs(delivery.db.conn, delivery.clock.now()),
    async deliverDue(signal) {
      // Destinations that asked us to wait: the others go on.
      const resting = new Set<string>()
      const brokenMs = { slack: 0, mail: 0 }
      while (!signal.aborted) {
        const [withoutSlack, withoutMail] = [brokenMs.slack > hangsMs, brokenMs.mail > hangsMs]
        const which = { resting: [...resting], withoutSlack, withoutMail }
        const entry = await claimEntry(delivery.db, delivery.owner, delivery.clock.now(), which)
        if (!entry) return
        crashpoint('entry-claimed')
        const sent = await send(delivery, entry, signal)
        if (sent.kind === 'wait' && sent.restsDestination) resting.add(entry.destination)
        if (sent.kind === 'wait' && sent.broke) brokenMs[sent.broke.who] += sent.broke.ms
        await settle(delivery, entry, sent)
      }
    },
  }
}

async function send(delivery: Delivery, entry: ClaimedEntry, signal: AbortSignal): Promise<Sent> {
  const beganMs = performance.now()
  try {
    if (entry.destination === everyAdmin) return await toEachAdmin(delivery, entry)
    return entry.medium === 'email'
      ? await sendMail(delivery, entry)
      : await sendSlack(delivery, entry, signal)
  } catch (error) {
    if (signal.aborted) return { kind: 'wait', afterMs: 0, reason: 'saasm stopped', spent: false }
    if (error instanceof SlackFailure) {
      const sent = ofSlack(error, entry)
      const broke = { who: 'slack' as const, ms: performance.now() - beganMs }
      return sent.kind === 'wait' ? { ...sent, broke } : sent
    }
    delivery.log.error({ err: error, entry: entry.id }, 'A telling could not be sent')
    return { kind: 'wait', afterMs: backoffOf(entry.attempt), reason: 'saasm failed to send it', spent: true }
  }
}

function ofSlack(failure: SlackFailure, entry: OutboxEntry): Sent {
  const reason = `Slack: ${failure.code}`
  if (failure.kind === 'rate-limited') {
    return {
      kind: 'wait',
      afterMs: failure.retryAfterMs ?? 1_000,
      reason,
      spent: false,
      restsDestination: true,
    }
  }
  if (failure.kind === 'permanent' && !away.test(failure.code))
    return { kind: 'refused', reason, tell: true, unsent: entry.firstSentAt === null }
  return { kind: 'wait', afterMs: backoffOf(entry.attempt, slackBackoff), reason, spent: true }
}

async function settle(delivery: Delivery, entry: OutboxEntry, sent: Sent): Promise<void> {
  if (sent.kind === 'done') return
  if (sent.kind === 'refused') return giveUp(delivery, entry, sent)
  const { db, clock, log } = delivery
  const now = clock.now().getTime()
  if (sent.spent && entry.attempt >= attemptsMin && now - entry.createdAt.getTime() >= patienceOf(entry))
    return giveUp(delivery, entry, { reason: sent.reason, tell: true, unsent: false })
  const { reason, spent } = sent
  const word = sent.tell && (await wordToAdmins(delivery, entry, reason, 'saasm tries again for six hours.'))
  const waits = await db.transaction(async tx => {
    if (!(await settleLater(tx, entry, { dueAt: new Date(now + sent.afterMs), reason, spent }))) return false
    if (word) await appendOutbox(tx, [word])
    return true
  })
  if (waits && spent && entry.attempt === 1)
    log.warn({ entry: entry.id, medium: entry.medium, reason }, 'A telling waits and is tried again')
}

/** Each further attempt at a direct message that may have arrived may be one more of it. */
function patienceOf(entry: OutboxEntry): number {
  return isDirect(entry) && entry.firstSentAt !== null ? 0 : patienceMs
}

/** Park it and tell the admins, both or neither. */
async function giveUp(
  delivery: Delivery,
  entry: OutboxEntry,
  { reason, tell, unsent }: { reason: string; tell: boolean; unsent: boolean },
): Promise<void> {
  const word = tell ? await wordToAdmins(delivery, entry, reason) : undefined
  const parked = await delivery.db.transaction(async tx => {
    if (!(await park(tx, entry, { reason, unsent }))) return false
    if (word) await appendOutbox(tx, [word])
    return true
  })
  if (parked) delivery.log.warn({ entry: entry.id, medium: entry.medium, reason }, 'A telling is parked')
}
