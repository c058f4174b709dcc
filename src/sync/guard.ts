// The guard: whether a run's list is believed, in the transaction that merges it; what it holds back is marked, and asked about once.
import {
  clearMissing,
  countDisabled,
  countMarked,
  findMissing,
  holdBackDisabled,
  type Missing,
  markMissing,
} from '../accounts/held.ts'
import { joinBySize, looksUp, type MergePlan } from '../accounts/plan.ts'
import type { StagingFor } from '../accounts/stage.ts'
import type { StreamEnd } from '../connectors/engine.ts'
import { connectorById } from '../connectors/registry.ts'
import type { Tx } from '../db/db.ts'
import type { Instance } from '../instances/instance.ts'
import { newId } from '../lib/ids.ts'
import { type Held, type HeldQuestion, isOpen } from './held.ts'
import { isUnbelievable, whyHeld } from './outcome.ts'
import type { SyncRun } from './run.ts'

export interface Verdict {
  /** What is held back; null: the run is believed. */
  held: Held | null
  /** Of a held run: a new question, the card of an open one goes on, or a person has decided on this very set. */
  asks: 'anew' | 'still' | 'no'
  /** The open question before this run that is void now. */
  voided: HeldQuestion | null
  /** Somebody whom it found disabled is out of its staging, and stays as they were. */
  heldBack: boolean
}

/**
 * Judge what is staged, before the merge; `last` is the instance's last question. A held run's marks are set, and who it
 * found disabled is out of its staging.
 */
export async function judge(
  tx: Tx,
  run: SyncRun,
  instance: Instance,
  {
    staged,
    plan,
    last,
    end,
    now,
  }: { staged: StagingFor; plan: MergePlan; last: HeldQuestion | undefined; end: StreamEnd; now: Date },
): Promise<Verdict> {
  const counted = { vanished: end.complete }
  const perhaps = plan.vanished + plan.disabled
  const sizes = { rows: perhaps, of: plan.before }
  const [, newlyDisabled] = await Promise.all([
    plan.disabled > 0 ? joinBySize(tx, sizes) : null,
    plan.disabled > 0 ? countDisabled(tx, instance.id, staged, looksUp(sizes)) : 0,
  ])
  const lost = (end.complete ? plan.vanished : 0) + newlyDisabled
  const open = isOpen(last) ? last : null
  const held = last?.held
  const doubted = lost > 0 && (held !== undefined || isUnbelievable({ before: plan.before, lost }, instance))
  // What follows may be as many as there are: everybody is read once.
  if (doubted || (lost > 0 && !end.complete)) await joinBySize(tx, { rows: plan.before, of: plan.before })
  const missing = doubted ? await findMissing(tx, instance.id, staged, counted) : null
  // Only while its marks stand: whose removal was allowed, or who was deleted, has been back meanwhile.
  const same =
    missing &&
    held?.hash === missing.hash &&
    (await countMarked(tx, instance.id, held.markedBy)) === missing.gone + missing.disabled
  const believed = !isUnbelievable({ before: plan.before, lost }, instance)
  // Whom a person wanted to keep stays, although there may be so many others by now that nobody would ask.
  if (!missing || (believed && !(same && held.decision))) {
    // Where nobody was there before, nobody is marked.
    if (end.complete && plan.before > 0) await clearMissing(tx, instance.id, null)
    // A list that is not complete decides nothing: whose change is held back stays as they are.
    else if (!end.complete && lost > 0) await holdBackDisabled(tx, instance.id, staged)
    return { held: null, asks: 'no', voided: open, heldBack: !end.complete && lost > 0 }
  }
  // The marks stay where they are for the same set: a directory that does not change writes next to nothing.
  if (!same) await markMissing(tx, instance.id, staged, { ...counted, now })
  const markedBy = same ? held.markedBy : run.id
  if (end.complete) await clearMissing(tx, instance.id, markedBy)
  const heldBack = missing.disabled > 0
  if (heldBack) await holdBackDisabled(tx, instance.id, staged)
  const facts = { staged: plan.staged, warnings: end.warnings, app: appOf(instance) }
  const fresh = freshly(missing, {
    of: plan.before,
    markedBy,
    now,
    why: whyHeld(run, { ...facts, ...missing }),
  })
  if (!same) return { held: fresh, asks: 'anew', voided: open, heldBack }
  const { askedAt, decision } = held
  if (decision)
    return { held: { ...fresh, card: held.card, askedAt, decision }, asks: 'no', voided: null, heldBack }
  if (!open) return { held: fresh, asks: 'anew', voided: null, heldBack }
  return { held: { ...fresh, card: held.card, askedAt }, asks: 'still', voided: null, heldBack }
}

function freshly(
  { gone, disabled, hash, names }: Missing,
  more: { of: number; markedBy: string; now: Date; why: string[] },
): Held {
  const { of, markedBy, now, why } = more
  return { gone, disabled, of, hash, names, markedBy, why, card: newId(), askedAt: now.toISOString() }
}

function appOf(instance: Instance): string {
  return connectorById(instance.connector)?.name ?? instance.connector
}
