// A stand-in of an application that speaks SCIM 2.0: RFC 7644 lists and errors, bearer or basic, pages of at most 50.
import type { Clock } from '../../lib/clock.ts'
import {
  createDirectory,
  type DatedPerson,
  type DirectoryState,
  seedDay,
  seedName,
  type VendorAnswer,
  type VendorRequest,
} from './directory.ts'
import type { VendorStandIn } from './vendor-stand-in.ts'

const pageMax = 50

/** 120 people, two of them inactive; with basic authentication any user name goes, the password is the token. */
export function createScimStandIn({ clock }: { clock: Clock }): VendorStandIn {
  return createDirectory(
    {
      id: 'scim',
      name: 'SCIM',
      tokenPrefix: 'scim-',
      contentType: 'application/scim+json; charset=utf-8',
      seed: Array.from({ length: 120 }, (_, n) => seeded(n)),
      fields: address => ({ address, user: '' }),
      person: ({ name, email }, serial) => ({
        id: `u-${serial}`,
        name,
        email,
        status: 'active',
        role: 'user',
      }),
      changed: (person, change) => ({ ...person, ...change }),
      suspended: person => ({ ...person, status: 'deactivated' }),
      rateLimited: () => ({ ...failed(429, 'Too many requests'), headers: { 'retry-after': '60' } }),
      broken: () => failed(503, 'Service unavailable'),
      serve,
    },
    clock,
  )
}

function serve({ method, url, headers }: VendorRequest, state: DirectoryState): VendorAnswer {
  if (!state.accepts(tokenIn(headers.authorization ?? '')))
    return { ...failed(401, 'Authorization failure'), headers: { 'www-authenticate': 'Bearer' } }
  if (url.pathname !== '/Users') return failed(404, 'No such resource')
  if (method !== 'GET') return failed(405, 'Only GET is supported')
  if (!state.scopeGiven()) return failed(403, 'Operation is not permitted')
  const query = url.searchParams
  if (query.has('filter')) return failed(400, 'Filtering is not supported', 'invalidFilter')
  const start = integer(query.get('startIndex') ?? '1')
  const count = integer(query.get('count') ?? String(pageMax))
  if (start === undefined || count === undefined)
    return failed(400, 'startIndex and count must be integers', 'invalidValue')
  const from = Math.max(start, 1)
  const all = state.people()
  const page = all.slice(from - 1, from - 1 + Math.min(Math.max(count, 0), pageMax))
  return {
    status: 200,
    body: {
      schemas: ['urn:ietf:params:scim:api:messages:2.0:ListResponse'],
      totalResults: all.length,
      startIndex: from,
      itemsPerPage: page.length,
      Resources: page.map(wire),
    },
  }
}

function wire(person: DatedPerson) {
  const [givenName = '', ...rest] = person.name.split(' ')
  return {
    schemas: ['urn:ietf:params:scim:schemas:core:2.0:User'],
    id: person.id,
    userName: person.email,
    name: { givenName, familyName: rest.join(' '), formatted: person.name },
    displayName: person.name,
    active: person.status !== 'deactivated' && person.status !== 'suspended',
    emails: [{ value: person.email, type: 'work', primary: true }],
    ...(person.role === null ? {} : { roles: [{ value: person.role }] }),
    meta: { resourceType: 'User', created: person.createdAt, location: `/Users/${person.id}` },
  }
}

function tokenIn(authorization: string): string {
  const [, word, value] = /^(Bearer|Basic) (.+)$/i.exec(authorization) ?? []
  if (word === undefined || value === undefined) return ''
  if (word.toLowerCase() === 'bearer') return value
  const given = Buffer.from(value, 'base64').toString('utf8')
  return given.slice(given.indexOf(':') + 1)
}

function seeded(n: number): DatedPerson {
  const status = n % 60 === 30 ? 'deactivated' : 'active'
  return { id: `u-${n + 1}`, ...seedName(n), status, role: n < 5 ? 'admin' : 'user', createdAt: seedDay(n) }
}

function integer(given: string): number | undefined {
  return /^-?\d{1,9}$/.test(given) ? Number(given) : undefined
}

/** RFC 7644, section 3.12: the status is a string. */
function failed(status: number, detail: string, scimType?: string): VendorAnswer {
  const schemas = ['urn:ietf:params:scim:api:messages:2.0:Error']
  return { status, body: { schemas, status: String(status), detail, ...(scimType ? { scimType } : {}) } }
}
