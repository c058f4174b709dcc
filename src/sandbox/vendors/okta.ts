// A stand-in of Okta's Users API: SSWS tokens, Link headers, its error codes and its rate limit headers.
import type { Clock } from '../../lib/clock.ts'
import {
  createDirectory,
  type DatedPerson,
  type DirectoryState,
  seedDay,
  seedName,
  type VendorAnswer,
  type VendorRequest,
  wholeIn,
} from './directory.ts'
import type { VendorPerson, VendorStandIn } from './vendor-stand-in.ts'

const words: Record<VendorPerson['status'], string> = {
  active: 'ACTIVE',
  invited: 'STAGED',
  suspended: 'SUSPENDED',
  deactivated: 'DEPROVISIONED',
}

/** 450 people, some suspended, staged or deprovisioned; `mount` is the path that its own links begin with. */
export function createOktaStandIn({
  clock,
  mount = '/vendors/okta',
}: {
  clock: Clock
  mount?: string
}): VendorStandIn {
  return createDirectory(
    {
      id: 'okta',
      name: 'Okta',
      tokenPrefix: '00',
      contentType: 'application/json',
      seed: Array.from({ length: 450 }, (_, n) => seeded(n)),
      fields: address => ({ domain: address }),
      person: ({ name, email }, serial) => ({ id: idOf(serial), name, email, status: 'active', role: null }),
      suspended: person => ({ ...person, status: 'suspended' }),
      headers: state => ({ ...rate(state, 599), 'x-okta-request-id': 'sandbox' }),
      rateLimited: state => ({
        ...failed(429, 'E0000047', 'API call exceeded rate limit due to too many requests.'),
        headers: rate(state, 0),
      }),
      broken: () => failed(503, 'E0000010', 'Service is in read only mode'),
      serve: (asked, state) => serve(asked, state, mount),
    },
    clock,
  )
}

function serve({ method, url, headers }: VendorRequest, state: DirectoryState, mount: string): VendorAnswer {
  const token = /^SSWS (.+)$/.exec(headers.authorization ?? '')?.[1]
  if (token === undefined) return failed(401, 'E0000005', 'Invalid session')
  if (!state.accepts(token)) return failed(401, 'E0000011', 'Invalid token provided')
  const org = url.pathname === '/api/v1/org'
  if (!org && url.pathname !== '/api/v1/users')
    return failed(404, 'E0000022', 'The endpoint does not support the provided HTTP method')
  if (method !== 'GET')
    return failed(405, 'E0000022', 'The endpoint does not support the provided HTTP method')
  if (!state.scopeGiven())
    return failed(403, 'E0000006', 'You do not have permission to perform the requested action')
  if (org) return { status: 200, body: { id: '00osandbox', companyName: 'Acme', status: 'ACTIVE' } }
  return users(url, state, mount)
}

function users(url: URL, state: DirectoryState, mount: string): VendorAnswer {
  const query = url.searchParams
  const limit = wholeIn(query, 'limit', 200, 200)
  if (limit === undefined) return failed(400, 'E0000001', 'Api validation failed: limit')
  const search = query.get('search')
  if (search !== null && search !== 'status pr') return failed(400, 'E0000031', 'Invalid search criteria.')
  const all = state.people().filter(({ status }) => search !== null || status !== 'deactivated')
  const after = query.get('after')
  const from = after === null ? 0 : all.findIndex(({ id }) => id === after) + 1
  if (after !== null && from === 0) return failed(400, 'E0000001', 'Api validation failed: after')
  const page = all.slice(from, from + limit)
  const link = (rel: string, cursor: string | null) => {
    const to = new URL(url)
    to.pathname = mount + url.pathname
    if (cursor !== null) to.searchParams.set('after', cursor)
    return `<${to.href}>; rel="${rel}"`
  }
  const last = page.at(-1)
  const links = [link('self', null)]
  if (last && from + limit < all.length) links.push(link('next', last.id))
  return { status: 200, headers: { link: links }, body: page.map(wire) }
}

function wire(person: DatedPerson) {
  const [firstName = '', ...rest] = person.name.split(' ')
  return {
    id: person.id,
    status: words[person.status],
    created: person.createdAt,
    activated: person.status === 'invited' ? null : person.createdAt,
    lastLogin: person.status === 'invited' ? null : person.createdAt,
    profile: {
      firstName,
      lastName: rest.join(' '),
      login: person.email,
      email: person.email,
      displayName: person.name,
    },
  }
}

function seeded(n: number): DatedPerson {
  const status =
    n % 100 === 40 ? 'deactivated' : n % 100 === 60 ? 'suspended' : n % 100 === 80 ? 'invited' : 'active'
  return { id: idOf(n + 1), ...seedName(n), status, role: null, createdAt: seedDay(n) }
}

function idOf(serial: number): string {
  return `00u${String(serial).padStart(17, '0')}`
}

function rate(state: DirectoryState, remaining: number): Record<string, string> {
  const reset = Math.ceil(state.now().getTime() / 1000) + 60
  return {
    'x-rate-limit-limit': '600',
    'x-rate-limit-remaining': String(remaining),
    'x-rate-limit-reset': String(reset),
  }
}

function failed(status: number, errorCode: string, errorSummary: string): VendorAnswer {
  const body = { errorCode, errorSummary, errorLink: errorCode, errorId: 'oaeSandbox', errorCauses: [] }
  return { status, body }
}
