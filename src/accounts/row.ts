// What is stored of an account, as text: the cells of COPY's text format, and the hash that says whether two are the same.
import { hash } from 'node:crypto'
import type { Account } from '../connectors/account.ts'

/** What of an account is stored, in a fixed order: two accounts with one hash are the same row. 22 characters. */
export function hashOf(account: Account): string {
  const moments = `${momentText(account.lastActiveAt)}\t${momentText(account.createdAt)}`
  return hash('sha256', `${wordsOf(account)}\t${moments}`, 'base64url').slice(0, 22)
}

/** The columns that `cellsOf` fills, in its order. */
export const personColumns =
  'external_id, email, name, status, kind, roles, admin, licences, mfa, last_active_at, created_at, hash'

/** The cells of an account, joined by tabs. */
export function cellsOf(account: Account, hash: string): string {
  const moments = `${dateCell(account.lastActiveAt)}\t${dateCell(account.createdAt)}`
  return `${textCell(account.externalId)}\t${wordsOf(account)}\t${moments}\t${hash}`
}

/** An array literal of Postgres. */
export function arrayText(items: readonly string[]): string {
  return items.length === 0 ? '{}' : `{${items.map(quoted).join(',')}}`
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

function dateCell(date: Date | null): string {
  return date === null ? '\\N' : date.toISOString()
}

/** For the hash only: an ISO text costs ten times as much. */
function momentText(date: Date | null): string {
  return date === null ? '' : String(date.getTime())
}

const quotable = /["\\]/

function quoted(item: string): string {
  if (!quotable.test(item)) return `"${item}"`
  return `"${item.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`
}
