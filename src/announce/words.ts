// The words of an announcement, shared by the e-mail and the channel: a headline, what happened, facts, what comes next.
import { count } from '../lib/text.ts'
import type { Announcement, AnnouncementKind } from './announcement.ts'

export interface Words {
  /** One line: a mail's subject, a notification. Holds no mark-up. */
  headline: string
  /** Sentences, the first one first. */
  sentences: string[]
  facts: { label: string; value: string | Date }[]
  next: string
}

/** How each kind is headed; `name` is the instance's. */
const headlines: Readonly<Record<AnnouncementKind, (name: string, told: Announcement) => string>> = {
  'initial-succeeded': (name, told) =>
    `${name}: initial sync complete (${count(told.users, 'user', 'users')})`,
  'initial-failed': name => `${name}: initial sync failed`,
  failed: name => `${name}: sync failed`,
  'cause-changed': name => `${name}: sync still fails, for another reason`,
  recovered: name => `${name} has recovered and is syncing again`,
  revoked: name => `${name} is now Inactive: saasm could not use its token`,
  inactivated: name => `${name} is now Inactive`,
  reactivated: name => `${name} is Live`,
  held: name => `${name}: a removal of users is held back`,
  'run-ended': (name, told) =>
    told.failure ? `${name}: the sync you asked for failed` : `${name}: the sync you asked for is done`,
  'users-deleted': name => `${name}: all users deleted`,
  'instance-deleted': name => `${name} was deleted`,
  undelivered: () => 'saasm could not deliver an announcement',
}

export function wordsOf(told: Announcement): Words {
  const name = oneLine(told.instanceName)
  const sentences = [
    leadOf(told, name),
    ...(told.failure ? [told.failure.message] : []),
    ...(told.kind === 'held' ? [] : (told.warnings ?? [])),
  ]
  const missing = told.failure?.missing ?? []
  const facts: Words['facts'] = [
    { label: 'Instance', value: name },
    { label: 'App', value: told.app },
    ...(missing.length > 0 ? [{ label: 'Missing permission', value: missing.join(', ') }] : []),
    ...(told.counts ? [{ label: 'Changes', value: countsText(told.counts) }] : []),
    ...(told.kind === 'instance-deleted' || told.kind === 'users-deleted'
      ? []
      : [{ label: 'Users reported', value: told.users.toLocaleString('en-US') }]),
    { label: 'Last good sync', value: told.lastSuccessAt ? new Date(told.lastSuccessAt) : 'never' },
    ...ageOf(told),
    ...(told.failure ? [{ label: 'Reference', value: told.failure.reference }] : []),
  ]
  return {
    headline: headlines[told.kind](name, told),
    sentences: sentences.filter(Boolean),
    facts: told.kind === 'undelivered' ? [] : facts,
    next: told.next,
  }
}

function leadOf(told: Announcement, name: string): string {
  if (told.kind === 'initial-succeeded') return `${name} is connected, and its users are in saasm.`
  if (told.kind === 'recovered') return `${name} failed before; its last sync went well.`
  if (told.kind === 'instance-deleted')
    return `${count(told.removed ?? 0, 'user', 'users')} of ${name} are no longer reported.`
  if (told.kind === 'users-deleted')
    return `${count(told.removed ?? 0, 'user', 'users')} of ${name} are no longer reported. The instance itself stays.`
  if (told.kind === 'held') return heldText(told, name)
  return ''
}

function heldText(told: Announcement, name: string): string {
  const { held } = told
  if (!held) return ''
  const share = Math.round((held.count / Math.max(1, held.of)) * 100)
  const more = held.count > held.names.length ? ` and ${held.count - held.names.length} more` : ''
  const names = held.names.length > 0 ? ` Missing: ${held.names.map(oneLine).join(', ')}${more}.` : ''
  return `${count(held.count, 'user', 'users')} of ${held.of} (${share} %) of ${name} were not in the application’s list. A permission or a filter may hide them, the application may have had an outage, or somebody cleaned up.${names}`
}

function countsText(counts: NonNullable<Announcement['counts']>): string {
  return `${counts.added} added, ${counts.changed} changed, ${counts.removed} removed, ${counts.unchanged} unchanged`
}

/** How old the data is, when it is older than an hour. */
function ageOf(told: Announcement): Words['facts'] {
  if (!told.lastSuccessAt) return []
  const hours = Math.floor((Date.parse(told.at) - Date.parse(told.lastSuccessAt)) / 3_600_000)
  if (hours < 1) return []
  const age = hours < 48 ? count(hours, 'hour', 'hours') : count(Math.floor(hours / 24), 'day', 'days')
  return [{ label: 'Age of the data', value: age }]
}

/** No line break and no control character: safe in a header line. */
export function oneLine(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Zl}\p{Zp}\u202A-\u202E\u2066-\u2069]+/gu, ' ').trim()
}
