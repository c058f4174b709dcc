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
import { everyAdmin } from './undelivered.ts'

export interface Telling {
  /** The sync channel; the instance's own takes its place. Null: none. */
  channel: string | null
  now: Date
  ring: Ring
}

/**
 * Tell the creator, the recipients and the channel of one change of an instance. The creator's row carries a Slack user id,
 * whose address is asked for when it is sent: a creator who has left by then is replaced. `card` is the id of the channel's
 * row, for `amend`.
 */
export async function announce(
  tx: Tx,
  what: { announcement: Announcement; instance: Instance; incident: IncidentStep; card?: string | undefined },
  where: Telling,
): Promise<void> {
  const { announcement, instance } = what
  const { now } = where
  crashpoint('announce-begun')
  const faultCode = announcement.failure?.code ?? ''
  const [transitionSeq, incident, recipients] = await Promise.all([
    nextTransition(tx, instance.id),
    stepIncident(tx, instance.id, { step: what.incident, faultCode, now }),
    recipientsOf(tx, instance),
  ])
  const base = { teamId: instance.teamId, instanceId: instance.id, transitionSeq, announcement, now }
  const entries: NewOutboxEntry[] = [{ ...base, medium: 'email', destination: instance.createdBy }]
  for (const address of recipients) {
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
        ...(what.card ? { id: what.card } : {}),
        ...(incident?.fresh ? { incidentId: incident.id } : {}),
      })
    }
  }
  await appendOutbox(tx, entries)
  crashpoint('announce-written')
  tx.afterCommit(() => where.ring('deliver'))
}

/** Put something else into the channel's message that `announce` posted as `card`; nobody is told anew. */
export async function amend(
  tx: Tx,
  what: { announcement: Announcement; instance: Instance; card: string },
  where: Telling,
): Promise<void> {
  const { announcement, instance, card } = what
  const channel = instance.channel ?? where.channel
  if (channel === null) return
  const transitionSeq = await nextTransition(tx, instance.id)
  const base = {
    teamId: instance.teamId,
    instanceId: instance.id,
    transitionSeq,
    announcement,
    now: where.now,
  }
  await appendOutbox(tx, [{ ...base, medium: 'slack-edit', destination: channel, edits: card }])
  tx.afterCommit(() => where.ring('deliver'))
}

/** What one person is told directly. */
export interface PersonTelling {
  announcement: Announcement
  teamId: string
  userId: string
  /** Makes it once: a UUID, the row's id. */
  key: string
  /** The row of the message that has told them how far it is: its last edit is the end. */
  edits?: string | null
}

/** Tell one person by direct message: the end of what they asked for. */
export async function tellPerson(
  tx: Tx,
  what: PersonTelling,
  where: Pick<Telling, 'now' | 'ring'>,
): Promise<void> {
  await tellPeople(tx, [what], where)
}

/** Tell the admins by direct message, whoever they are once it is sent; but not who is said to have done it. */
export async function tellAdmins(
  tx: Tx,
  what: Omit<PersonTelling, 'userId' | 'edits'>,
  where: Pick<Telling, 'now' | 'ring'>,
): Promise<void> {
  await tellPeople(tx, [{ ...what, userId: everyAdmin }], where)
}

/** Tell each of them. */
export async function tellPeople(
  tx: Tx,
  tellings: readonly PersonTelling[],
  { now, ring }: Pick<Telling, 'now' | 'ring'>,
): Promise<void> {
  if (tellings.length === 0) return
  const entries = tellings.map(({ announcement, teamId, userId, key, edits }): NewOutboxEntry => {
    const entry = { id: key, teamId, instanceId: null, announcement, now, destination: userId }
    return edits
      ? { ...entry, medium: 'slack-edit', transitionSeq: 1, edits }
      : { ...entry, medium: 'slack-direct', transitionSeq: 0 }
  })
  await appendOutbox(tx, entries)
  tx.afterCommit(() => ring('deliver'))
}
