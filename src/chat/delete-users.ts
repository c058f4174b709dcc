// Delete All Users: asked once more with the count; the instance stays.
import { usersOf } from '../accounts/summary.ts'
import { appendAudit } from '../audit/store.ts'
import { lockInstance, regenerateInstance } from '../instances/store.ts'
import { count } from '../lib/text.ts'
import { alert, escapeText, section } from '../slack/blocks.ts'
import { loadingView, metadataOf, modal, noticeView } from '../slack/modal.ts'
import type { Who } from '../slack/turn.ts'
import type { Removal } from '../sync/removal.ts'
import { openRemovalOf } from '../sync/removals.ts'
import { requestRemoval } from '../sync/request.ts'
import { beneath } from './below.ts'
import { redrawBelow } from './edit-below.ts'
import type { Gesture } from './gesture.ts'
import { byValue, byWindow, goneText } from './pick.ts'

const title = 'Delete All Users'
const changedText =
  'Somebody has changed this instance since you opened it, and nothing was deleted. Open Delete All Users again.'

export const deleteUsersGesture: Gesture = {
  actions: {
    'delete-users': {
      role: 'admin',
      about: byValue,
      loading: () => loadingView(title),
      async run(turn, house, opened, instance) {
        if (!instance || instance.status === 'deleting') {
          await opened?.update(noticeView(title, goneText))
          return
        }
        const users = (await usersOf(house.db.conn, [instance.id])).get(instance.id) ?? 0
        const name = escapeText(instance.name)
        const next =
          instance.status === 'live'
            ? `*${name}* is Live: its next sync imports them again. Set it Inactive first if they should stay away.`
            : `*${name}* is Inactive: it stays empty until it is Live again.`
        await opened?.update(
          modal({
            callbackId: 'delete-users',
            title,
            submit: 'Delete All Users',
            close: 'Keep users',
            metadata: {
              ...{ instance: instance.id, version: String(instance.version) },
              ...beneath(turn.view),
            },
            blocks: [
              section(
                `*${count(users, 'user', 'users')}* of *${name}* will no longer be reported. The instance itself stays.`,
              ),
              alert(next, 'warning'),
            ],
          }),
        )
      },
    },
  },
  submissions: {
    'delete-users': {
      role: 'admin',
      about: byWindow,
      async run(turn, house, named) {
        const now = house.clock.now()
        let changed: { from: number; to: number } | undefined
        const text = await house.db.transaction(async tx => {
          const instance = named && (await lockInstance(tx, named.id))
          if (!instance || (instance.status !== 'live' && instance.status !== 'inactive')) return goneText
          // Two admins, or two presses: the one removal that goes on is what both asked for.
          const open = await openRemovalOf(tx, instance.id)
          if (open) return askedText(open, turn.who)
          if (metadataOf(turn.view).version !== String(instance.version)) return changedText
          // A run under way would bring back whom it has read: it may not merge any more.
          changed = { from: instance.version, to: await regenerateInstance(tx, instance.id, now) }
          const { removal } = await requestRemoval(
            tx,
            { instanceId: instance.id, kind: 'users', by: turn.who.userId, now },
            house.ring,
          )
          await appendAudit(tx, {
            teamId: turn.who.teamId,
            actor: turn.who.userId,
            source: 'modal',
            action: 'users.delete-requested',
            instance,
          })
          return askedText(removal, turn.who)
        })
        const after = async () => {
          if (named) await redrawBelow(house, turn, named, changed)
        }
        return { kind: 'update', view: noticeView(title, text), after }
      },
    },
  },
}

/** One person hears the end of a removal: who has asked for it first. */
function askedText({ requestedBy }: Removal, { userId }: Who): string {
  const hears = requestedBy === userId ? 'You hear' : 'Who asked for it first hears'
  return `The users are being removed. ${hears} the end by direct message.`
}
