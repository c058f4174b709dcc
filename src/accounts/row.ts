// What is stored of an account: the cells of either of COPY's formats, and the hash of its text that says whether two are the same.
import { hash } from 'node:crypto'
import type { Account } from '../connectors/account.ts'
import type { BinaryRows } from '../db/binary.ts'

/**
 * What of an account is stored but its id, as the cells of COPY's text format in the order of `personColumns`: two accounts with
 * the same text are the same row.
 */
export function textOf(account: Account): string {
  const { email, name, status, kind, roles, admin, licences, mfa, lastActiveAt, createdAt } = account
  return `${textCell(email)}\t${textCell(name)}\t${status}\t${kind}\t${textCell(arrayText(roles))}\t${truthCell(admin)}\t${textCell(arrayText(licences))}\t${truthCell(mfa)}\t${dateCell(lastActiveAt)}\t${dateCell(createdAt)}`
}

/** 22 characters, 132 bits. */
export function digestOf(text: string): string {
  return hash('sha256', text, 'base64url').slice(0, 22)
}

/** What an account is known again by. */
export function hashOf(account: Account): string {
  return digestOf(textOf(account))
}

/** The columns that `cellsOf` and `writeCells` fill, in their order. */
export const personColumns =
  'external_id, email, name, status, kind, roles, admin, licences, mfa, last_active_at, created_at, hash'
export const personCells = 12

/** The cells of an account, joined by tabs: of its id in the application, its `textOf` and the digest of that. */
export function cellsOf(externalId: string, text: string, digest = digestOf(text)): string {
  return `${textCell(externalId)}\t${text}\t${digest}`
}

/** The same in COPY's binary format. */
export function writeCells(rows: BinaryRows, account: Account, digest: string): void {
  rows.text(account.externalId)
  rows.text(account.email)
  rows.text(account.name)
  rows.text(account.status)
  rows.text(account.kind)
  rows.texts(account.roles)
  rows.truth(account.admin)
  rows.texts(account.licences)
  rows.truth(account.mfa)
  rows.moment(account.lastActiveAt)
  rows.moment(account.createdAt)
  rows.text(digest)
}

/** An array literal of Postgres. */
export function arrayText(items: readonly string[]): string {
  if (items.length === 0) return '{}'
  // One look at all of them: hardly an id or a role has anything to escape.
  const all = items.join('')
  if (!all.includes('"') && !all.includes('\\')) return `{"${items.join('","')}"}`
  return `{${items.map(quoted).join(',')}}`
}

const special = /[\\\t\n\r]/

/** As COPY reads it: no tab and no line break of its own. */
export function textCell(text: string | null): string {
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

function quoted(item: string): string {
  return `"${item.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`
}
