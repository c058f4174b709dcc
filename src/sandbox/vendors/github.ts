// A stand-in of GitHub's organisation API: members by role, outside collaborators, invitations, scopes in headers, its rate limit.
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
import type { VendorStandIn } from './vendor-stand-in.ts'

const org = { login: 'acme', id: 90210 }
/** The roles in the order in which the listings give them; the last two are outside collaborators and invitations. */
const roles = ['owner', 'member', 'outside collaborator', 'invitation']
const docs = 'https://docs.github.com/rest'

/**
 * Organisation `acme` of 60: 3 owners, 51 members, 4 outside collaborators, 2 invitations. `scopes` are those of a
 * classic token while its scope is given; `mount` is the path that its own links begin with.
 */
export function createGithubStandIn({
  clock,
  mount = '/vendors/github',
  scopes = ['admin:org'],
}: {
  clock: Clock
  mount?: string
  scopes?: readonly string[]
}): VendorStandIn {
  const granted = (state: DirectoryState) => (state.scopeGiven() ? scopes : ['repo'])
  return createDirectory(
    {
      id: 'github',
      name: 'GitHub',
      tokenPrefix: 'ghp_',
      contentType: 'application/json; charset=utf-8',
      seed: Array.from({ length: 60 }, (_, n) => seeded(n)),
      fields: address => ({ organisation: org.login, address }),
      inOrder: people => people.toSorted((a, b) => roles.indexOf(a.role ?? '') - roles.indexOf(b.role ?? '')),
      person: ({ name, email }, serial) => ({
        id: String(serial),
        name: loginOf(name),
        email,
        status: 'active',
        role: 'member',
      }),
      changed: (person, { name, email, role }) => ({
        ...person,
        name: name === undefined ? person.name : loginOf(name),
        email: email ?? person.email,
        role: role !== undefined && roles.includes(role) ? role : person.role,
      }),
      // GitHub has no suspension in an organisation; its nearest is to make somebody an outside collaborator.
      suspended: person =>
        person.role === 'invitation' ? person : { ...person, role: 'outside collaborator' },
      headers: state => ({ 'x-github-media-type': 'github.v3', ...rate(state, 4_900) }),
      rateLimited: state => ({
        ...failed(403, 'API rate limit exceeded for user ID 1.'),
        headers: rate(state, 0),
      }),
      broken: () => failed(503, 'Service unavailable'),
      serve: (asked, state) => serve(asked, state, granted(state), mount),
    },
    clock,
  )
}

function serve(
  asked: VendorRequest,
  state: DirectoryState,
  granted: readonly string[],
  mount: string,
): VendorAnswer {
  const { method, url, headers } = asked
  if (!headers['user-agent']) return failed(403, 'Request forbidden by administrative rules.')
  const token = /^(?:Bearer|token) (.+)$/i.exec(headers.authorization ?? '')?.[1]
  if (token === undefined) return failed(401, 'Requires authentication')
  if (!state.accepts(token)) return failed(401, 'Bad credentials')
  const answer = method === 'GET' ? route(url, state, granted, mount) : failed(404, 'Not Found')
  return { ...answer, headers: { ...answer.headers, 'x-oauth-scopes': granted.join(', ') } }
}

function route(url: URL, state: DirectoryState, granted: readonly string[], mount: string): VendorAnswer {
  const [, room, name, list, more] =
    /^\/(user\/memberships\/orgs|orgs)\/([^/]+)(?:\/([a-z_]+))?(\/.*)?$/.exec(url.pathname) ?? []
  if (name?.toLowerCase() !== org.login || more !== undefined) return failed(404, 'Not Found')
  const reads = granted.some(scope => /^(read|write|admin):org$/.test(scope))
  if (!reads) return forbidden('admin:org, read:org, write:org')
  if (room !== 'orgs')
    return list === undefined
      ? {
          status: 200,
          body: { state: 'active', role: 'admin', organization: org, user: { login: 'saasm', id: 1 } },
        }
      : failed(404, 'Not Found')
  const people = state.people()
  if (list === 'members') {
    const role = url.searchParams.get('role') ?? 'all'
    if (!['all', 'admin', 'member'].includes(role)) return failed(422, 'Validation Failed')
    const wanted = role === 'admin' ? ['owner'] : role === 'member' ? ['member'] : ['owner', 'member']
    return paged(
      url,
      mount,
      people.filter(person => wanted.includes(person.role ?? '')),
      member,
    )
  }
  if (list === 'outside_collaborators')
    return paged(
      url,
      mount,
      people.filter(person => person.role === 'outside collaborator'),
      member,
    )
  if (list !== 'invitations') return failed(404, 'Not Found')
  if (!granted.includes('admin:org')) return forbidden('admin:org')
  return paged(
    url,
    mount,
    people.filter(person => person.role === 'invitation'),
    invited,
  )
}

function paged(
  url: URL,
  mount: string,
  all: readonly DatedPerson[],
  wire: (person: DatedPerson) => object,
): VendorAnswer {
  const size = Math.min(wholeIn(url.searchParams, 'per_page', 30, 1_000_000) ?? 30, 100)
  const page = wholeIn(url.searchParams, 'page', 1, 1_000_000) ?? 1
  const body = all.slice((page - 1) * size, page * size).map(wire)
  if (page * size >= all.length) return { status: 200, body }
  const next = new URL(url)
  next.pathname = mount + url.pathname
  next.searchParams.set('page', String(page + 1))
  return { status: 200, headers: { link: `<${next.href}>; rel="next"` }, body }
}

function member({ id, name }: DatedPerson) {
  return { login: name, id: Number(id), type: 'User', site_admin: false }
}

function invited({ id, name, email, createdAt }: DatedPerson) {
  return { id: Number(id), login: name, email, role: 'direct_member', created_at: createdAt }
}

function seeded(n: number): DatedPerson {
  const role = n < 3 ? 'owner' : n < 54 ? 'member' : n < 58 ? 'outside collaborator' : 'invitation'
  const { name, email } = seedName(n)
  const status = role === 'invitation' ? 'invited' : 'active'
  return { id: String(41_000 + n), name: loginOf(name), email, status, role, createdAt: seedDay(n) }
}

function loginOf(name: string): string {
  return name
    .trim()
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, 39)
}

function forbidden(acceptedScopes: string): VendorAnswer {
  return {
    ...failed(403, 'Resource not accessible by personal access token'),
    headers: { 'x-accepted-oauth-scopes': acceptedScopes },
  }
}

function rate(state: DirectoryState, remaining: number): Record<string, string> {
  return {
    'x-ratelimit-limit': '5000',
    'x-ratelimit-remaining': String(remaining),
    'x-ratelimit-reset': String(Math.ceil(state.now().getTime() / 1000) + 60),
    'x-ratelimit-resource': 'core',
  }
}

function failed(status: number, message: string): VendorAnswer {
  return { status, body: { message, documentation_url: docs, status: String(status) } }
}
