// The end of a run, in one transaction: the merge or the failure, the instance's state, the audit row, the tellings.
import { keepLesson, type Written, writtenOf } from '../accounts/lesson.ts'
import { mergeStaged } from '../accounts/merge.ts'
import { clearStaging } from '../accounts/pages.ts'
import { planMerge } from '../accounts/plan.ts'
import { usersOf } from '../accounts/summary.ts'
import { amend, announce } from '../announce/announce.ts'
import type { AnnouncementKind, HeldEnd, HeldNews } from '../announce/announcement.ts'
import type { IncidentStep } from '../announce/incident.ts'
import { appendAudit } from '../audit/store.ts'
import type { Db, Tx } from '../db/db.ts'
import type { Instance } from '../instances/instance.ts'
import { lockInstance, moveInstance, recordOutcome } from '../instances/store.ts'
import type { Ring } from '../jobs/jobs.ts'
import { crashpoint } from '../lib/crashpoint.ts'
import { count } from '../lib/text.ts'
import { handOn, tellAskers } from './askers.ts'
import { judge, type Verdict } from './guard.ts'
import { type Held, type HeldQuestion, lastQuestions } from './held.ts'
import { type Ending, type Fault, failureKind, heldSteps, nextSteps, nextSync, revokes } from './outcome.ts'
import { openRemovalOf } from './removals.ts'
import type { RunState, SyncRun } from './run.ts'
import { nextSyncAt } from './schedule.ts'
import { ClaimLost, holdRun, StagingLost, settleRun } from './store.ts'
import { announcementOf, type Told } from './told.ts'
import type { Work } from './work.ts'

/** A first load is void: the instance is another one by now. Its transaction must be rolled back. */
export class LoadVoid extends Error {}

/**
 * The stream ended by itself: merge, unless the instance is another one by now. A first load has put everybody in already,
 * in its own transaction. Throws LoadVoid.
 */
export async function conclude(
  work: Work,
  run: SyncRun,
  before: Instance,
  end: Ending,
  load?: { tx: Tx; people: number; written: Written },
): Promise<void> {
  const now = work.clock.now()
  const transaction: Db['transaction'] = load ? merge => merge(load.tx) : work.db.transaction
  await transaction(
    async tx => {
      const staged = { runId: run.id, fence: run.fence, ...(load ? { loaded: load.people } : {}) }
      const locked = await lockInstance(tx, before.id)
      const [instance, asked, plan] = await Promise.all([
        stillTheSame(tx, work, run, { before, locked }),
        lastQuestions(tx, before.id),
        planMerge(tx, before.id, staged),
      ])
      if (!instance && load) throw new LoadVoid()
      if (!instance) return
      if (plan.pages !== end.staged) throw new StagingLost()
      const verdict = await judge(tx, run, instance, { staged, plan, asked, end, now })
      const { held, heldBack } = verdict
      const twice = plan.listed > plan.staged
      const asListed = twice ? 'unknown' : heldBack ? 'same' : 'all'
      const removals = end.complete && !held ? 'apply' : 'keep'
      const [counts, written] = await Promise.all([
        mergeStaged(tx, instance.id, staged, { now, removals, plan, from: end.lesson.from }),
        load?.written ?? writtenOf(end.lesson, asListed),
      ])
      crashpoint('merge-done')
      const state: RunState = held ? 'held' : end.complete ? 'succeeded' : 'partial'
      const { pages, peopleRead } = end
      const warnings = warningsOf(end, held)
      const users = plan.before + counts.added - counts.removed
      const [settled] = await Promise.all([
        settleRun(tx, run, state, { ...counts, pages, peopleRead, warnings, endedAt: now, held }),
        recordOutcome(tx, instance.id, {
          lastOutcome: state,
          lastFaultCode: null,
          lastSuccessAt: now,
          nextSyncAt: disabledMeanwhile(run, asked) ? now : nextSyncAt(instance, now),
        }),
        keepLesson(tx, instance.id, end.lesson, { by: run.id, reported: users, written }),
      ])
      if (!settled) throw new ClaimLost()
      crashpoint('run-settled')
      const told = { counts, warnings, users, lastSuccessAt: now, next: nextSync(instance) }
      const kind = successKind(instance)
      if (kind) await tell(tx, work, instance, kind, told)
      await ask(tx, work, run, instance, { verdict, told })
      await tellAskers(tx, { now, ring: work.ring }, settled, instance, told)
    },
    { patient: true },
  )
}

/** The question of a held run: asked anew, or its card goes on; an older one that is void now loses its buttons. */
async function ask(
  tx: Tx,
  work: Work,
  run: SyncRun,
  instance: Instance,
  { verdict, told }: { verdict: Verdict; told: Told },
): Promise<void> {
  const { held, asks, voided } = verdict
  const now = work.clock.now()
  if (voided) await endCard(tx, { instance, question: voided, ended: { how: 'void' }, now }, work)
  if (!held || asks === 'no') return
  const news = {
    ...told,
    next: heldSteps(instance, held.keptUntil !== undefined),
    held: newsOf(run.id, held, asks === 'still'),
  }
  if (asks === 'anew') await tell(tx, work, instance, 'held', news, held.card ?? undefined)
  else if (held.card) {
    const announcement = announcementOf(instance, 'held', news, { at: now, actor: null })
    await amend(
      tx,
      { announcement, instance, card: held.card },
      { channel: work.channel, now, ring: work.ring },
    )
  }
}

/** What a card says of a held removal. */
export function newsOf(runId: string, held: Held, again = false): HeldNews {
  const { gone, disabled, of, names, why, askedAt } = held
  return { runId, gone, disabled, of, names, why, ...(again ? { askedAt } : {}) }
}

/** The card of a question says how it ended, and asks no more. */
export async function endCard(
  tx: Tx,
  what: { instance: Instance; question: HeldQuestion; ended: HeldEnd; now: Date },
  where: { channel: string | null; ring: Ring },
): Promise<void> {
  const { instance, question, ended, now } = what
  if (!question.held.card) return
  const held = { ...newsOf(question.runId, question.held), ended }
  const told = { users: 0, lastSuccessAt: instance.lastSuccessAt, next: '', held }
  const announcement = announcementOf(instance, 'held-ended', told, { at: now, actor: null })
  await amend(tx, { announcement, instance, card: question.held.card }, { ...where, now })
}

/** The run failed for good: say so once a cause, and make the instance Inactive when only a person can mend it. */
export async function concludeFailure(
  work: Work,
  run: SyncRun,
  before: Instance,
  fault: Fault,
): Promise<void> {
  const now = work.clock.now()
  await work.db.transaction(async tx => {
    const locked = await lockInstance(tx, before.id)
    const instance = await stillTheSame(tx, work, run, { before, locked })
    if (!instance) return
    const reason = revokes(fault)
    const [settled] = await Promise.all([
      settleRun(tx, run, 'failed', { fault, endedAt: now }),
      recordOutcome(tx, instance.id, {
        lastOutcome: 'failed',
        lastFaultCode: fault.code,
        nextSyncAt: reason ? null : nextSyncAt(instance, now),
      }),
    ])
    if (!settled) throw new ClaimLost()
    crashpoint('failure-settled')
    const kind = failureKind(instance, fault)
    if (reason)
      await moveInstance(tx, instance.id, 'inactive', {
        now,
        inactivation: { reason, detail: fault.message, by: null },
      })
    const users = (await usersOf(tx, [instance.id])).get(instance.id) ?? 0
    const { code, message, missing, reference } = fault
    const failure = { code, message, missing, reference }
    const told: Told = {
      ...{ failure, users, lastSuccessAt: instance.lastSuccessAt, next: nextSteps(instance, fault) },
      ...(reason ? { notLive: true } : {}),
    }
    if (kind) await tell(tx, work, instance, kind, told)
    await tellAskers(tx, { now, ring: work.ring }, settled, instance, told)
  })
}

/**
 * The locked instance, if it still is what the run began with; else the run is cancelled and its staging dropped. A run
 * whose claim was lost is somebody else's: it gets nothing.
 */
async function stillTheSame(
  tx: Tx,
  work: Work,
  run: SyncRun,
  { before, locked: instance }: { before: Instance; locked: Instance | undefined },
): Promise<Instance | undefined> {
  const [held, removal] = await Promise.all([
    // Holding locks the run's row: nobody takes it over before this transaction ends.
    holdRun(tx, run),
    // Users that are being removed may not come back in the middle of it.
    openRemovalOf(tx, before.id),
  ])
  const same = held && instance?.status === 'live' && instance.generation === before.generation
  if (same && !removal) return instance
  const now = work.clock.now()
  const cancelled = await settleRun(tx, run, 'cancelled', { endedAt: now })
  await clearStaging(tx, { runId: run.id, fence: run.fence })
  if (cancelled && instance) {
    const why = removal
      ? 'Its users are being removed'
      : `The instance was ${instance.status === 'inactive' ? 'set Inactive' : 'changed'} meanwhile`
    const because = `${why}, so what had been read was not used.`
    await handOn(tx, { now, ring: work.ring }, cancelled, instance, because)
  }
  return undefined
}

function successKind(instance: Instance): AnnouncementKind | null {
  if (instance.lastOutcome === 'never') return 'initial-succeeded'
  return instance.lastOutcome === 'failed' ? 'recovered' : null
}

const incidentOf: Partial<Record<AnnouncementKind, 'open' | 'continue' | 'resolve'>> = {
  'initial-failed': 'open',
  failed: 'open',
  'cause-changed': 'continue',
  recovered: 'resolve',
}

async function tell(
  tx: Tx,
  work: Work,
  instance: Instance,
  kind: AnnouncementKind,
  told: Told,
  card?: string,
): Promise<void> {
  const now = work.clock.now()
  const announcement = announcementOf(instance, kind, told, { at: now, actor: null })
  // A revoked token goes on with the incident that is open, or opens one.
  const incident: IncidentStep = kind === 'revoked' ? 'continue' : (incidentOf[kind] ?? 'none')
  const what = { announcement, instance, incident, card }
  const { failure, counts, users } = told
  await Promise.all([
    announce(tx, what, { channel: work.channel, now, ring: work.ring }),
    appendAudit(tx, {
      teamId: instance.teamId,
      actor: 'saasm',
      source: 'run',
      action: kind === 'revoked' ? 'instance.revoked' : `sync.${kind}`,
      instance,
      before: { outcome: instance.lastOutcome, status: instance.status },
      after: { ...(failure ? { failure } : {}), ...(counts ? { counts } : {}), users },
    }),
  ])
}

/**
 * A person allowed that some are reported as disabled after this run had compared them: as it found them active, if so, they
 * were as known, and it has not written them. The next one does.
 */
function disabledMeanwhile({ startedAt }: SyncRun, asked: readonly HeldQuestion[]): boolean {
  return asked.some(({ held: { decision } }) => {
    const disabled = decision?.released?.disabled ?? 0
    return disabled > 0 && startedAt !== null && new Date(decision?.at ?? 0) >= startedAt
  })
}

function warningsOf(end: Ending, held: Held | null): string[] {
  const warnings = [...end.warnings]
  if (end.problems > 0) {
    warnings.push(`${count(end.problems, 'row', 'rows')} could not be read. Nobody was removed in this sync.`)
  }
  if (!held) return warnings
  const kept = held.decision?.what === 'kept'
  const some = (n: number) =>
    `${count(n, 'person', 'people')} of ${held.of.toLocaleString('en-US')} ${n === 1 ? 'was' : 'were'}`
  if (held.gone > 0) {
    const so = kept
      ? '; they are kept, as was decided.'
      : '. saasm holds that back, so this sync removed nobody.'
    warnings.push(`${some(held.gone)} missing${so}`)
  }
  if (held.disabled > 0) {
    const so = kept ? '; they are kept as they were, as was decided.' : '. That is held back, too.'
    warnings.push(`${some(held.disabled)} suspended or deactivated${so}`)
  }
  return warnings
}
