// One page's items turned into clean accounts: bad rows become problems, bad values become null, nothing is invented.
import { z } from 'zod'
import { cleanText, codePoints } from '../lib/text.ts'
import type { Account } from './account.ts'
import type { Credentials, Listing, Looked } from './connector.ts'
import { RowRefused } from './errors.ts'

const firstMs = Date.UTC(1900, 0)
const endMs = Date.UTC(2200, 0)

export interface RowProblem {
  externalId: string | null
  message: string
}

/** Read each item by the listing. What it leaves out (null) is neither an account nor a problem. */
export function readRows(
  listing: Listing,
  items: readonly unknown[],
  { credentials, looked }: { credentials: Credentials; looked: Looked },
) {
  const accounts: Account[] = []
  const problems: RowProblem[] = []
  for (const item of items) {
    try {
      const account = listing.account(item, credentials, looked)
      if (account === null) continue
      const clean = cleanAccount(account)
      const whole =
        clean.externalId === account.externalId ||
        clean.externalId === account.externalId.normalize('NFC').trim()
      if (clean.externalId === '') problems.push({ externalId: null, message: 'The account has no id.' })
      else if (account.externalId.length > 255 && codePoints(account.externalId) > 255)
        problems.push({ externalId: clean.externalId, message: 'The account has an id that is too long.' })
      // Two ids that differ in what cannot be stored would become one person.
      else if (!whole)
        problems.push({
          externalId: clean.externalId,
          message: 'The account has an id with characters that cannot be stored.',
        })
      else accounts.push(clean)
    } catch (error) {
      problems.push({ externalId: idOf(item), message: unreadWhy(error) })
    }
  }
  return { accounts, problems }
}

/** What may be stored: text cleaned and cut, an address without `@` and a date that is no date left out. */
function cleanAccount(account: Account): Account {
  return {
    externalId: cleanText(account.externalId, 255).trim(),
    email: cleanEmail(account.email),
    name: account.name === null ? null : blankIsNull(cleanText(account.name, 300)),
    status: account.status,
    kind: account.kind,
    roles: cleanWords(account.roles),
    admin: account.admin,
    licences: cleanWords(account.licences),
    mfa: account.mfa,
    lastActiveAt: cleanDate(account.lastActiveAt),
    createdAt: cleanDate(account.createdAt),
  }
}

function cleanEmail(email: string | null): string | null {
  if (email === null) return null
  const trimmed = cleanText(email, 1_000).trim()
  const fits = trimmed.length <= 254 || codePoints(trimmed) <= 254
  return fits && /^[^\s@]+@[^\s@]+$/.test(trimmed) ? trimmed : null
}

function cleanWords(words: readonly string[]): string[] {
  if (words.length === 0) return []
  const clean = words.map(word => cleanText(word, 255).trim()).filter(word => word !== '')
  return [...new Set(clean)].slice(0, 200)
}

/** Directories write “never” as the first or last moment they know: 0001-01-01, 1601-01-01, 1899-12-30, 1970-01-01T00:00Z, 9999-12-31. */
function cleanDate(date: Date | null): Date | null {
  if (date === null) return null
  const ms = date.getTime()
  // A date that is none is NaN, and in no range.
  return ms >= firstMs && ms < endMs && ms !== 0 ? date : null
}

function blankIsNull(text: string): string | null {
  const trimmed = text.trim()
  return trimmed === '' ? null : trimmed
}

function idOf(item: unknown): string | null {
  const id = item && typeof item === 'object' && 'id' in item ? item.id : null
  return typeof id === 'string' || typeof id === 'number' ? blankIsNull(cleanText(String(id), 255)) : null
}

function unreadWhy(error: unknown): string {
  if (error instanceof RowRefused) return cleanText(error.message, 300)
  const path = error instanceof z.ZodError ? error.issues[0]?.path.map(String).join('.') : undefined
  return path ? `The field “${cleanText(path, 100)}” cannot be read.` : 'The account cannot be read.'
}
