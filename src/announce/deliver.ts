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
  nextEntryMs,
  type OutboxEntry,
  park,
  settleLater,
} from './outbox.ts'
import { wordToAdmins } from './undelivered.ts'

export interface Deliverer {
  /** Milliseconds until an entry falls due, or until a dead worker's lease ends. */
  nextDue(): Promise<number | undefined>
  /** Send what is due until nothing is, or until the signal. */
  deliverDue(signal: AbortSignal): Promise<void>
}

/** A telling is given up after so many attempts, and not before so long: an outage of Slack or the mail service ends by itself. */
const attemptsMin = 12
const patienceMs = 6 * 3_600_000

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
  return { kind: 'wait', afterMs: backoffOf(entry.attempt, slackBackoff), reason, spent: true }
}

async function settle(delivery: Delivery, entry: OutboxEntry, sent: Sent): Promise<void> {
  if (sent.kind === 'done') return
  if (sent.kind === 'refused') return giveUp(delivery, entry, sent)
  const { db, clock } = delivery
  const now = clock.now().getTime()
  if (sent.spent && entry.attempt >= attemptsMin && now - entry.createdAt.getTime() >= patienceOf(entry))
    return giveUp(delivery, entry, { reason: sent.reason, tell: true, unsent: false })
  const dueAt = new Date(now + sent.afterMs)
  await settleLater(db.conn, entry, { dueAt, reason: sent.reason, spent: sent.spent })
}

/** A direct message cannot be looked for: each attempt may be one more of it. */
function patienceOf(entry: OutboxEntry): number {
  return entry.medium === 'slack-direct' ? 0 : patienceMs
}

/** Park it and tell the admins, both or neither; while nobody can say who they are, it waits instead. */
async function giveUp(
  delivery: Delivery,
  entry: OutboxEntry,
  why: { reason: string; tell: boolean; unsent: boolean },
): Promise<void> {
  const { db, clock, log } = delivery
  const { reason, tell, unsent } = why
  try {
    const word = tell ? await wordToAdmins(delivery, entry, reason) : []
    await db.transaction(async tx => {
      if (await park(tx, entry, { reason, unsent })) await appendOutbox(tx, word)
    })
  } catch (error) {
    if (!(error instanceof SlackFailure)) throw error
    log.warn(
      { entry: entry.id, reason, admins: error.code },
      'A telling cannot be sent, and no admin asked for',
    )
    const dueAt = new Date(clock.now().getTime() + backoffOf(entry.attempt, slackBackoff))
    await settleLater(db.conn, entry, { dueAt, reason, spent: true })
  }
}
