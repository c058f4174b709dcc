// Who is told: one outbox row a destination, in the caller's transaction, and a ring after its commit.
import type { Tx } from '../db/db.ts'
import type { Instance } from '../instances/instance.ts'
import { nextTransition } from '../instances/store.ts'
import type { Ring } from '../jobs/jobs.ts'
import { crashpoint } from '../lib/crashpoint.ts'
import { recipientsOf } from '../recipients/recipients.ts'
import type { Announcement } from './announcement.ts'
import { type IncidentStep, stepIncident } from './incident.ts'
import { appendOutbox, type NewOutboxEntry } from './outbox.ts'

export interface Telling {
  /** The sync channel; the instance's own takes its place. Null: none. */
  channel: string | null
  now: Date
  ring: Ring
}

/**
 * Tell the creator, the recipients and the channel of one change of an instance. The creator's row carries a Slack user id,
 * whose address is asked for when it is sent: a creator who has left by then is replaced.
 */
export async function announce(
  tx: Tx,
  what: { announcement: Announcement; instance: Instance; incident: IncidentStep },
  where: Telling,
): Promise<void> {
  const { announcement, instance } = what
  const { now } = where
  crashpoint('announce-begun')
  const transitionSeq = await nextTransition(tx, instance.id)
  const faultCode = announcement.failure?.code ?? ''
  const incident = await stepIncident(tx, instance.id, { step: what.incident, faultCode, now })
  const base = { teamId: instance.teamId, instanceId: instance.id, transitionSeq, announcement, now }
  const entries: NewOutboxEntry[] = [{ ...base, medium: 'email', destination: instance.createdBy }]
  for (const address of await recipientsOf(tx, instance)) {
    entries.push({ ...base, medium: 'email', destination: address.toLowerCase() })
  }
  const channel = instance.channel ?? where.channel
  if (channel !== null) {
    const resolved = what.incident === 'resolve'
    if (incident && !incident.fresh)
      entries.push({ ...base, medium: 'slack-edit', destination: channel, incidentId: incident.id })
    if (!incident || incident.fresh || resolved) {
      entries.push({
        ...base,
        medium: 'slack',
        destination: channel,
        ...(incident?.fresh ? { incidentId: incident.id } : {}),
      })
    }
  }
  await appendOutbox(tx, entries)
  crashpoint('announce-written')
  tx.afterCommit(() => where.ring('deliver'))
}

/** Tell one person by direct message: the end of what they asked for. `key` makes it once: a UUID, the row's id. */
export async function tellPerson(
  tx: Tx,
  what: { announcement: Announcement; teamId: string; userId: string; key: string },
  where: Pick<Telling, 'now' | 'ring'>,
): Promise<void> {
  const { announcement, teamId } = what
  const entry = { id: what.key, teamId, instanceId: null, transitionSeq: 0, announcement, now: where.now }
  await appendOutbox(tx, [{ ...entry, medium: 'slack-direct', destination: what.userId }])
  tx.afterCommit(() => where.ring('deliver'))
}
