// A removal, top to bottom: users go in batches, each its own transaction; the end is recorded and told in the last one.
import { removeAccounts, usersOf } from '../accounts/summary.ts'
import { announce, tellAdmins, tellPerson } from '../announce/announce.ts'
import { appendAudit } from '../audit/store.ts'
import { type Conn, isUnreachable, type Tx } from '../db/db.ts'
import { instanceById, lockInstance, moveInstance, recordOutcome } from '../instances/store.ts'
import { crashpoint } from '../lib/crashpoint.ts'
import { idAt, newId } from '../lib/ids.ts'
import { endCard } from './conclude.ts'
import { endHeld, isOpen, lastQuestions } from './held.ts'
import { hostOf, joinLines } from './hosts.ts'
import { showRemoval } from './progress.ts'
import type { Removal } from './removal.ts'
import {
  advanceRemoval,
  claimRemoval,
  giveBackRemoval,
  lockRemoval,
  nextRemovalMs,
  putOffRemoval,
  setRemovalTotal,
} from './removals.ts'
import { nextSyncAt } from './schedule.ts'
import { ClaimLost } from './store.ts'
import { announcementOf } from './told.ts'
import type { Work } from './work.ts'

export interface Remover {
  /** Milliseconds until a removal falls due, or until a dead worker's lease ends. */
  nextDue(): Promise<number | undefined>
  /** Work off every removal that is due; stops between two batches when the signal says so. */
  removeDue(signal: AbortSignal): Promise<void>
}

/** A small one does not wait for the whole of a huge one. */
const removalsAtOnce = 2
/** Accounts deleted in one transaction: short enough to hold up nobody. */
const batchMax = 1_000
/** After so many attempts in a row that removed nobody people hear of it; it goes on being tried. */
const quietAttemptsMax = 8

export function createRemover(work: Work): Remover {
  return {
    nextDue: () => nextRemovalMs(work.db.conn, work.clock.now()),
    async removeDue(signal) {
      const one = async () => {
        while (!signal.aborted) {
          const removal = await claimRemoval(work.db, work.owner, work.clock.now())
          if (!removal) return
          crashpoint('removal-claimed')
          await workOff(work, removal, signal).catch(error => cameToNothing(work, removal, error))
        }
      }
      const all = await Promise.allSettled(Array.from({ length: removalsAtOnce }, one))
      for (const end of all) if (end.status === 'rejected') throw end.reason
    },
  }
}

async function workOff(work: Work, claimed: Removal, signal: AbortSignal): Promise<void> {
  const { conn } = work.db
  if (claimed.attempt > quietAttemptsMax) await sayOfTheDead(work, claimed)
  const removal = claimed.total === null ? await counted(conn, claimed) : claimed
  const instance = await instanceById(conn, removal.instanceId)
  const shown = instance && showRemoval(work, removal, instance)
  try {
    await workBatches(work, removal, { signal, quiet: async () => shown?.stop() })
  } finally {
    await shown?.stop()
  }
}

/** It waits, longer each time. What is thrown here leaves it to its lease. */
async function cameToNothing(work: Work, removal: Removal, error: unknown): Promise<void> {
  const { db, clock, log } = work
  const facts = { removal: removal.id, instance: removal.instanceId }
  if (isUnreachable(error))
    log.warn({ ...facts, reason: String(error) }, 'Postgres went away in a removal, which goes on later')
  else log.error({ ...facts, err: error }, 'A removal failed by our own doing; it is tried again')
  await db.transaction(async tx => {
    const waits = await putOffRemoval(tx, removal, clock.now())
    if (waits && waits.attempt >= quietAttemptsMax) await tellStuck(tx, work, waits)
  })
}

/** The workers before this one may have died, each without a word. */
async function sayOfTheDead(work: Work, removal: Removal): Promise<void> {
  const facts = { removal: removal.id, instance: removal.instanceId, attempt: removal.attempt }
  work.log.warn(facts, 'A removal is begun again after attempts that removed nobody')
  await work.db.transaction(async tx => {
    if (await lockRemoval(tx, removal)) await tellStuck(tx, work, removal)
  })
}

/** Who asked, and the admins; once a removal, however often it is said. Its id is what the log names it by. */
async function tellStuck(tx: Tx, work: Work, removal: Removal): Promise<void> {
  const instance = await instanceById(tx, removal.instanceId)
  if (!instance) return
  const now = work.clock.now()
  const users = (await usersOf(tx, [instance.id])).get(instance.id) ?? 0
  const whole = removal.kind === 'instance'
  const told = {
    users,
    lastSuccessAt: instance.lastSuccessAt,
    next: `saasm goes on trying, once an hour at least, and tells who asked when it is done.${whole ? '' : ' Until then the instance is not synced.'} If that does not help, ask whoever runs saasm to look for the reference in the log.`,
  }
  const by = { at: now, actor: removal.requestedBy }
  const announcement = announcementOf(instance, 'removal-stuck', told, by)
  const message = `saasm has tried ${quietAttemptsMax} times in a row and could not finish. This is not ${announcement.app}’s fault.`
  const failure = { code: 'internal', message, missing: [], reference: removal.id }
  const what = { announcement: { ...announcement, failure }, teamId: instance.teamId }
  const keyFor = (whom: string) => idAt(removal.requestedAt, removal.id, 'stuck', whom)
  const where = { now, ring: work.ring }
  await tellPerson(tx, { ...what, userId: removal.requestedBy, key: keyFor('asker') }, where)
  await tellAdmins(tx, { ...what, key: keyFor('admins') }, where)
}

/** With how many there are to remove, for who watches. */
async function counted(conn: Conn, removal: Removal): Promise<Removal> {
  const total = (await usersOf(conn, [removal.instanceId])).get(removal.instanceId) ?? 0
  await setRemovalTotal(conn, removal, total)
  return { ...removal, total }
}

/** `quiet` is waited for before the batch that ends it. */
async function workBatches(
  work: Work,
  removal: Removal,
  { signal, quiet }: { signal: AbortSignal; quiet: () => Promise<void> },
): Promise<void> {
  let after: string | null = ''
  while (after !== null) {
    if (signal.aborted) return giveBackRemoval(work.db.conn, removal)
    const from: string = after
    after = await work.db
      .transaction(async tx => {
        const batch = { after: from, limit: batchMax }
        const { reported, deleted, last } = await removeAccounts(tx, removal.instanceId, batch)
        crashpoint('batch-removed')
        const done = deleted < batchMax
        // Progress that is just being begun writes into the removal's row, which is locked from here on.
        if (done) await quiet()
        const held = await advanceRemoval(tx, removal, { removed: reported, done, now: work.clock.now() })
        if (!held) throw new ClaimLost()
        if (done) await end(tx, work, held)
        if (done) crashpoint('removal-ended')
        return done ? null : last
      })
      .catch(error => {
        if (error instanceof ClaimLost) return null
        throw error
      })
    crashpoint('batch-committed')
  }
}

async function end(tx: Tx, work: Work, removal: Removal): Promise<void> {
  const now = work.clock.now()
  const whole = removal.kind === 'instance'
  await lockInstance(tx, removal.instanceId)
  const instance = whole
    ? await moveInstance(tx, removal.instanceId, 'deleted', { now })
    : await instanceById(tx, removal.instanceId)
  if (!instance) return
  if (!whole) {
    // The run that was cancelled for this removal may have been the one that would have set the next one's time.
    if (instance.status === 'live' && instance.nextSyncAt === null)
      await recordOutcome(tx, instance.id, { nextSyncAt: nextSyncAt(instance, now) })
    tx.afterCommit(() => work.ring('sync'))
  }
  const news = {
    users: 0,
    lastSuccessAt: instance.lastSuccessAt,
    next: nextOf(removal, instance.status === 'live'),
  }
  const by = { at: now, actor: removal.requestedBy }
  const announcement = {
    ...announcementOf(instance, whole ? 'instance-deleted' : 'users-deleted', news, by),
    removed: removal.removed,
  }
  const where = { channel: work.channel, now, ring: work.ring }
  for (const question of await lastQuestions(tx, instance.id)) {
    await endHeld(tx, question.runId)
    if (isOpen(question)) await endCard(tx, { instance, question, ended: { how: 'deleted' }, now }, work)
  }
  if (whole) await announce(tx, { announcement, instance, incident: 'resolve' }, where)
  const told = { teamId: instance.teamId, userId: removal.requestedBy, edits: removal.progressId }
  await tellPerson(tx, { ...told, announcement, key: newId() }, where)
  await appendAudit(tx, {
    teamId: instance.teamId,
    actor: removal.requestedBy,
    source: 'run',
    action: whole ? 'instance.deleted' : 'users.deleted',
    instance,
    after: { removed: removal.removed },
  })
  // A run that was asked for meanwhile may go on now.
  await joinLines(tx, [hostOf(instance)])
}

function nextOf(removal: Removal, live: boolean): string {
  if (removal.kind === 'instance')
    return 'Connecting the application again makes a new instance and imports all users.'
  return live
    ? 'The instance is Live: the next sync imports its users again.'
    : 'The instance is Inactive and stays empty.'
}
