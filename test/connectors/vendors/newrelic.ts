// New Relic as the contract suite meets it: domains by one cursor, each domain's users by another, errors in a 200.
import type { Person, VendorPlan, World } from '../vendor-stand-in.ts'

const error = (errorClass: string) => ({
  status: 200,
  body: { data: { actor: null }, errors: [{ message: 'refused', extensions: { errorClass } }] },
})

/** Two pages of domains, of sizes that make users of two domains be unread at once. */
const domains = [
  { id: 'first', of: (one: Person) => one.n < 130 },
  { id: 'second', of: (one: Person) => one.n >= 130 && one.n < 300 },
  { id: 'third', of: (one: Person) => one.n >= 300 && one.n < 310 },
  { id: 'fourth', of: (one: Person) => one.n >= 310 },
]
const domainsPerPage = 3
const usersPerPage = 60

const user = (one: Person) => ({
  id: one.id,
  email: one.email,
  name: `${one.first} ${one.last}`,
  type: { displayName: 'Full platform' },
  lastActive: '2026-11-20T08:00:00Z',
  emailVerificationState: one.status === 'invited' ? 'Pending' : 'Verified',
})

/** What comes after `rows` at `from`; an unknown cursor is nobody's. */
const next = (from: number, size: number, all: number) => (from + size < all ? `c${from + size}` : null)
const placeOf = (cursor: string | null | undefined) => (cursor ? Number(cursor.slice(1)) : 0)

function users(world: World, at: (typeof domains)[number], cursor?: string) {
  const all = world.people.filter(at.of)
  const from = placeOf(cursor)
  return {
    nextCursor: next(from, usersPerPage, all.length),
    users: world.slice(all, from, usersPerPage).map(user),
  }
}

/** The first users of the first three domains, the rest of the first, of the second; then the same of the fourth. */
function inOrder(people: readonly Person[]): Person[] {
  const [one, two, three, four] = domains.map(({ of }) => people.filter(of))
  const [first, second] = [one ?? [], two ?? []]
  const beginning = [...first.slice(0, usersPerPage), ...second.slice(0, usersPerPage), ...(three ?? [])]
  return [...beginning, ...first.slice(usersPerPage), ...second.slice(usersPerPage), ...(four ?? [])]
}

export default {
  id: 'newrelic',
  credentials: ({ secret }) => ({ region: 'api.eu.newrelic.com', key: secret }),
  statuses: ['active', 'invited'],
  inOrder,
  proves: ({ headers }, world) => headers['api-key'] === world.secret,
  refused: { status: 401, body: { errors: [{ message: 'Invalid API key' }] } },
  forbidden: { answer: error('ACCESS_DENIED'), names: ['Authentication domain: read'] },
  limited: { answer: { ...error('TOO_MANY_REQUESTS'), headers: { 'retry-after': '4' } }, waitMs: 4_000 },
  routes: {
    'POST https://api.eu.newrelic.com/graphql': ({ json }, world) => {
      const { id, cursor, users: after } = json.variables
      if (!json.query.includes('userManagement'))
        return {
          body: { data: { actor: { organization: { id: `org-${world.tenant}`, name: world.tenant } } } },
        }
      const from = placeOf(cursor)
      const listed = id
        ? domains.filter(one => id.includes(one.id))
        : domains.slice(from, from + domainsPerPage)
      const authenticationDomains = {
        nextCursor: id ? null : next(from, domainsPerPage, domains.length),
        authenticationDomains: listed.map(one => ({ id: one.id, users: users(world, one, after) })),
      }
      return { body: { data: { actor: { organization: { userManagement: { authenticationDomains } } } } } }
    },
  },
} satisfies VendorPlan
