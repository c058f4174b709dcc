// What a file of people says: its heading found by common names, each line read straight into an account or refused by number.
import { createHash } from 'node:crypto'
import { CsvError, type Info } from 'csv-parse'
import { breathe } from '../../lib/breath.ts'
import { csvRecords } from '../../lib/csv.ts'
import { cleanText } from '../../lib/text.ts'
import { type Account, type AccountStatus, accountOf } from '../account.ts'
import { ProviderError, RowRefused } from '../errors.ts'

export const fileMaxBytes = 5 * 1024 * 1024
export const rowsMax = 50_000
/** People a page. */
export const pageSize = 200
/** Read at once: some milliseconds of work. */
const rowsAtOnce = 500
/** Lines of a file that are named in a window. */
const namedMax = 10
const headingsMax = 200

/** A line of the file, with its person or why there is none. */
export interface Row {
  id: string | null
  line: number
  account?: Account
  /** Why it is left out. */
  why?: string
}

export interface FileOfPeople {
  /** Of this file's content and of no other's. */
  key: string
  rows: Row[]
  /** For people: the lines that are left out; undefined: none are. */
  notice?: string | undefined
}

type Given = Readonly<Record<string, string>>
type Field = keyof typeof headings

/** What the columns are called, in lower case and without anything but letters and digits. */
const headings = {
  id: ['id', 'userid', 'externalid', 'accountid', 'uid', 'employeeid', 'memberid'],
  email: ['email', 'emailaddress', 'mail', 'useremail', 'primaryemail', 'workemail'],
  name: ['name', 'fullname', 'displayname'],
  firstName: ['firstname', 'givenname'],
  lastName: ['lastname', 'surname', 'familyname'],
  status: ['status', 'state', 'accountstatus', 'userstatus', 'active', 'enabled'],
  roles: ['roles', 'role', 'userrole'],
  licences: ['licences', 'licence', 'licenses', 'license', 'seat', 'plan'],
  lastActive: ['lastactive', 'lastactivity', 'lastlogin', 'lastsignin', 'lastseen'],
  created: ['created', 'createdat', 'creationdate', 'datecreated', 'joined', 'dateadded'],
  admin: ['admin', 'isadmin', 'administrator'],
  mfa: ['mfa', 'mfaenabled', '2fa', '2faenabled', 'twofactor'],
} as const

const statusWords: Readonly<Record<AccountStatus, readonly string[]>> = {
  active: ['active', 'enabled', 'activated', 'current', 'ok', 'yes', 'true', '1'],
  invited: ['invited', 'pending', 'invitation sent', 'provisioned', 'staged', 'not activated'],
  suspended: ['suspended', 'locked', 'locked out', 'blocked', 'paused', 'on hold'],
  deactivated: [
    'deactivated',
    'inactive',
    'disabled',
    'deleted',
    'removed',
    'archived',
    'left',
    'no',
    'false',
    '0',
  ],
}

const yes = ['yes', 'y', 'true', '1', 'x', 'on', 'enabled', 'enrolled']
const no = ['no', 'n', 'false', '0', 'off', 'disabled', 'not enrolled', '-']
const never = ['', '-', 'never', 'n/a', 'none']

/** Everybody in the file. Throws ProviderError `settings`, with the lines, for a file that cannot be taken at all. */
export async function readFile(given: Given): Promise<FileOfPeople> {
  const text = given.file ?? ''
  const { heading, lines } = await recordsOf(text)
  const columns = columnsOf(heading, given)
  const known = new Map<string, number>()
  const rows: Row[] = []
  for (const line of lines) {
    rows.push(rowOf(line, { columns, width: heading.length, known }))
    if (rows.length % rowsAtOnce === 0) await breathe()
  }
  if (rows.length === 0) throw refusedFile('The file has a heading and nobody below it.')
  refuseMostlyBad(rows)
  return { key: createHash('sha256').update(text).digest('hex'), rows, notice: noticeOf(rows) }
}

/** The person of one row. Throws RowRefused, which says the line. */
export function toAccount(item: unknown): Account {
  const { account, line, why } = item as Row
  if (!account) throw new RowRefused(`Line ${line}: ${why}.`)
  return account
}

interface Line {
  /** Counted from 1, the heading's. */
  number: number
  cells: readonly string[]
}

async function recordsOf(text: string): Promise<{ heading: readonly string[]; lines: Line[] }> {
  try {
    const read: Line[] = []
    for await (const { record, info } of csvRecords(text, delimiterOf(text))) {
      read.push({ number: startOf(record, info), cells: record.map(cell => cell.trim()) })
      if (read.length > rowsMax + 1)
        throw refusedFile(`The file has more than ${rowsMax.toLocaleString('en-US')} lines.`)
    }
    const [first, ...rest] = read
    if (!first) throw refusedFile('The file is empty.')
    return { heading: first.cells, lines: rest.filter(({ cells }) => cells.some(cell => cell !== '')) }
  } catch (error) {
    if (!(error instanceof CsvError)) throw error
    // Its own words are left out: they quote the file.
    const line = typeof error.lines === 'number' ? `Line ${error.lines}` : 'The file'
    throw refusedFile(
      error.code === 'CSV_QUOTE_NOT_CLOSED'
        ? `${line}: a quotation mark is opened and not closed.`
        : `${line} cannot be read as CSV: look for a quotation mark that should be doubled.`,
    )
  }
}

/** The parser counts where a record ends; a cell may hold line breaks. */
function startOf(record: readonly string[], { lines }: Info): number {
  return lines - record.reduce((breaks, cell) => breaks + (cell.match(/\r\n|\n|\r/g)?.length ?? 0), 0)
}

/** Of comma, semicolon and tab the one that stands most in the heading, quoted parts left out. */
function delimiterOf(text: string): string {
  const end = text.search(/[\r\n]/)
  const heading = text.slice(0, end < 0 ? undefined : end).replace(/"[^"]*"/g, '')
  const times = (mark: string) => heading.split(mark).length
  return [',', ';', '\t'].toSorted((a, b) => times(b) - times(a))[0] ?? ','
}

/** Where each field stands. Throws for a heading in which two columns are the same, and for one without a key. */
function columnsOf(heading: readonly string[], given: Given): Map<Field, number> {
  if (heading.length > headingsMax) throw refusedFile(`The heading has more than ${headingsMax} columns.`)
  const words = heading.map(plain)
  const twice = words.findIndex((word, at) => word !== '' && words.indexOf(word) !== at)
  if (twice >= 0) throw refusedFile(`Line 1: there are two columns “${shown(heading[twice])}”.`)
  const columns = new Map<Field, number>()
  for (const field of Object.keys(headings) as Field[]) {
    const named = given[`${field}Column`] ?? ''
    const found = words.flatMap((word, at) =>
      (
        named === ''
          ? (headings[field] as readonly string[]).includes(word)
          : word !== '' && word === plain(named)
      )
        ? [at]
        : [],
    )
    const [at] = found
    if (named !== '' && at === undefined)
      throw refusedFile(`There is no column of this name in the file.`, `${field}Column`)
    if (found.length > 1)
      throw refusedFile(
        `Line 1: “${shown(heading[found[0] ?? 0])}” and “${shown(heading[found[1] ?? 0])}” mean the same. Leave one out.`,
      )
    if (at !== undefined) columns.set(field, at)
  }
  if (!columns.has('id') && !columns.has('email'))
    throw refusedFile(
      'Line 1 must be a heading with a column “id” or “email”. Start from the template below.',
    )
  return columns
}

function rowOf(
  { number, cells }: Line,
  { columns, width, known }: { columns: Map<Field, number>; width: number; known: Map<string, number> },
): Row {
  const cell = (field: Field) => cells[columns.get(field) ?? -1] ?? ''
  const email = cell('email')
  const id = (columns.has('id') ? cell('id') : email.toLowerCase()).normalize('NFC').trim()
  const refused = (why: string): Row => ({ id: id || null, line: number, why })
  if (id === '') return refused(columns.has('id') ? 'there is no id' : 'there is no e-mail address')
  if (cleanText(id, 255) !== id) return refused('the id is too long or has characters that cannot be stored')
  const before = known.get(id)
  if (before !== undefined) return refused(`the id is the one of line ${before} again`)
  known.set(id, number)
  if (cells.slice(width).some(extra => extra !== '')) return refused('it has more cells than the heading')
  if (email !== '' && !/^[^\s@]+@[^\s@]+$/.test(email)) return refused('the e-mail is not an address')
  const status = columns.has('status') ? statusOf(cell('status')) : 'active'
  if (!status) return refused('the status is none of active, invited, suspended, deactivated')
  const [lastActiveAt, createdAt] = [dateOf(cell('lastActive')), dateOf(cell('created'))]
  if (lastActiveAt === undefined || createdAt === undefined)
    return refused('a date does not look like 2026-11-25')
  const [admin, mfa] = [flagOf(cell('admin')), flagOf(cell('mfa'))]
  if (admin === undefined || mfa === undefined) return refused('admin and MFA are yes or no')
  const account = accountOf({
    externalId: id,
    email: email || null,
    name: cell('name') || `${cell('firstName')} ${cell('lastName')}`.trim() || null,
    status,
    roles: listOf(cell('roles')),
    licences: listOf(cell('licences')),
    ...{ admin, mfa, lastActiveAt, createdAt },
  })
  return { id, line: number, account }
}

function statusOf(told: string): AccountStatus | undefined {
  const word = told.toLowerCase().replaceAll('_', ' ')
  return (Object.keys(statusWords) as AccountStatus[]).find(status => statusWords[status].includes(word))
}

/** null: it is not said. undefined: it cannot be read; a day before a month or after it would be a guess. */
function dateOf(told: string): Date | null | undefined {
  if (never.includes(told.toLowerCase())) return null
  if (!/^\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d{1,9})?)?( ?(Z|[+-]\d\d:?\d\d))?)?$/i.test(told))
    return undefined
  const iso = told.replace(' ', 'T').replace(' ', '')
  const date = new Date(/T.*(Z|[+-]\d\d:?\d\d)$/i.test(iso) || !iso.includes('T') ? iso : `${iso}Z`)
  return Number.isNaN(date.getTime()) ? undefined : date
}

function flagOf(told: string): boolean | null | undefined {
  const word = told.toLowerCase()
  if (word === '') return null
  return yes.includes(word) ? true : no.includes(word) ? false : undefined
}

function listOf(told: string): string[] {
  return told
    .split(/[,;|\n]/)
    .map(word => word.trim())
    .filter(word => word !== '')
}

/** A page of which more than half is refused would be refused whole, as of any application: it is said here by line. */
function refuseMostlyBad(rows: readonly Row[]): void {
  for (let from = 0; from < rows.length; from += pageSize) {
    const page = rows.slice(from, from + pageSize)
    if (page.filter(isRefused).length * 2 > page.length)
      throw refusedFile(`Too many lines cannot be read.\n${named(page.filter(isRefused))}`)
  }
}

function noticeOf(rows: readonly Row[]): string | undefined {
  const bad = rows.filter(isRefused)
  if (bad.length === 0) return undefined
  return `${bad.length === 1 ? 'One line' : `${bad.length.toLocaleString('en-US')} lines`} cannot be read, and while that is so nobody is removed:\n${named(bad)}`
}

function named(bad: readonly Row[]): string {
  const lines = bad
    .slice(0, namedMax)
    .map(({ id, line, why }) => `Line ${line}${id === null ? '' : ` (${shown(id)})`}: ${why}.`)
  return [
    ...lines,
    ...(bad.length > namedMax ? [`and ${(bad.length - namedMax).toLocaleString('en-US')} more`] : []),
  ].join('\n')
}

function isRefused(row: Row): boolean {
  return row.why !== undefined
}

function plain(heading: string): string {
  return heading.toLowerCase().replace(/[^\p{L}\p{N}]/gu, '')
}

function shown(text: string | undefined): string {
  return cleanText((text ?? '').trim(), 40)
}

function refusedFile(message: string, field = 'file'): ProviderError {
  return new ProviderError('settings', { message, detail: 'the file was refused', field })
}
