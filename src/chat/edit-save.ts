// Saving Edit Instance: the instance, its recipients, the audit rows, the tellings and the run, in one transaction or not at all.
import { usersOf } from '../accounts/summary.ts'
import { announce } from '../announce/announce.ts'
import { appendAudit } from '../audit/store.ts'
import { connectorById } from '../connectors/registry.ts'
import type { Tx } from '../db/db.ts'
import { sealedSecrets } from '../instances/credentials.ts'
import type { Instance } from '../instances/instance.ts'
import {
  editInstance,
  type InstanceEdit,
  lockInstance,
  moveInstance,
  recordOutcome,
} from '../instances/store.ts'
import { saveRecipients } from '../recipients/recipients.ts'
import type { Who } from '../slack/turn.ts'
import { cancelWaiting } from '../sync/askers.ts'
import { nextSync } from '../sync/outcome.ts'
import { requestRun } from '../sync/request.ts'
import { nextSyncAt } from '../sync/schedule.ts'
import { announcementOf } from '../sync/told.ts'
import { settingsOf } from './credentials.ts'
import type { WantedEdit } from './edit-read.ts'
import type { House } from './gesture.ts'

/**
 * `hears`: who saves it is told the end of a sync that follows. Undefined: somebody else changed it since it was opened, and
 * nothing was saved. Throws 23505 when the name is taken.
 */
export async function saveEdit(
  house: House,
  who: Who,
  opened: Instance,
  wanted: WantedEdit,
): Promise<{ hears: boolean } | undefined> {
  const now = house.clock.now()
  return house.db.transaction(async tx => {
    const before = await lockInstance(tx, opened.id)
    if (!before || before.version !== wanted.version) return undefined
    if (before.status !== 'live' && before.status !== 'inactive') return undefined
    const edit = editOf(house, before, wanted)
    const list = { teamId: who.teamId, instanceId: before.id }
    const changed = await saveRecipients(tx, list, { addresses: wanted.recipients, by: who.userId, now })
    const otherRecipients = changed.added.length + changed.removed.length > 0
    const otherFields = Object.keys(edit).length > 0
    // Other recipients are another version, too: a window opened before them may not take them away unseen.
    const edited =
      otherFields || otherRecipients
        ? await editInstance(tx, { id: before.id, version: wanted.version }, edit, now)
        : before
    if (!edited) return undefined
    if (otherFields) await auditEdit(tx, who, before, edit)
    if (edit.scheduleHours !== undefined && edited.nextSyncAt !== null)
      await recordOutcome(tx, edited.id, { nextSyncAt: nextSyncAt(edited, now) })
    if (otherRecipients) {
      await appendAudit(tx, {
        teamId: who.teamId,
        actor: who.userId,
        source: 'modal',
        action: 'recipients.updated',
        instance: edited,
        after: changed,
      })
    }
    const moved = wanted.status !== before.status
    if (moved) await move(tx, house, who, edited, wanted.status)
    if (wanted.status === 'live' && (moved || edit.sealed !== undefined || edit.settings !== undefined)) {
      const trigger = moved ? 'reactivated' : 'edited'
      const asked = { instanceId: before.id, trigger, by: who.userId, now } as const
      const { hears } = await requestRun(tx, asked, house.ring)
      return { hears }
    }
    return { hears: false }
  })
}

/** What is another value than before. */
function editOf(house: House, before: Instance, wanted: WantedEdit): InstanceEdit {
  const edit: InstanceEdit = {}
  if (wanted.name !== before.name) edit.name = wanted.name
  if (wanted.scheduleHours !== before.scheduleHours) edit.scheduleHours = wanted.scheduleHours
  if (wanted.owner !== before.owner) edit.owner = wanted.owner
  if (wanted.channel !== before.channel) edit.channel = wanted.channel
  if (wanted.removalPeopleMax !== before.removalPeopleMax) edit.removalPeopleMax = wanted.removalPeopleMax
  if (wanted.removalPercentMax !== before.removalPercentMax) edit.removalPercentMax = wanted.removalPercentMax
  const connector = connectorById(before.connector)
  if (!wanted.credentials || !connector) return edit
  // The check may have rotated a refresh token: then the typed one is dead already.
  const credentials = wanted.verified?.rotated ?? wanted.credentials
  return {
    ...edit,
    settings: settingsOf(connector, credentials),
    sealed: sealedSecrets(house.seal, before, connector, credentials),
    ...(wanted.verified
      ? { tenantKey: wanted.verified.tenantKey, tenantName: wanted.verified.tenantName }
      : {}),
  }
}

/** What changed, without secrets: new credentials are named as such. */
async function auditEdit(tx: Tx, who: Who, before: Instance, edit: InstanceEdit): Promise<void> {
  const { sealed, ...shown } = edit
  const keys = Object.keys(shown) as (keyof typeof shown)[]
  await appendAudit(tx, {
    teamId: who.teamId,
    actor: who.userId,
    source: 'modal',
    action: 'instance.updated',
    instance: before,
    before: Object.fromEntries(keys.map(key => [key, before[key]])),
    after: { ...shown, ...(sealed ? { credentials: 'replaced' } : {}) },
  })
}

async function move(
  tx: Tx,
  house: House,
  who: Who,
  instance: Instance,
  to: 'live' | 'inactive',
): Promise<void> {
  const now = house.clock.now()
  const inactivation = { reason: 'user' as const, detail: null, by: who.userId }
  const moved = await moveInstance(tx, instance.id, to, to === 'inactive' ? { now, inactivation } : { now })
  if (!moved) throw new Error(`An instance that is ${instance.status} does not become ${to}`)
  if (to === 'inactive') {
    const next = 'The instance was set Inactive. Set it Live in Edit Instance, and it syncs at once.'
    await cancelWaiting(tx, { now, ring: house.ring }, moved, next)
  }
  await appendAudit(tx, {
    teamId: who.teamId,
    actor: who.userId,
    source: 'modal',
    action: to === 'live' ? 'instance.reactivated' : 'instance.inactivated',
    instance: moved,
    before: { status: instance.status, reason: instance.inactiveReason },
    after: { status: moved.status },
  })
  const users = (await usersOf(tx, [instance.id])).get(instance.id) ?? 0
  const next =
    to === 'live'
      ? `It is syncing now. ${nextSync(moved)}`
      : 'Its users stay and may get out of date until it is Live again.'
  const told = { users, lastSuccessAt: moved.lastSuccessAt, next }
  const kind = to === 'live' ? 'reactivated' : 'inactivated'
  const announcement = announcementOf(moved, kind, told, { at: now, actor: who.userId })
  await announce(
    tx,
    { announcement, instance: moved, incident: 'none' },
    { channel: house.channel, now, ring: house.ring },
  )
}
