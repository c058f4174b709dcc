// How an answer of any shape is read by paths: JSONPath (RFC 9535), or just keys apart by dots.
import { type JsonValue, query } from 'jsonpath-rfc9535'
import { z } from 'zod'
import { type Account, type AccountStatus, accountOf, moment } from '../account.ts'
import { anyId, at } from '../bodies.ts'

type Given = Readonly<Record<string, string>>

/** True for '' and for what can be read; regular expressions in filters are left out, since they could take forever. */
export function isPath(typed: string): boolean {
  if (!typed.startsWith('$')) return typed === '' || /^[^.[\]'"]+(\.[^.[\]'"]+)*$/.test(typed)
  if (/\b(match|search)\s*\(/.test(typed)) return false
  try {
    query({}, typed)
    return true
  } catch {
    return false
  }
}

/** Everything at the path; a list counts as its members. */
function allAt(body: unknown, path: string | undefined): unknown[] {
  if (!path) return []
  const found = path.startsWith('$') ? query(body as JsonValue, path) : [at(body, ...path.split('.'))]
  return found.flat().filter(one => one !== undefined && one !== null)
}

/** The first at the path. */
export function firstAt(body: unknown, path: string | undefined): unknown {
  return allAt(body, path)[0]
}

/** The people of an answer: the list at the path, or what the path finds; undefined when nothing is there. */
export function itemsAt(body: unknown, { itemsPath }: Given): readonly unknown[] | undefined {
  if (!itemsPath) return Array.isArray(body) ? body : undefined
  const found = itemsPath.startsWith('$')
    ? query(body as JsonValue, itemsPath)
    : [at(body, ...itemsPath.split('.'))]
  const lists = found.filter(one => one !== undefined && one !== null)
  if (lists.length === 0) return undefined
  const [first] = lists
  if (lists.length === 1 && Array.isArray(first)) return first
  return lists.every(Array.isArray) ? lists.flat() : lists
}

const id = anyId.refine(told => told !== '')

/** One person, by the paths. Throws without an id, and for a status that is not one value. */
export function toAccount(item: unknown, given: Given): Account {
  const textAt = (path: string | undefined) => {
    const found = firstAt(item, path)
    return typeof found === 'string' || typeof found === 'number' ? String(found) : null
  }
  const textsAt = (path: string | undefined) =>
    allAt(item, path)
      .filter(one => typeof one === 'string' || typeof one === 'number')
      .map(String)
  return accountOf({
    externalId: id.parse(firstAt(item, given.idPath)),
    email: textAt(given.emailPath),
    name: textAt(given.namePath),
    status: statusOf(item, given),
    roles: textsAt(given.rolesPath),
    licences: textsAt(given.licencesPath),
    lastActiveAt: momentOf(textAt(given.activePath)),
    createdAt: momentOf(textAt(given.createdPath)),
  })
}

const statusWord = z
  .union([z.string(), z.number(), z.boolean()])
  .transform(told => String(told).toLowerCase())

function statusOf(item: unknown, given: Given): AccountStatus {
  if (!given.statusPath) return 'active'
  const told = statusWord.parse(firstAt(item, given.statusPath))
  const means = (words: string | undefined) =>
    (words ?? '').split(',').some(word => word.trim().toLowerCase() === told)
  const named = (['invited', 'suspended', 'deactivated'] as const).find(status => means(given[status]))
  return named ?? 'active'
}

/** Seconds since 1970 are told from milliseconds by their size. */
function momentOf(told: string | null): Date | null {
  if (told === null || !/^\d+(\.\d+)?$/.test(told)) return moment(told)
  const number = Number(told)
  return moment(number < 1e11 ? number * 1_000 : number)
}
