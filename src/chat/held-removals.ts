// Held removals: Allow this once or Keep users, for the set of people that one run did not find; void when a newer run has ended.
import { releaseMissing } from '../accounts/held.ts'
import { releasedText } from '../announce/words.ts'
import { appendAudit } from '../audit/store.ts'
import type { Tx } from '../db/db.ts'
import type { Instance } from '../instances/instance.ts'
import { findInstance, lockInstance, recordOutcome } from '../instances/store.ts'
import { count } from '../lib/text.ts'
import { escapeText } from '../slack/blocks.ts'
import { noticeView } from '../slack/modal.ts'
import type { ActionTurn } from '../slack/turn.ts'
import { endCard } from '../sync/conclude.ts'
import { decideHeld, type HeldQuestion, heldQuestion } from '../sync/held.ts'
import { openRemovalOf } from '../sync/removals.ts'
import { redrawBelow } from './edit-below.ts'
import type { ActionRule, Gesture, House } from './gesture.ts'
import { sendHeldList } from './held-list.ts'
import { reviewRule } from './held-review.ts'

export const heldRemovalsGesture: Gesture = {
  actions: {
    'held-allow': { role: 'admin', about: asking, run: deciding('allowed') },
    'held-keep': { role: 'admin', about: asking, run: deciding('kept') },
    // Kept users may be let go after all, but not by a press on a card that was late.
    'held-release': {
      role: 'admin',
      about: asking,
      run: deciding('allowed', { afterKeep: true }),
    },
    'held-review': reviewRule,
    // Names and addresses: only for who may decide about them.
    'held-list': { role: 'admin', about: asking, run: sendHeldList },
  },
}

/** About the instance whose run asks. */
async function asking({ who, value }: ActionTurn, house: House): Promise<Instance | undefined> {
  const question = await heldQuestion(house.db.conn, who.teamId, value)
  return question && findInstance(house.db.conn, who.teamId, question.instanceId)
}

const goneText = 'This question is not there any more.'

function deciding(what: 'allowed' | 'kept', options: { afterKeep?: boolean } = {}): ActionRule['run'] {
  return async (turn, house, _opened, about) => {
    const said = await decide(turn, house, what, options)
    // The card itself says it to everybody; a press is answered to its person, in the window it was made in.
    if (!turn.view) return turn.reply({ text: said })
    await turn.redraw(noticeView('Held users', said))
    if (about) await redrawBelow(house, turn, about)
  }
}

function decide(
  turn: ActionTurn,
  house: House,
  what: 'allowed' | 'kept',
  { afterKeep = false }: { afterKeep?: boolean },
): Promise<string> {
  const { who } = turn
  return house.db.transaction(
    async tx => {
      const named = await heldQuestion(tx, who.teamId, turn.value)
      // The lock first: a run that is being merged right now decides before us, and then we look at what it left.
      const instance = named && (await lockInstance(tx, named.instanceId))
      const question = instance && (await heldQuestion(tx, who.teamId, turn.value))
      if (!question) return goneText
      const closed = await closedText(tx, instance, question, afterKeep)
      if (closed) return closed
      return settle(tx, house, { turn, instance, question, what })
    },
    // They may be a million, in one statement.
    { patient: true },
  )
}

/** Why it can no longer be decided; undefined: it can. */
async function closedText(
  tx: Tx,
  instance: Instance,
  { held, superseded }: HeldQuestion,
  afterKeep: boolean,
): Promise<string | undefined> {
  if (instance.status === 'deleting' || instance.status === 'deleted') return goneText
  const name = escapeText(instance.name)
  if (held.ended) return `All users of *${name}* were deleted since: this question is void.`
  if (held.decision && !(afterKeep && held.decision.what === 'kept')) {
    const deed = held.decision.what === 'allowed' ? 'allowed the removal' : 'kept the users'
    return `<@${held.decision.by}> has decided already: they ${deed}.`
  }
  if (superseded)
    return `A newer sync of *${name}* has ended since: this question is void. Nothing was removed by it.`
  if (await openRemovalOf(tx, instance.id)) return `All users of *${name}* are being deleted just now.`
  return undefined
}

async function settle(
  tx: Tx,
  house: House,
  asked: { turn: ActionTurn; instance: Instance; question: HeldQuestion; what: 'allowed' | 'kept' },
): Promise<string> {
  const { turn, instance, question, what } = asked
  const { who } = turn
  const now = house.clock.now()
  const { runId, held } = question
  const allowed = what === 'allowed'
  const released = allowed
    ? await releaseMissing(tx, instance.id, { markedBy: held.markedBy, runId, now })
    : { removed: 0, disabled: 0 }
  await decideHeld(tx, runId, { what, by: who.userId, at: now, ...(allowed ? { released } : {}) })
  // A failure since is not mended by it: its incident goes on.
  if (allowed && instance.lastOutcome === 'held')
    await recordOutcome(tx, instance.id, { lastOutcome: 'succeeded' })
  await appendAudit(tx, {
    teamId: who.teamId,
    actor: who.userId,
    source: 'button',
    action: allowed ? 'removal.allowed' : 'removal.refused',
    instance,
    after: allowed
      ? { people: released.removed, disabled: released.disabled }
      : { people: held.gone, disabled: held.disabled },
  })
  const ended = allowed
    ? ({ how: 'allowed', by: who.userId, ...released } as const)
    : ({ how: 'kept', by: who.userId } as const)
  await endCard(tx, { instance, question, ended, now }, house)
  const name = escapeText(instance.name)
  if (allowed) return `:white_check_mark: *${name}*: ${releasedText(released)}.`
  return `:white_check_mark: ${count(held.gone + held.disabled, 'user', 'users')} of *${name}* stay reported as they are.`
}
