// GitHub as the contract suite meets it: four lists, Link headers, scopes in headers.
import { byLink } from '../vendor-pages.ts'
import type { Asked, Person, VendorPlan, World } from '../vendor-stand-in.ts'

const lists = {
  admin: (one: Person) => one.status === 'active' && one.n < 250,
  member: (one: Person) => one.status === 'active' && one.n >= 250 && one.n < 430,
  outside: (one: Person) => one.status === 'active' && one.n >= 430,
  invitations: (one: Person) => one.status === 'invited',
}
const paging = { size: 'per_page', max: 100, cursor: 'page' }
const scopes = { 'x-oauth-scopes': 'admin:org, repo' }

const list = (asked: Asked, world: World, of: (one: Person) => boolean) => {
  const answer = byLink(asked, world, world.people.filter(of), paging, one => ({
    id: one.n + 1,
    login: `${one.first}-${one.last}`,
    email: one.status === 'invited' ? one.email : null,
    role: 'direct_member',
  }))
  return { ...answer, headers: { ...scopes, ...answer.headers } }
}

export default {
  id: 'github',
  credentials: ({ tenant, secret }) => ({ organisation: tenant, token: secret, address: '' }),
  statuses: ['active', 'invited'],
  emails: false,
  inOrder: people => Object.values(lists).flatMap(of => people.filter(of)),
  accountId: one => (one.status === 'invited' ? `invitation:${one.n + 1}` : String(one.n + 1)),
  refused: { status: 401, body: { message: 'Bad credentials' } },
  forbidden: {
    answer: {
      status: 403,
      headers: { 'x-accepted-oauth-scopes': 'admin:org, read:org, write:org' },
      body: { message: 'Resource not accessible by personal access token' },
    },
    names: ['read:org'],
  },
  limited: {
    answer: now => ({
      status: 403,
      headers: {
        'x-ratelimit-remaining': '0',
        'x-ratelimit-reset': String(Math.ceil(now.getTime() / 1000) + 90),
      },
      body: { message: 'API rate limit exceeded' },
    }),
    waitMs: 90_000,
  },
  routes: {
    'GET https://api.github.com/user/memberships/orgs/:org': ({ params }) => ({
      headers: scopes,
      body: { organization: { id: params.org === 'acme' ? 1 : 2, login: params.org } },
    }),
    // Whoever is a member has signed on; a lookup is no page of a listing.
    'POST https://api.github.com/graphql': ({ json }, world) => {
      const from = Number(json.variables.after ?? 0)
      const members = world.people.filter(one => lists.admin(one) || lists.member(one))
      const nodes = members.slice(from, from + json.variables.first).map(one => ({
        user: { databaseId: one.n + 1 },
        samlIdentity: { nameId: one.email, username: null, emails: [] },
      }))
      const pageInfo = { hasNextPage: from + nodes.length < members.length, endCursor: String(from + 100) }
      const samlIdentityProvider = { externalIdentities: { nodes, pageInfo } }
      return { headers: scopes, body: { data: { organization: { samlIdentityProvider } } } }
    },
    'GET https://api.github.com/orgs/:org/members': (asked, world) =>
      list(asked, world, asked.url.searchParams.get('role') === 'admin' ? lists.admin : lists.member),
    'GET https://api.github.com/orgs/:org/outside_collaborators': (asked, world) =>
      list(asked, world, lists.outside),
    'GET https://api.github.com/orgs/:org/invitations': (asked, world) =>
      list(asked, world, lists.invitations),
  },
  foreign: (answer, address) => ({ ...answer, headers: { link: `<${address}>; rel="next"` } }),
} satisfies VendorPlan
