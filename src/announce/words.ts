// The words of an announcement, shared by the e-mail and the channel: a headline, what happened, facts, what comes next.
import { clampText, count } from '../lib/text.ts'
import type { Announcement, AnnouncementKind, HeldNews } from './announcement.ts'

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
  'held-ended': name => `${name}: the held removal is settled`,
  progress: (name, told) =>
    told.progress?.doing === 'sync' ? `${name} is syncing` : `${name}: its users are being removed`,
  'run-ended': (name, told) =>
    told.stopped
      ? `${name}: the sync you asked for was stopped`
      : told.failure
        ? `${name}: the sync you asked for failed`
        : `${name}: the sync you asked for is done`,
  'users-deleted': name => `${name}: all users deleted`,
  'instance-deleted': name => `${name} was deleted`,
  'removal-stuck': name => `${name}: its users could not all be removed yet`,
  undelivered: () => 'saasm could not deliver an announcement',
}

export function wordsOf(told: Announcement): Words {
  const name = oneLine(told.instanceName)
  const sentences = [
    leadOf(told, name),
    ...(told.kind === 'held' && told.held ? whyAndNames(told.held) : []),
    ...(told.failure ? [told.failure.message] : []),
    ...(told.kind === 'held' ? [] : (told.warnings ?? [])),
  ]
  if (told.kind === 'progress' || told.kind === 'held-ended')
    return {
      headline: headlines[told.kind](name, told),
      sentences: sentences.filter(Boolean),
      facts: [],
      next: told.next,
    }
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
  if (told.kind === 'held-ended') return heldEndText(told, name)
  if (told.kind === 'progress') return progressText(told)
  return ''
}

/** The longest name shown, in code points. */
const shownNameMax = 60

function heldText(told: Announcement, name: string): string {
  const { held } = told
  if (!held) return ''
  const all = held.gone + held.disabled
  const share = Math.round((all / Math.max(1, held.of)) * 100)
  const since = held.askedAt ? ' A later sync has found the same.' : ''
  return `${count(all, 'user', 'users')} of ${held.of.toLocaleString('en-US')} (${share} %) of ${name} ${whatOf(held, told.app)}.${since}`
}

/** Why so many may be gone, then some of them by name: where long names fill a message, they are what is cut. */
function whyAndNames({ gone, disabled, names, why }: HeldNews): string[] {
  const more = gone + disabled - names.length
  const shown = names.map(name => clampText(oneLine(name), shownNameMax)).join(', ')
  const rest = more > 0 ? ` and ${more.toLocaleString('en-US')} more` : ''
  return [why.join(' '), ...(names.length > 0 ? [`They are ${shown}${rest}.`] : [])]
}

/** What the sync found of them. */
function whatOf({ gone, disabled }: HeldNews, app: string): string {
  const was = (n: number) => (n === 1 ? 'was' : 'were')
  const off = `found suspended or deactivated in ${oneLine(app)} and would be reported so`
  if (disabled === 0) return `${was(gone)} not in ${oneLine(app)}’s list and would be removed`
  if (gone === 0) return `${was(disabled)} ${off}`
  return `would go: ${gone.toLocaleString('en-US')} ${was(gone)} not in ${oneLine(app)}’s list and would be removed, ${disabled.toLocaleString('en-US')} ${was(disabled)} ${off}`
}

/** How a held removal ended; who decided it is said by the card. */
function heldEndText({ held }: Announcement, name: string): string {
  if (!held?.ended) return ''
  const all = count(held.gone + held.disabled, 'user', 'users')
  if (held.ended.how === 'kept')
    return `${all} of ${name} stay reported, though the application no longer lists them so.`
  if (held.ended.how === 'void')
    return `The question about ${all} of ${name} is void: a newer sync has ended. Nothing was removed.`
  if (held.ended.how === 'deleted')
    return `The question about ${all} of ${name} is void: all its users were deleted.`
  return `${name}: ${releasedText(held.ended)}.`
}

/** `102 users are no longer reported`, `3 users are now reported as disabled`, or both. */
export function releasedText({ removed, disabled }: { removed: number; disabled: number }): string {
  const parts = [
    ...(removed > 0 || disabled === 0
      ? [`${count(removed, 'user', 'users')} ${removed === 1 ? 'is' : 'are'} no longer reported`]
      : []),
    ...(disabled > 0
      ? [`${count(disabled, 'user', 'users')} ${disabled === 1 ? 'is' : 'are'} now reported as disabled`]
      : []),
  ]
  return parts.join(', ')
}

/** How far it is, at what pace, and what is left where that is known. */
function progressText({ progress }: Announcement): string {
  if (!progress) return ''
  const { doing, done, of, perMinute } = progress
  const pace = perMinute === null ? '' : `, ${perMinute.toLocaleString('en-US')} a minute`
  if (doing !== 'sync') {
    const all = of === null ? '' : ` of ${of.toLocaleString('en-US')}`
    return `${done.toLocaleString('en-US')}${all} users removed${pace}.`
  }
  // More than last time: what is left is not known.
  const left =
    of === null || of <= done
      ? ''
      : ` About ${(of - done).toLocaleString('en-US')} are left, by the last count.`
  return `${count(done, 'person', 'people')} read so far${pace}.${left}`
}

/** `1,204 added, 0 changed, …` */
export function countsText(counts: NonNullable<Announcement['counts']>): string {
  const of = (what: keyof typeof counts) => `${counts[what].toLocaleString('en-US')} ${what}`
  return `${of('added')}, ${of('changed')}, ${of('removed')}, ${of('unchanged')}`
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
