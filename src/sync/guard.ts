// The guard: whether a run's list is believed, in the transaction that merges it; what it holds back is marked, and asked about once.
import {
  type Counted,
  clearMissing,
  countDisabled,
  countMarked,
  findMissing,
  holdBackDisabled,
  type KeptMark,
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
import { type Held, type HeldQuestion, isOpen, keptIn } from './held.ts'
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
 * Judge what is staged, before the merge; `asked` are the questions that earlier runs have left. A held run's marks are set,
 * and who it found disabled is out of its staging.
 */
export async function judge(
  tx: Tx,
  run: SyncRun,
  instance: Instance,
  {
    staged,
    plan,
    asked,
    end,
    now,
  }: { staged: StagingFor; plan: MergePlan; asked: readonly HeldQuestion[]; end: StreamEnd; now: Date },
): Promise<Verdict> {
  const perhaps = plan.vanished + plan.disabled
  const sizes = { rows: perhaps, of: plan.before }
  const [, newlyDisabled] = await Promise.all([
    plan.disabled > 0 ? joinBySize(tx, sizes) : null,
    plan.disabled > 0 ? countDisabled(tx, instance.id, staged, looksUp(sizes)) : 0,
  ])
  const lost = (end.complete ? plan.vanished : 0) + newlyDisabled
  const open = asked.find(isOpen) ?? null
  const tooMany = (some: number) => isUnbelievable({ before: plan.before, lost: some }, instance)
  const doubted = lost > 0 && (asked.length > 0 || tooMany(lost))
  // What follows may be as many as there are: everybody is read once.
  if (doubted || (lost > 0 && !end.complete)) await joinBySize(tx, { rows: plan.before, of: plan.before })
  const found = doubted ? await lookFor(tx, instance, { staged, asked, whole: end.complete }) : null
  // Whom a person wanted to keep stays, although they may be so few among all by now that nobody would ask.
  if (!found || (!found.kept && !tooMany(found.missing.gone + found.missing.disabled))) {
    // Where nobody was there before, nobody is marked.
    if (end.complete && plan.before > 0) await clearMissing(tx, instance.id, null)
    // A list that is not complete decides nothing: whose change is held back stays as they are.
    else if (!end.complete && lost > 0) await holdBackDisabled(tx, instance.id, staged)
    return { held: null, asks: 'no', voided: open, heldBack: !end.complete && lost > 0 }
  }
  const { missing, same, counted, kept } = found
  // The marks stay where they are for the same set: a directory that does not change writes next to nothing.
  if (!same) await markMissing(tx, instance.id, staged, { ...counted, now })
  const markedBy = same ? same.held.markedBy : run.id
  if (end.complete) await clearMissing(tx, instance.id, markedBy)
  const heldBack = missing.disabled > 0
  if (heldBack) await holdBackDisabled(tx, instance.id, staged)
  const facts = { staged: plan.staged, warnings: end.warnings, app: appOf(instance) }
  const fresh: Held = {
    ...freshly(missing, { of: plan.before, markedBy, now, why: whyHeld(run, { ...facts, ...missing }) }),
    ...(end.complete ? {} : { partial: true }),
    ...(kept && missing.keptUntil ? { keptUntil: missing.keptUntil } : {}),
  }
  if (!same) return { held: fresh, asks: 'anew', voided: open, heldBack }
  const { askedAt, decision, card } = same.held
  if (decision) return { held: { ...fresh, card, askedAt, decision }, asks: 'no', voided: open, heldBack }
  if (open !== same) return { held: fresh, asks: 'anew', voided: open, heldBack }
  return { held: { ...fresh, card, askedAt }, asks: 'still', voided: null, heldBack }
}

interface Found {
  missing: Missing
  /** The question about this very set. */
  same: HeldQuestion | undefined
  /** Somebody of it was kept by a decision: it is held back, however small. */
  kept: boolean
  /** As they are to be marked. */
  counted: Counted & { kept: readonly KeptMark[] }
}

/** Whom the run would take away, and what is known of them; null: nobody who is not kept already. */
async function lookFor(
  tx: Tx,
  instance: Instance,
  of: { staged: StagingFor; asked: readonly HeldQuestion[]; whole: boolean },
): Promise<Found | null> {
  const { staged, asked, whole } = of
  const counted = { vanished: whole, kept: asked.length > 0 ? await keptIn(tx, instance.id) : [] }
  const missing = await findMissing(tx, instance.id, staged, counted)
  const same = await sameSet(tx, missing, asked)
  if (same || whole || missing.kept === 0) return { missing, same, kept: missing.kept > 0, counted }
  // A list that is not complete asks about nobody who is kept, and leaves them marked as they are.
  if (missing.kept === missing.gone + missing.disabled) return null
  const others = { ...counted, butKept: true }
  const rest = await findMissing(tx, instance.id, staged, others)
  return { missing: rest, same: await sameSet(tx, rest, asked), kept: false, counted: others }
}

/** Only while its marks stand: whose removal was allowed, or who was deleted, has been back meanwhile. */
async function sameSet(
  tx: Tx,
  { gone, disabled, hash }: Missing,
  asked: readonly HeldQuestion[],
): Promise<HeldQuestion | undefined> {
  for (const question of asked) {
    const { instanceId, held } = question
    if (held.hash === hash && (await countMarked(tx, instanceId, held.markedBy)) === gone + disabled)
      return question
  }
  return undefined
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
