// The ways that stand-ins page, each as refusing as the real ones: a size beyond the most is cut, an unknown cursor is an error.
import type { Answer, Asked, Person, World } from './vendor-stand-in.ts'

export interface Paging {
  /** The query key of the page size. */
  size: string
  /** The most, and the size when none is asked for. */
  max: number
  /** The query key of the cursor. */
  cursor: string
}

type Wire = (person: Person) => unknown

/** One page by an opaque cursor: the rows, and the next cursor; null after the last. */
export function cut(
  world: World,
  people: readonly Person[],
  {
    size,
    max,
    cursor,
  }: { size: number | string | null | undefined; max: number; cursor: string | null | undefined },
): { rows: readonly Person[]; next: string | null } {
  const from = cursor ? Number(/^c(\d+)$/.exec(cursor)?.[1] ?? Number.NaN) : 0
  if (Number.isNaN(from)) return { rows: [], next: null }
  const most = Math.min(Number(size ?? max) || max, max)
  const rows = world.slice(people, from, most)
  return { rows, next: from + most < people.length ? `c${from + most}` : null }
}

/** A page by the keys of the query. */
export function cutByQuery(asked: Asked, world: World, people: readonly Person[], paging: Paging) {
  const query = asked.url.searchParams
  return cut(world, people, {
    size: query.get(paging.size),
    max: paging.max,
    cursor: query.get(paging.cursor),
  })
}

/** A bare array, and the next address in a Link header. */
export function byLink(
  asked: Asked,
  world: World,
  people: readonly Person[],
  paging: Paging,
  wire: Wire,
): Answer {
  const { rows, next } = cutByQuery(asked, world, people, paging)
  const headers = next === null ? {} : { link: `<${nextAddress(asked, paging.cursor, next)}>; rel="next"` }
  return { headers, body: rows.map(wire) }
}

/** The same address with another cursor. */
export function nextAddress(asked: Asked, cursor: string, next: string): string {
  const url = new URL(asked.url)
  url.searchParams.set(cursor, next)
  return url.href
}

/** A page by an offset in the query, counted from `first`. */
export function cutByOffset(
  asked: Asked,
  world: World,
  people: readonly Person[],
  { size, max, cursor, first = 0 }: Paging & { first?: number },
): readonly Person[] {
  const query = asked.url.searchParams
  const from = Number(query.get(cursor) ?? first) - first
  return world.slice(people, from, Math.min(Number(query.get(size) ?? max), max))
}

/** RFC 7644: `startIndex` from 1, `count` cut at `max`. */
export function byScim(asked: Asked, world: World, max: number, wire: Wire = scimUser): Answer {
  const rows = cutByOffset(asked, world, world.people, { size: 'count', max, cursor: 'startIndex', first: 1 })
  return {
    body: {
      schemas: ['urn:ietf:params:scim:api:messages:2.0:ListResponse'],
      totalResults: world.people.length,
      startIndex: Number(asked.url.searchParams.get('startIndex') ?? 1),
      itemsPerPage: rows.length,
      Resources: rows.map(wire),
    },
  }
}

/** RFC 7644, section 3.12: the status is a string. */
export function scimError(status: number): Answer {
  const schemas = ['urn:ietf:params:scim:api:messages:2.0:Error']
  return { status, body: { schemas, status: String(status), detail: 'refused' } }
}

function scimUser(one: Person) {
  return {
    id: one.id,
    userName: one.email,
    displayName: `${one.first} ${one.last}`,
    emails: [{ value: one.email, primary: true }],
    active: one.status !== 'deactivated' && one.status !== 'suspended',
  }
}
