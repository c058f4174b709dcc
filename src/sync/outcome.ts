// Outcome: how a run ended, and, for a failure, who must act, what people are told and what saasm does next.
import type { Lesson } from '../accounts/lesson.ts'
import type { AnnouncementKind } from '../announce/announcement.ts'
import type { StreamEnd } from '../connectors/engine.ts'
import { ProviderError, type ProviderProblem } from '../connectors/errors.ts'
import type { InactiveReason, Instance } from '../instances/instance.ts'
import { KeyMissing, SealBroken } from '../instances/seal.ts'
import { newReference } from '../lib/ids.ts'
import { cleanText, count } from '../lib/text.ts'
import type { SyncRun } from './run.ts'

/** What the stream had to say at its end, and what was read. */
export interface Ending extends StreamEnd {
  /** Rows that could not be read. */
  problems: number
  /** Pages of the vendor, and people on them. */
  pages: number
  peopleRead: number
  /** Pages in staging. */
  staged: number
  lesson: Lesson
}

/** `key`: who runs saasm must act; `sealed`: the admin gives the credentials anew; `internal`: we do. */
type FaultOfOurs = 'internal' | 'key' | 'sealed'

export interface Fault {
  /** What makes two failures the same one: `credentials`, `permission:a,b`, `busy`, … */
  code: string
  problem: ProviderProblem | FaultOfOurs
  /** For people: what happened. */
  message: string
  /** For the log. */
  detail: string
  missing: string[]
  /** A reference shown to the person and logged with the cause. */
  reference: string
}

/** Above both a removal is not believed; set in Edit Instance. */
export type Thresholds = Pick<Instance, 'removalPeopleMax' | 'removalPercentMax'>

/** Is it too large to believe that `lost` of `before` people are gone or disabled? Everyone always is. */
export function isUnbelievable(lost: { before: number; lost: number }, thresholds: Thresholds): boolean {
  if (lost.lost === 0) return false
  if (lost.lost >= lost.before) return true
  const share = (lost.before * thresholds.removalPercentMax) / 100
  return lost.lost > Math.max(thresholds.removalPeopleMax, share)
}

const detailMax = 1_000

/** What a thrown error means. */
export function faultOf(error: unknown, app: string): Fault {
  const reference = newReference()
  if (!(error instanceof ProviderError)) return faultOfOurs(error, app, reference)
  const missing = [...error.missing]
  return {
    code:
      error.problem === 'permission' && missing.length > 0
        ? `permission:${missing.toSorted().join(',')}`
        : error.problem,
    problem: error.problem,
    message: error.message,
    detail: error.detail,
    missing,
    reference,
  }
}

function faultOfOurs(error: unknown, app: string, reference: string): Fault {
  const fault = (problem: FaultOfOurs, message: string): Fault => {
    // It may quote what a vendor sent: U+0000 in it would keep the failure itself from being written.
    const told = error instanceof Error ? `${error.name}: ${error.message}` : String(error)
    const detail = cleanText(told, detailMax)
    return { code: problem, problem, message, detail, missing: [], reference }
  }
  if (error instanceof KeyMissing)
    return fault(
      'key',
      `The ${app} credentials need a key that saasm was not started with. Who runs saasm puts key ${error.keyId} back into SAASM_SECRET_KEY.`,
    )
  if (error instanceof SealBroken)
    return fault('sealed', `The stored ${app} credentials cannot be opened. Give them anew in Edit Instance.`)
  return fault(
    'internal',
    `saasm could not finish the sync. This is not ${app}’s fault; it is logged as ${reference}.`,
  )
}

/** Dead credentials and a missing permission make an instance Inactive; nothing else ever does. */
export function revokes(fault: Fault): InactiveReason | null {
  if (fault.problem === 'credentials') return 'token_inactive'
  if (fault.problem === 'permission') return 'insufficient_permissions'
  return null
}

/** What a failure is worth telling; null: the same cause was told before. */
export function failureKind(
  instance: Pick<Instance, 'lastOutcome' | 'lastFaultCode'>,
  fault: Fault,
): AnnouncementKind | null {
  if (revokes(fault)) return 'revoked'
  if (instance.lastOutcome === 'never') return 'initial-failed'
  if (instance.lastOutcome !== 'failed') return 'failed'
  return instance.lastFaultCode === fault.code ? null : 'cause-changed'
}

/** What saasm does next after a failure, for people. */
export function nextSteps(instance: Pick<Instance, 'scheduleHours'>, fault: Fault): string {
  if (revokes(fault)) {
    const mend = fault.problem === 'permission' ? 'Grant the permission' : 'Give it a token that works'
    return `saasm has stopped syncing and keeps the users as they are. ${mend} and set it Live again.`
  }
  const again = `saasm tries again in ${count(instance.scheduleHours, 'hour', 'hours')}`
  if (fault.problem === 'settings') return `${again}; it cannot succeed before the settings are mended.`
  if (fault.problem === 'key') return `${again}; it cannot succeed before the key is back.`
  if (fault.problem === 'sealed') return `${again}; it cannot succeed before the credentials are given anew.`
  return `${again}.`
}

/** What saasm holds back, with the thresholds of this instance. */
export function thresholdsText({ removalPeopleMax, removalPercentMax }: Thresholds): string {
  return `a removal of everybody, or of more than ${count(removalPeopleMax, 'person', 'people')} and ${removalPercentMax} %`
}

/** What can be done about a held removal. */
/** `kept`: somebody of them was kept by a decision before. */
export function heldSteps(thresholds: Thresholds, kept: boolean): string {
  const why = kept
    ? 'saasm asks before it removes anybody who was kept'
    : `saasm holds back ${thresholdsText(thresholds)} (set in Edit Instance)`
  return `${why}. Choose “Allow this once” if it is a real clean-up, “Keep users” if not. Additions and changes are in; a later sync asks again only if they are not the same people.`
}

/** Why so many may be gone: what this run knows first, then what it cannot know. */
export function whyHeld(
  run: Pick<SyncRun, 'trigger'>,
  facts: {
    app: string
    staged: number
    gone: number
    disabled: number
    kept: number
    warnings: readonly string[]
  },
): string[] {
  const { app, staged, gone, disabled, kept, warnings } = facts
  const fresh = run.trigger === 'edited' || run.trigger === 'reactivated'
  return [
    ...(kept > 0
      ? [
          `${count(kept, 'person', 'people')} of them ${kept === 1 ? 'was' : 'were'} kept by a decision before.`,
        ]
      : []),
    ...(staged === 0
      ? [`${app} listed nobody at all, which an outage or a token that sees nobody explains.`]
      : []),
    ...(fresh
      ? ['Its credentials or settings were changed before this sync: they may see fewer people.']
      : []),
    ...(warnings.length > 0 ? [`This sync also says: ${warnings.slice(0, 3).join(' ')}`] : []),
    ...(disabled > gone
      ? ['So many may have been disabled by mistake, or by a rule in the application.']
      : []),
    'A permission or a filter may hide them, the application may have had an outage, or somebody cleaned up.',
  ]
}

/** `next` of good news. */
export function nextSync(instance: Pick<Instance, 'scheduleHours'>): string {
  return `The next sync is in ${count(instance.scheduleHours, 'hour', 'hours')}.`
}
