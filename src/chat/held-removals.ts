// Held removals: Allow this once or Keep users, for the set of people that one run did not find; void when a newer run has ended.
import { removeMissing } from '../accounts/held.ts'
import { appendAudit } from '../audit/store.ts'
import type { Instance } from '../instances/instance.ts'
import { findInstance, lockInstance, recordOutcome } from '../instances/store.ts'
import { count } from '../lib/text.ts'
import { escapeText, section } from '../slack/blocks.ts'
import type { ActionTurn, Message } from '../slack/turn.ts'
import { decideHeld, heldQuestion } from '../sync/held.ts'
import type { Gesture, House } from './gesture.ts'

export const heldRemovalsGesture: Gesture = {
  actions: {
    'held-allow': { role: 'admin', about: asking, run: (turn, house) => decide(turn, house, 'allowed') },
    'held-keep': { role: 'admin', about: asking, run: (turn, house) => decide(turn, house, 'kept') },
  },
}

/** About the instance whose run asks. */
async function asking({ who, value }: ActionTurn, house: House): Promise<Instance | undefined> {
  const question = await heldQuestion(house.db.conn, who.teamId, value)
  return question && findInstance(house.db.conn, who.teamId, question.instanceId)
}

async function decide(turn: ActionTurn, house: House, what: 'allowed' | 'kept'): Promise<void> {
  const { who } = turn
  const now = house.clock.now()
  const said = await house.db.transaction(async (tx): Promise<{ text: string; open: boolean }> => {
    const named = await heldQuestion(tx, who.teamId, turn.value)
    // The lock first: a run that is being merged right now decides before us, and then we look at what it left.
    const instance = named && (await lockInstance(tx, named.instanceId))
    const question = instance && (await heldQuestion(tx, who.teamId, turn.value))
    if (!question || instance.status === 'deleting' || instance.status === 'deleted') {
      return { text: 'This question is not there any more.', open: false }
    }
    const name = escapeText(instance.name)
    if (question.decision) {
      const deed = question.decision.what === 'allowed' ? 'allowed the removal' : 'kept the users'
      return { text: `<@${question.decision.by}> has decided already: they ${deed}.`, open: false }
    }
    if (question.superseded) {
      return {
        text: `A newer sync of *${name}* has ended since: this question is void. Nothing was removed.`,
        open: false,
      }
    }
    await decideHeld(tx, question.runId, { what, by: who.userId, at: now })
    const removed = what === 'allowed' ? await removeMissing(tx, instance.id, question.runId, now) : 0
    if (what === 'allowed') await recordOutcome(tx, instance.id, { lastOutcome: 'succeeded' })
    await appendAudit(tx, {
      teamId: who.teamId,
      actor: who.userId,
      source: 'button',
      action: what === 'allowed' ? 'removal.allowed' : 'removal.refused',
      instance,
      after: { people: what === 'allowed' ? removed : question.count },
    })
    const people = count(what === 'allowed' ? removed : question.count, 'user', 'users')
    const text =
      what === 'allowed'
        ? `:large_green_circle: <@${who.userId}> allowed it: ${people} of *${name}* ${removed === 1 ? 'is' : 'are'} no longer reported.`
        : `:large_green_circle: <@${who.userId}> kept them: ${people} of *${name}* stay reported, though the application no longer lists them.`
    return { text, open: true }
  })
  const message: Message = { text: said.text, blocks: [section(said.text)] }
  // The question itself becomes the answer, so that nobody presses it again; a late press is answered to its person only.
  if (said.open) await turn.replace(message)
  else await turn.reply(message)
}
