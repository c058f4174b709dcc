// Delete Instance: what goes is shown, the box must be ticked, and only then is there a button; the server looks at the box again.
import { onlyHere } from '../accounts/summary.ts'
import { appendAudit } from '../audit/store.ts'
import type { Instance } from '../instances/instance.ts'
import { moveInstance } from '../instances/store.ts'
import { count } from '../lib/text.ts'
import {
  actions,
  alert,
  button,
  checkboxes,
  context,
  escapeText,
  type SlackBlock,
  section,
} from '../slack/blocks.ts'
import { loadingView, metadataOf, modal, noticeView } from '../slack/modal.ts'
import type { ModalView } from '../slack/turn.ts'
import { requestRemoval } from '../sync/request.ts'
import { type Below, belowOf, beneath } from './below.ts'
import { redrawBelow } from './edit-below.ts'
import type { Gesture, House } from './gesture.ts'
import { byValue, byWindow, goneText } from './pick.ts'

const title = 'Delete Instance'
const box = 'delete-box'
const understood = { value: 'understood', label: 'I understand that this action cannot be undone' }

export const deleteInstanceGesture: Gesture = {
  actions: {
    'delete-instance': {
      role: 'admin',
      about: byValue,
      loading: () => loadingView(title),
      async run(turn, house, opened, instance) {
        await opened?.update(
          instance
            ? await consequences(house, instance, false, beneath(turn.view))
            : noticeView(title, goneText),
        )
      },
    },
    'delete-understood': {
      role: 'admin',
      about: byWindow,
      async run(turn, house, _opened, instance) {
        const ticked = turn.many.includes(understood.value)
        await turn.update(
          instance
            ? await consequences(house, instance, ticked, belowOf(turn.view))
            : noticeView(title, goneText),
        )
      },
    },
    'delete-confirm': {
      role: 'admin',
      about: byWindow,
      async run(turn, house, _opened, instance) {
        if (!turn.view) return
        const ticked = (turn.view.inputs.many.get(box) ?? []).includes(understood.value)
        const changed = instance && metadataOf(turn.view).version !== String(instance.version)
        if (instance && (!ticked || changed)) {
          await turn.update(await consequences(house, instance, false, belowOf(turn.view)))
          return
        }
        const asked = instance && (await askForDeletion(house, instance, turn.who))
        const text = asked
          ? `*${escapeText(instance.name)}* is being deleted. It may take a few minutes before its users are removed from your reporting; you hear the end.`
          : goneText
        await turn.update(noticeView(title, text))
        if (instance) await redrawBelow(house, turn, instance)
      },
    },
  },
}

async function consequences(
  house: House,
  instance: Instance,
  ticked: boolean,
  below: Below,
): Promise<ModalView> {
  if (instance.status === 'deleting')
    return noticeView(title, `*${escapeText(instance.name)}* is being deleted already.`)
  const going = await onlyHere(house.db.conn, instance)
  const name = escapeText(instance.name)
  const blocks: SlackBlock[] = [
    section(
      `*${name}* will be deleted with its *${count(going.users, 'user', 'users')}*; ${going.onlyHere === 1 ? '1 of them is' : `${going.onlyHere} of them are`} in no other application.`,
    ),
    alert(
      'Its users will no longer be reported. Its history ends, and its credentials are destroyed.',
      'warning',
    ),
    context(
      'To keep the users and only stop syncing, set its status to Inactive instead. Connecting the application again makes a new instance and imports all users.',
    ),
    actions([checkboxes({ actionId: 'delete-understood', choices: [understood] })], box),
  ]
  if (ticked) {
    const confirm = button({
      actionId: 'delete-confirm',
      text: 'Delete Integration Instance',
      value: instance.id,
      style: 'danger',
    })
    blocks.push(actions([confirm], 'delete-confirm'))
  }
  return modal({
    callbackId: 'delete-instance',
    title,
    close: 'Keep',
    blocks,
    metadata: { instance: instance.id, version: String(instance.version), ...below },
  })
}

async function askForDeletion(
  house: House,
  instance: Instance,
  who: { teamId: string; userId: string },
): Promise<boolean> {
  const now = house.clock.now()
  return house.db.transaction(async tx => {
    const moved = await moveInstance(tx, instance.id, 'deleting', { now })
    if (!moved) return false
    await requestRemoval(tx, { instanceId: instance.id, kind: 'instance', by: who.userId, now }, house.ring)
    await appendAudit(tx, {
      teamId: who.teamId,
      actor: who.userId,
      source: 'button',
      action: 'instance.delete-requested',
      instance,
      before: { status: instance.status },
      after: { status: moved.status },
    })
    return true
  })
}
