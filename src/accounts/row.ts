// What is stored of an account, as text: the cells of COPY's text format, and the hash that says whether two are the same.
import { hash } from 'node:crypto'
import type { Account } from '../connectors/account.ts'

/** What of an account is stored, in a fixed order: two accounts with one hash are the same row. 22 characters. */
export function hashOf(account: Account): string {
  return hashWith(account, wordsOf(account))
}

function hashWith(account: Account, words: string): string {
  const moments = `${momentText(account.lastActiveAt)}\t${momentText(account.createdAt)}`
  return hash('sha256', `${words}\t${moments}`, 'base64url').slice(0, 22)
}

/** The columns that `cellsOf` fills, in its order. */
export const personColumns =
  'external_id, email, name, status, kind, roles, admin, licences, mfa, last_active_at, created_at, hash'

/** The cells of an account, joined by tabs. */
export function cellsOf(account: Account): string {
  const words = wordsOf(account)
  const moments = `${dateCell(account.lastActiveAt)}\t${dateCell(account.createdAt)}`
  return `${textCell(account.externalId)}\t${words}\t${moments}\t${hashWith(account, words)}`
}

/** An array literal of Postgres. */
export function arrayText(items: readonly string[]): string {
  if (items.length === 0) return '{}'
  // One look at all of them: hardly an id or a role has anything to escape.
  const all = items.join('')
  if (!all.includes('"') && !all.includes('\\')) return `{"${items.join('","')}"}`
  return `{${items.map(quoted).join(',')}}`
}

function wordsOf(account: Account): string {
  const { email, name, status, kind, roles, admin, licences, mfa } = account
  return `${textCell(email)}\t${textCell(name)}\t${status}\t${kind}\t${textCell(arrayText(roles))}\t${truthCell(admin)}\t${textCell(arrayText(licences))}\t${truthCell(mfa)}`
}

const special = /[\\\t\n\r]/

function textCell(text: string | null): string {
  if (text === null) return '\\N'
  if (!special.test(text)) return text
  return text.replaceAll('\\', '\\\\').replaceAll('\t', '\\t').replaceAll('\n', '\\n').replaceAll('\r', '\\r')
}

function truthCell(truth: boolean | null): string {
  if (truth === null) return '\\N'
  return truth ? 't' : 'f'
}

const dayMs = 86_400_000
const daysMax = 10_000
/** Most moments of a directory fall on few days, and a day's text is the dear half of toISOString. */
const days = new Map<number, string>()
const twoDigits = Array.from({ length: 60 }, (_, n) => String(n).padStart(2, '0'))

function dateCell(date: Date | null): string {
  if (date === null) return '\\N'
  const ms = date.getTime()
  const day = Math.floor(ms / dayMs)
  const inDay = ms - day * dayMs
  const seconds = Math.floor(inDay / 1_000)
  const minutes = Math.floor(seconds / 60)
  const clock = `${twoDigits[Math.floor(minutes / 60)]}:${twoDigits[minutes % 60]}:${twoDigits[seconds % 60]}`
  const rest = inDay % 1_000
  return `${dayText(day)} ${clock}${rest === 0 ? '' : `.${String(rest).padStart(3, '0')}`}+00`
}

function dayText(day: number): string {
  const known = days.get(day)
  if (known !== undefined) return known
  if (days.size >= daysMax) days.clear()
  const text = new Date(day * dayMs).toISOString().slice(0, 10)
  days.set(day, text)
  return text
}

/** For the hash only: an ISO text costs ten times as much. */
function momentText(date: Date | null): string {
  return date === null ? '' : String(date.getTime())
}

function quoted(item: string): string {
  return `"${item.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`
}
