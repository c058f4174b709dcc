// Delivery: claims what is due and sends it, once each. Waits, ambiguity and refusal are told apart; nothing is dropped silently.
import { crashpoint } from '../lib/crashpoint.ts'
import { SlackFailure } from '../slack/post.ts'
import { sendMail } from './deliver-mail.ts'
import { sendSlack } from './deliver-slack.ts'
import { backoffOf, type Delivery, type Sent } from './delivery.ts'
import { type ClaimedEntry, claimEntry, nextEntryMs, type OutboxEntry, park, settleLater } from './outbox.ts'
import { tellAdmins } from './undelivered.ts'

export interface Deliverer {
  /** Milliseconds until an entry falls due, or until a dead worker's lease ends. */
  nextDue(): Promise<number | undefined>
  /** Send what is due until nothing is, or until the signal. */
  deliverDue(signal: AbortSignal): Promise<void>
}

const attemptsMax = 12

export function createDeliverer(delivery: Delivery): Deliverer {
  return {
    nextDue: () => nextEntryMs(delivery.db.conn, delivery.clock.now()),
    async deliverDue(signal) {
      // Destinations that asked us to wait: the others go on.
      const resting = new Set<string>()
      while (!signal.aborted) {
        const entry = await claimEntry(delivery.db, delivery.owner, delivery.clock.now(), [...resting])
        if (!entry) return
        crashpoint('entry-claimed')
        const sent = await send(delivery, entry, signal)
        if (sent.kind === 'wait' && sent.restsDestination) resting.add(entry.destination)
        await settle(delivery, entry, sent)
      }
    },
  }
}

async function send(delivery: Delivery, entry: ClaimedEntry, signal: AbortSignal): Promise<Sent> {
  try {
    return entry.medium === 'email'
      ? await sendMail(delivery, entry)
      : await sendSlack(delivery, entry, signal)
  } catch (error) {
    if (signal.aborted) return { kind: 'wait', afterMs: 0, reason: 'saasm stopped', spent: false }
    if (error instanceof SlackFailure) return ofSlack(error, entry)
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
  if (failure.kind === 'permanent')
    return { kind: 'refused', reason, tell: true, unsent: entry.firstSentAt === null }
  return { kind: 'wait', afterMs: Math.min(2_000, backoffOf(entry.attempt)), reason, spent: true }
}

async function settle(delivery: Delivery, entry: OutboxEntry, sent: Sent): Promise<void> {
  const { db, clock, log } = delivery
  if (sent.kind === 'done') return
  if (sent.kind === 'wait') {
    if (!sent.spent || entry.attempt < attemptsMax) {
      const dueAt = new Date(clock.now().getTime() + sent.afterMs)
      await settleLater(db.conn, entry, { dueAt, reason: sent.reason, spent: sent.spent })
      return
    }
    log.warn({ entry: entry.id, reason: sent.reason }, 'A telling is parked after its last attempt')
  }
  const tell = sent.kind === 'wait' || sent.tell
  const unsent = sent.kind === 'refused' && sent.unsent
  const parked = await park(db.conn, entry, { reason: sent.reason, unsent })
  if (parked && tell) await tellAdmins(delivery, entry, sent.reason)
}
