// One telling in Slack: posted once, looked for before it is posted again, or edited into the incident's message.
import { crashpoint } from '../lib/crashpoint.ts'
import { newId } from '../lib/ids.ts'
import { SlackFailure } from '../slack/post.ts'
import type { Announcement, AnnouncementKind } from './announcement.ts'
import { bundledMax, bundleMessage, type ChannelMessage, channelMessage } from './channel.ts'
import type { Delivery, Sent } from './delivery.ts'
import { endWithoutMessage, entryById, firstPostOf, isOvertaken, moveMessage, noMessage } from './edited.ts'
import {
  beginSend,
  type ClaimedEntry,
  claimAlike,
  isInTime,
  type OutboxEntry,
  postedSince,
  settleLater,
  settleSent,
  writeEntry,
} from './outbox.ts'

/** A first post of these kinds can be one of many at once. */
const failingKinds: readonly AnnouncementKind[] = ['initial-failed', 'failed', 'cause-changed', 'revoked']
/** More instances than this failing at once become one message. */
const singleMax = 3
/** Each of them is named: as many as one message shows. More go out in a second one. */
const bundleMax = bundledMax
/** Single messages within this time make a flood; what comes then is gathered for the second time. */
const floodMs = 120_000
const gatherMs = 20_000
/** How far before the first attempt a lost message is looked for: clocks differ. */
const lookBackMs = 60_000
/** An edit looks again whether its message is posted. */
const editWaitMs = 2_000
/** Slack's history may lag behind a post: looked at twice, this far apart. */
const lookAgainMs = 2_000
/** Somebody deleted the message or its thread, or what is in that channel cannot be changed any more. */
const lost =
  /not_found|cant_update|edit_window|cannot_reply|thread_locked|is_archived|is_inactive|not_in_channel/

export async function sendSlack(delivery: Delivery, entry: ClaimedEntry, signal: AbortSignal): Promise<Sent> {
  if (entry.medium === 'slack-edit') return edit(delivery, entry, signal)
  return post(delivery, entry, signal)
}

interface Where {
  threadTs?: string | undefined
  /** The entry whose message was deleted: what is posted now takes its place. */
  insteadOf?: OutboxEntry | undefined
}

async function post(
  delivery: Delivery,
  claimed: ClaimedEntry,
  signal: AbortSignal,
  { threadTs, insteadOf }: Where = {},
): Promise<Sent> {
  if (await isThereAlready(delivery, claimed, { signal, threadTs, insteadOf })) return { kind: 'done' }
  const { db, clock, slack } = delivery
  const entry = await unbundled(delivery, claimed)
  const first = entry.medium === 'slack' && entry.firstSentAt === null
  if (first && failingKinds.includes(entry.announcement.kind)) {
    const gathered = await gather(delivery, entry)
    if (gathered) return gathered
  }
  if (!(await beginSend(db.conn, entry, { firstSentAt: entry.firstSentAt ?? clock.now() })))
    return { kind: 'done' }
  crashpoint('post-begun')
  const message = await messageFor(delivery, entry)
  const thread = threadTs ? { threadTs } : {}
  if (!isInTime(entry)) return { kind: 'done' }
  const { channel, ts } = await slack
    .post({ to: entry.destination, ...message, key: keyOf(entry), ...thread })
    .catch(error => notPosted(delivery, [entry], error))
  crashpoint('post-sent')
  await settlePosted(delivery, entry, { ref: ts, channel, insteadOf })
  return { kind: 'done' }
}

async function settlePosted(
  { db, clock }: Delivery,
  entry: ClaimedEntry,
  { ref, channel, insteadOf }: { ref: string; channel: string; insteadOf: OutboxEntry | undefined },
): Promise<void> {
  await db.transaction(async tx => {
    const settled = await settleSent(tx, entry, { ref, channel, now: clock.now() })
    if (settled && insteadOf) await moveMessage(tx, insteadOf, { ref, channel })
  })
}

/**
 * Failures that come in a flood: those that wait together go out as one message; after a few single ones the next wait a
 * little, so that more can join them. Undefined: this one goes out by itself.
 */
async function gather(delivery: Delivery, entry: ClaimedEntry): Promise<Sent | undefined> {
  const { db, clock, owner } = delivery
  const nowMs = clock.now().getTime()
  const ageMs = nowMs - entry.createdAt.getTime()
  const posted = await postedSince(db.conn, entry, failingKinds, new Date(nowMs - floodMs))
  const flooding = posted.single >= singleMax || posted.bundled > 0
  if (flooding && ageMs < gatherMs) {
    return { kind: 'wait', afterMs: gatherMs - ageMs, reason: 'Several instances fail at once', spent: false }
  }
  const atLeast = flooding ? 1 : singleMax
  const others = await claimAlike(db, { entry, kinds: failingKinds, owner, atLeast, limit: bundleMax - 1 })
  return others.length > 0 ? bundle(delivery, [entry, ...others]) : undefined
}

/** An earlier attempt may have posted it although its answer was lost. */
async function isThereAlready(
  delivery: Delivery,
  entry: ClaimedEntry,
  { signal, threadTs, insteadOf }: { signal: AbortSignal } & Where,
): Promise<boolean> {
  if (entry.firstSentAt === null) return false
  const { clock, slack } = delivery
  const where = {
    to: entry.destination,
    key: keyOf(entry),
    since: new Date(entry.firstSentAt.getTime() - lookBackMs),
    threadTs,
  }
  let found = await slack.find(where)
  if (!found) {
    await clock.sleep(lookAgainMs, signal)
    found = await slack.find(where)
  }
  if (!found) return false
  const bundled = isBundled(entry) ? 'bundle:' : ''
  await settlePosted(delivery, entry, { ref: `${bundled}${found.ts}`, channel: found.channel, insteadOf })
  return true
}

/** It was to go out in a bundle that never reached Slack: by itself it starts anew, or others would find it in their place. */
async function unbundled(delivery: Delivery, entry: ClaimedEntry): Promise<ClaimedEntry> {
  if (!isBundled(entry)) return entry
  const anew = { rendered: null, firstSentAt: null }
  await writeEntry(delivery.db.conn, entry, anew)
  return { ...entry, ...anew }
}

function isBundled(entry: OutboxEntry): boolean {
  return (entry.rendered as { bundle?: string } | null)?.bundle !== undefined
}

/** The key in the message's metadata: the entry's own, or that of the bundle it went out with. */
function keyOf(entry: OutboxEntry): string {
  const bundle = (entry.rendered as { bundle?: string } | null)?.bundle
  return bundle ?? entry.id
}

/** Many instances failed at once: one message for all of them; what follows on each goes into its thread. */
async function bundle(delivery: Delivery, entries: readonly ClaimedEntry[]): Promise<Sent> {
  const { db, clock, slack } = delivery
  const [first] = entries
  if (!first) return { kind: 'done' }
  // A key of the bundle's own: one of its rows that goes out by itself later must not be taken for the bundle.
  const key = newId()
  const held: ClaimedEntry[] = []
  for (const entry of entries) {
    if (await beginSend(db.conn, entry, { firstSentAt: clock.now(), rendered: { bundle: key } }))
      held.push(entry)
    else if (entry === first) return { kind: 'done' }
  }
  crashpoint('bundle-begun')
  const message = bundleMessage(held.map(entry => entry.announcement))
  if (!isInTime(first)) return { kind: 'done' }
  const { channel, ts } = await slack
    .post({ to: first.destination, ...message, key })
    .catch(error => notPosted(delivery, held, error))
  crashpoint('bundle-sent')
  for (const entry of held)
    await settleSent(db.conn, entry, { ref: `bundle:${ts}`, channel, now: clock.now() })
  return { kind: 'done' }
}

/**
 * Slack refused it, so it is nowhere: nothing has to be looked for before the next attempt. The first of the entries is
 * settled by who called; the others of its bundle are given back here.
 */
async function notPosted(
  delivery: Delivery,
  entries: readonly ClaimedEntry[],
  error: unknown,
): Promise<never> {
  if (!(error instanceof SlackFailure) || error.kind === 'ambiguous') throw error
  const { db, clock } = delivery
  for (const [position, entry] of entries.entries()) {
    if (entry.firstSentAt !== null) continue
    await writeEntry(db.conn, entry, { firstSentAt: null, rendered: null })
    if (position === 0) continue
    const dueAt = new Date(clock.now().getTime() + (error.retryAfterMs ?? 0))
    await settleLater(db.conn, entry, { dueAt, reason: `Slack: ${error.code}`, spent: false })
  }
  throw error
}

async function edit(delivery: Delivery, entry: ClaimedEntry, signal: AbortSignal): Promise<Sent> {
  const { db, clock, slack } = delivery
  const first = await messageOf(delivery, entry)
  if (!first || first.state === 'parked') return postInstead(delivery, entry, signal)
  if (first.state !== 'sent')
    return {
      kind: 'wait',
      afterMs: Math.max(editWaitMs, first.dueAt.getTime() - clock.now().getTime()),
      reason: 'The first message is not posted yet',
      spent: false,
    }
  const [ref, channel] = [first.sentRef ?? '', first.sentChannel ?? entry.destination]
  try {
    if (ref.startsWith('bundle:'))
      return await post(delivery, entry, signal, { threadTs: ref.slice('bundle:'.length) })
    if (await isOvertaken(db.conn, entry)) {
      await settleSent(db.conn, entry, { ref, channel, now: clock.now(), reason: 'A later word is there' })
      return { kind: 'done' }
    }
    const message = editedMessage(entry.announcement, first.announcement)
    if (!(await beginSend(db.conn, entry, { firstSentAt: entry.firstSentAt ?? clock.now() })))
      return { kind: 'done' }
    await slack.update({ channel, ts: ref, ...message })
    crashpoint('edit-sent')
  } catch (error) {
    if (error instanceof SlackFailure && error.kind === 'permanent' && lost.test(error.code))
      return postInstead(delivery, entry, signal, first)
    throw error
  }
  await settleSent(db.conn, entry, { ref, channel, now: clock.now() })
  return { kind: 'done' }
}

/** There is no message to edit: the news is posted, and is what later news is put into. */
async function postInstead(
  delivery: Delivery,
  entry: ClaimedEntry,
  signal: AbortSignal,
  insteadOf?: OutboxEntry,
): Promise<Sent> {
  const { kind } = entry.announcement
  // That it is over is posted besides; and a card that nobody sees is not posted to say so.
  if (!isOver(entry) && (kind !== 'held-ended' || insteadOf))
    return post(delivery, entry, signal, { insteadOf })
  const now = delivery.clock.now()
  await settleSent(delivery.db.conn, entry, { ref: '', now, reason: noMessage })
  return { kind: 'done' }
}

/** The end of an incident is told twice: in its message, and as one of its own. */
function isOver({ announcement: { kind } }: Pick<OutboxEntry, 'announcement'>): boolean {
  return kind === 'recovered' || kind === 'instance-deleted'
}

function editedMessage(told: Announcement, failureBefore: Announcement): ChannelMessage {
  return channelMessage(told, { resolved: isOver({ announcement: told }), failureBefore })
}

/** What was parked, and is posted after its end had no message to be put into, says the end. */
async function messageFor({ db }: Delivery, entry: OutboxEntry): Promise<ChannelMessage> {
  const told = entry.announcement
  const end = entry.medium === 'slack' ? await endWithoutMessage(db.conn, entry) : undefined
  return end ? editedMessage(end.announcement, told) : channelMessage(told)
}

/** The entry whose message is edited: the one it names, else its incident's. */
async function messageOf({ db }: Delivery, entry: OutboxEntry): Promise<OutboxEntry | undefined> {
  if (entry.edits !== null) return entryById(db.conn, entry.edits)
  return entry.incidentId === null ? undefined : firstPostOf(db.conn, entry.incidentId)
}
