// One e-mail: whose address it is, rendered once and stored, then sent under the entry's own key.
import { isUniqueViolation } from '../db/db.ts'
import { instanceById } from '../instances/store.ts'
import { crashpoint } from '../lib/crashpoint.ts'
import type { SlackPerson } from '../slack/post.ts'
import { backoffOf, type Delivery, type Sent } from './delivery.ts'
import { type RenderedMail, renderMail } from './email.tsx'
import { notSetUp } from './mailer.ts'
import {
  appendOutbox,
  beginSend,
  type ClaimedEntry,
  isToldTo,
  type OutboxEntry,
  settleSent,
  writeEntry,
} from './outbox.ts'

/** Resend forgets a key after 24 hours; beyond it a lost answer may not be asked for again. */
const keyLivesMs = 24 * 3_600_000
/** A quota is renewed within a day, or is one of a month: then people hear of it. */
const quotaPatienceMs = 24 * 3_600_000

export async function sendMail(delivery: Delivery, entry: ClaimedEntry): Promise<Sent> {
  const { db, clock, mailer } = delivery
  const to = await addressOf(delivery, entry)
  if (to === 'told') return { kind: 'done' }
  if (to === null)
    return {
      kind: 'refused',
      reason: 'Nobody who could be told has an e-mail address',
      tell: false,
      unsent: true,
    }
  const mail = await rendered(delivery, entry)
  const firstSentAt = entry.firstSentAt ?? clock.now()
  if (clock.now().getTime() - firstSentAt.getTime() > keyLivesMs) {
    return {
      kind: 'refused',
      reason: 'unknown: the mail service did not answer within a day',
      tell: true,
      unsent: false,
    }
  }
  if (!(await beginSend(db.conn, entry, { firstSentAt }))) return { kind: 'done' }
  crashpoint('mail-begun')
  const beganMs = performance.now()
  const result = await mailer.send({ to, ...mail, key: `saasm/${entry.id}` })
  crashpoint('mail-sent')
  if (result.kind === 'sent') {
    await settleSent(db.conn, entry, { ref: result.id, now: clock.now() })
    return { kind: 'done' }
  }
  const { reason } = result
  if (result.kind === 'never')
    // Had an earlier attempt arrived, the same key would have been answered with it.
    return { kind: 'refused', reason, tell: reason !== notSetUp, unsent: true }
  if (result.kind === 'ambiguous') {
    const broke = { who: 'mail' as const, ms: performance.now() - beganMs }
    return { kind: 'wait', afterMs: backoffOf(entry.attempt), reason, spent: true, broke }
  }
  // This attempt sent nothing: the day in which the key lives has not begun by it.
  await writeEntry(db.conn, entry, { firstSentAt: entry.firstSentAt })
  if (result.kind === 'locked-out')
    return { kind: 'wait', afterMs: backoffOf(entry.attempt), reason, spent: true, tell: true }
  if (result.kind === 'used-up' && clock.now().getTime() - entry.createdAt.getTime() > quotaPatienceMs)
    return { kind: 'refused', reason, tell: true, unsent: entry.firstSentAt === null }
  return { kind: 'wait', afterMs: result.afterMs, reason, spent: false }
}

async function rendered(delivery: Delivery, entry: OutboxEntry): Promise<RenderedMail> {
  if (entry.rendered) return entry.rendered as unknown as RenderedMail
  const mail = await renderMail(entry.announcement)
  await writeEntry(delivery.db.conn, entry, { rendered: { ...mail } })
  return mail
}

/** The address of the entry; `told`: it is told by another entry; null: there is nobody left to tell. */
async function addressOf(delivery: Delivery, entry: OutboxEntry): Promise<string | 'told' | null> {
  if (entry.destination.includes('@')) return entry.destination
  const [first, ...others] = await standIns(delivery, entry)
  if (!first) return null
  // Several admins in place of one person: each gets an entry of their own.
  const { teamId, instanceId, transitionSeq, announcement } = entry
  const base = {
    teamId,
    instanceId,
    transitionSeq,
    announcement,
    medium: 'email' as const,
    now: delivery.clock.now(),
  }
  await appendOutbox(
    delivery.db.conn,
    others.map(destination => ({ ...base, destination })),
  )
  return (await takeAddress(delivery, entry, first)) ? first : 'told'
}

/** Make the entry this address's; false when another entry of the same change has it. */
async function takeAddress(delivery: Delivery, entry: OutboxEntry, address: string): Promise<boolean> {
  const { db, clock } = delivery
  const settle = () =>
    settleSent(db.conn, entry, { ref: '', now: clock.now(), reason: 'told as a recipient' })
  if (await isToldTo(db.conn, entry, address)) {
    await settle()
    return false
  }
  try {
    return await writeEntry(db.conn, entry, { destination: address })
  } catch (error) {
    if (!isUniqueViolation(error)) throw error
    await settle()
    return false
  }
}

/** The creator's address; when they have left, the owner's; when they have left too, the admins'. */
async function standIns(delivery: Delivery, entry: OutboxEntry): Promise<string[]> {
  const creator = reachable(await delivery.slack.person(entry.destination))
  if (creator) return [creator]
  const instance =
    entry.instanceId === null ? undefined : await instanceById(delivery.db.conn, entry.instanceId)
  const owner = instance && reachable(await delivery.slack.person(instance.owner))
  if (owner) return [owner]
  const admins = (await delivery.admins()).map(reachable).filter(address => address !== null)
  return [...new Set(admins)]
}

/** The lower-case address of a person who is still there. */
function reachable(person: SlackPerson | undefined): string | null {
  if (!person || person.deleted || person.bot) return null
  return person.email?.toLowerCase() ?? null
}
