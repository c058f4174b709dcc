// What is told of an instance: an announcement of it as it is now.
import type { Announcement, AnnouncementKind } from '../announce/announcement.ts'
import { connectorById } from '../connectors/registry.ts'
import type { Instance } from '../instances/instance.ts'

/** What an announcement says beside which instance it is about. */
export type Told = Pick<Announcement, 'failure' | 'counts' | 'warnings' | 'held' | 'stopped' | 'notLive'> & {
  next: string
  lastSuccessAt: Date | null
  users: number
}

/** An announcement of this instance as it is now. */
export function announcementOf(
  instance: Instance,
  kind: AnnouncementKind,
  told: Told,
  by: { at: Date; actor: string | null },
): Announcement {
  return {
    kind,
    instanceId: instance.id,
    instanceName: instance.name,
    app: connectorById(instance.connector)?.name ?? instance.connector,
    at: by.at.toISOString(),
    actor: by.actor,
    lastSuccessAt: told.lastSuccessAt?.toISOString() ?? null,
    users: told.users,
    next: told.next,
    ...(told.failure ? { failure: told.failure } : {}),
    ...(told.counts ? { counts: told.counts } : {}),
    ...(told.warnings && told.warnings.length > 0 ? { warnings: told.warnings } : {}),
    ...(told.held ? { held: told.held } : {}),
    ...(told.stopped ? { stopped: true as const } : {}),
    ...(told.notLive || instance.status !== 'live' ? { notLive: true as const } : {}),
  }
}
