// The end of a run, in one transaction: the merge or the failure, the instance's state, the audit row, the tellings.
import { clearMissing, type Missing, markMissing } from '../accounts/held.ts'
import { mergeStaged } from '../accounts/merge.ts'
import { arePagesWhole, clearStaging } from '../accounts/pages.ts'
import { planMerge } from '../accounts/plan.ts'
import { usersOf } from '../accounts/summary.ts'
import { announce, tellPerson } from '../announce/announce.ts'
import type { Announcement, AnnouncementKind } from '../announce/announcement.ts'
import { appendAudit } from '../audit/store.ts'
import type { StreamEnd } from '../connectors/engine.ts'
import { connectorById } from '../connectors/registry.ts'
import type { Db, Tx } from '../db/db.ts'
import type { Instance } from '../instances/instance.ts'
import { lockInstance, moveInstance, recordOutcome } from '../instances/store.ts'
import { crashpoint } from '../lib/crashpoint.ts'
import { newId } from '../lib/ids.ts'
import { count } from '../lib/text.ts'
import { lastHeldHash } from './held.ts'
import {
  type Fault,
  failureKind,
  heldSteps,
  isUnbelievable,
  nextSteps,
  nextSync,
  revokes,
} from './outcome.ts'
import type { RunState, SyncRun } from './run.ts'
import { nextSyncAt } from './schedule.ts'
import { ClaimLost, holdRun, openRemovalOf, StagingLost, settleRun } from './store.ts'
import type { Work } from './work.ts'

type Told = Pick<Announcement, 'failure' | 'counts' | 'warnings' | 'held'> & {
  next: string
  lastSuccessAt: Date | null
  users: number
}

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
  end: StreamEnd & { problems: number; staged: number },
  load?: { tx: Tx; people: number },
): Promise<void> {
  const now = work.clock.now()
  const transaction: Db['transaction'] = load ? merge => merge(load.tx) : work.db.transaction
  await transaction(
    async tx => {
      const instance = await stillTheSame(tx, run, before, now)
      if (!instance && load) throw new LoadVoid()
      if (!instance) return
      const staged = { runId: run.id, fence: run.fence, ...(load ? { loaded: load.people } : {}) }
      if (!load && !(await arePagesWhole(tx, staged, end.staged))) throw new StagingLost()
      const plan = await planMerge(tx, instance.id, staged)
      const held = end.complete && isUnbelievable(plan)
      if (end.complete) await clearMissing(tx, instance.id)
      const missing = held ? await markMissing(tx, instance.id, staged) : null
      const asked = held ? await lastHeldHash(tx, instance.id) : undefined
      const counts = await mergeStaged(tx, instance.id, staged, {
        now,
        removals: end.complete && !held ? 'apply' : 'keep',
        plan,
      })
      crashpoint('merge-done')
      const state: RunState = held ? 'held' : end.complete ? 'succeeded' : 'partial'
      const warnings = warningsOf(end, held ? plan : null)
      const question = missing && { count: missing.count, of: plan.before, hash: missing.hash }
      const settled = await settleRun(tx, run, state, { ...counts, warnings, endedAt: now, held: question })
      if (!settled) throw new ClaimLost()
      crashpoint('run-settled')
      await recordOutcome(tx, instance.id, {
        lastOutcome: state,
        lastFaultCode: null,
        lastSuccessAt: now,
        nextSyncAt: nextSyncAt(instance, now),
      })
      const users = plan.before + counts.added - counts.removed
      const told = { counts, warnings, users, lastSuccessAt: now, next: nextSync(instance) }
      const kind = successKind(instance)
      if (kind) await tell(tx, work, instance, kind, told)
      // The same people missing again are not asked about again.
      if (missing && (instance.lastOutcome !== 'held' || asked !== missing.hash)) {
        await tell(tx, work, instance, 'held', {
          ...told,
          next: heldSteps,
          held: heldOf(run, plan.before, missing),
        })
      }
      await tellAsker(tx, work, run, instance, told)
    },
    { patient: true },
  )
}

function heldOf(run: SyncRun, of: number, missing: Missing): NonNullable<Announcement['held']> {
  return { runId: run.id, count: missing.count, of, names: missing.names }
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
    const instance = await stillTheSame(tx, run, before, now)
    if (!instance) return
    if (!(await settleRun(tx, run, 'failed', { fault, endedAt: now }))) throw new ClaimLost()
    crashpoint('failure-settled')
    const kind = failureKind(instance, fault)
    const reason = revokes(fault)
    await recordOutcome(tx, instance.id, {
      lastOutcome: 'failed',
      lastFaultCode: fault.code,
      nextSyncAt: reason ? null : nextSyncAt(instance, now),
    })
    if (reason)
      await moveInstance(tx, instance.id, 'inactive', {
        now,
        inactivation: { reason, detail: fault.message, by: null },
      })
    const users = (await usersOf(tx, [instance.id])).get(instance.id) ?? 0
    const failure = {
      code: fault.code,
      message: fault.message,
      missing: fault.missing,
      reference: fault.reference,
    }
    const told = { failure, users, lastSuccessAt: instance.lastSuccessAt, next: nextSteps(instance, fault) }
    if (kind) await tell(tx, work, instance, kind, told)
    await tellAsker(tx, work, run, instance, told)
  })
}

/**
 * The instance, locked, if it still is what the run began with; else the run is cancelled and its staging dropped. A run
 * whose claim was lost is somebody else's: it gets nothing.
 */
async function stillTheSame(
  tx: Tx,
  run: SyncRun,
  before: Instance,
  now: Date,
): Promise<Instance | undefined> {
  const instance = await lockInstance(tx, before.id)
  // Holding locks the run's row: nobody takes it over before this transaction ends.
  const held = await holdRun(tx, run)
  const same = held && instance?.status === 'live' && instance.generation === before.generation
  // Users that are being removed may not come back in the middle of it.
  if (same && !(await openRemovalOf(tx, before.id))) return instance
  await settleRun(tx, run, 'cancelled', { endedAt: now })
  await clearStaging(tx, { runId: run.id, fence: run.fence })
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
): Promise<void> {
  const now = work.clock.now()
  const announcement = announcementOf(instance, kind, told, { at: now, actor: null })
  // A revoked token goes on with the incident that is open, or opens one.
  const incident = kind === 'revoked' ? 'continue' : (incidentOf[kind] ?? 'none')
  await announce(tx, { announcement, instance, incident }, { channel: work.channel, now, ring: work.ring })
  await appendAudit(tx, {
    teamId: instance.teamId,
    actor: 'saasm',
    source: 'run',
    action: kind === 'revoked' ? 'instance.revoked' : `sync.${kind}`,
    instance,
    before: { outcome: instance.lastOutcome, status: instance.status },
    after: {
      ...(told.failure ? { failure: told.failure } : {}),
      ...(told.counts ? { counts: told.counts } : {}),
      users: told.users,
    },
  })
}

/** Who pressed Sync now hears the end, whatever it is. */
async function tellAsker(tx: Tx, work: Work, run: SyncRun, instance: Instance, told: Told): Promise<void> {
  if (run.trigger !== 'manual' || run.requestedBy === null) return
  const now = work.clock.now()
  const announcement = announcementOf(instance, 'run-ended', told, { at: now, actor: run.requestedBy })
  const what = { announcement, teamId: instance.teamId, userId: run.requestedBy, key: newId() }
  await tellPerson(tx, what, { now, ring: work.ring })
}

/** An announcement of this instance as it is now. */
export function announcementOf(
  instance: Instance,
  kind: AnnouncementKind,
  told: Told,
  by: { at: Date; actor: string | null },
): Announcement {
  return {
    kind,
    instanceId: instance.id,
    instanceName: instance.name,
    app: connectorById(instance.connector)?.name ?? instance.connector,
    at: by.at.toISOString(),
    actor: by.actor,
    lastSuccessAt: told.lastSuccessAt?.toISOString() ?? null,
    users: told.users,
    next: told.next,
    ...(told.failure ? { failure: told.failure } : {}),
    ...(told.counts ? { counts: told.counts } : {}),
    ...(told.warnings && told.warnings.length > 0 ? { warnings: told.warnings } : {}),
    ...(told.held ? { held: told.held } : {}),
  }
}

function warningsOf(
  end: StreamEnd & { problems: number },
  held: { before: number; vanished: number } | null,
): string[] {
  const warnings = [...end.warnings]
  if (end.problems > 0) {
    warnings.push(`${count(end.problems, 'row', 'rows')} could not be read. Nobody was removed in this sync.`)
  }
  if (held) {
    warnings.push(
      `${count(held.vanished, 'person', 'people')} of ${held.before} were missing. That is too many to believe, so nobody was removed.`,
    )
  }
  return warnings
}
