// The held users of an instance as a window on Edit Instance: what is asked, what was decided, and the buttons that still may change it.

import { heldButtons } from '../announce/channel.ts'
import { wordsOf } from '../announce/words.ts'
import type { Instance } from '../instances/instance.ts'
import { actions, button, escapeText, momentText, section } from '../slack/blocks.ts'
import { loadingView, modal, noticeView } from '../slack/modal.ts'
import type { ModalView } from '../slack/turn.ts'
import { newsOf } from '../sync/conclude.ts'
import { type HeldQuestion, lastQuestion } from '../sync/held.ts'
import { thresholdsText } from '../sync/outcome.ts'
import { announcementOf } from '../sync/told.ts'
import { type Below, beneath } from './below.ts'
import type { ActionRule } from './gesture.ts'
import { byValue } from './pick.ts'

const title = 'Held users'

/** Opened from Edit Instance: the way to decide without a channel, and to let kept users go after all. */
export const reviewRule: ActionRule = {
  role: 'admin',
  about: byValue,
  loading: () => loadingView(title),
  async run(turn, house, opened, instance) {
    const question = instance && (await lastQuestion(house.db.conn, instance.id))
    const now = house.clock.now()
    const nobody = 'Nobody is held back any more.'
    await opened?.update(
      question ? review(instance, question, now, beneath(turn.view)) : noticeView(title, nobody),
    )
  },
}

function review(
  instance: Instance,
  { runId, held, superseded }: HeldQuestion,
  at: Date,
  below: Below,
): ModalView {
  const news = newsOf(runId, held)
  const told = { users: 0, lastSuccessAt: null, next: '', held: news }
  const { sentences } = wordsOf(announcementOf(instance, 'held', told, { at, actor: null }))
  const { decision } = held
  const { allow, keep, list } = heldButtons(news, instance.name)
  const open = decision ? [{ ...allow, action_id: 'held-release' }] : [allow, keep]
  const status = decision
    ? `<@${decision.by}> ${decision.what === 'kept' ? 'kept them' : 'allowed it'} ${momentText(new Date(decision.at))}.`
    : held.keptUntil === undefined
      ? `saasm holds back ${thresholdsText(instance)}.`
      : 'saasm asks before it removes anybody who was kept.'
  const later = decision
    ? 'A newer sync was not complete: they can be let go once a whole one has ended.'
    : 'A newer sync was not complete: the next whole one asks again.'
  const decidable = !superseded && decision?.what !== 'allowed'
  return modal({
    callbackId: 'held-review',
    title,
    metadata: below,
    blocks: [
      section(sentences.map(escapeText).join('\n')),
      section(superseded ? later : status),
      actions(
        decidable ? [...open, list].filter(one => one !== undefined) : [...(list ? [list] : [])],
        'held',
      ),
    ],
  })
}

/** For Edit Instance. */
export function reviewButton(instance: Instance) {
  return button({ actionId: 'held-review', text: 'Held users', value: instance.id })
}
