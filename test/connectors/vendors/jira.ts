// Jira as the contract suite meets it: a list that answers strangers with nobody, and pages that are thinned out after they were cut.
import type { Asked, Person, VendorPlan, World } from '../vendor-stand-in.ts'

const known = ({ headers }: Asked, { tenant, secret }: World) =>
  headers.authorization === `Basic ${Buffer.from(`admin@${tenant}.example:${secret}`).toString('base64')}`
const search = '/rest/api/3/users/search'

const user = (one: Person) => ({
  accountId: one.id,
  accountType: one.bot ? 'app' : 'atlassian',
  active: one.status === 'active',
  displayName: `${one.first} ${one.last}`,
  emailAddress: one.email,
})

/** Every place is a person or a deleted one, who is left out of the page. */
function page(asked: Asked, world: World) {
  const query = asked.url.searchParams
  const places = world.people.flatMap(one => (one.n % 5 === 0 ? [one, null] : [one]))
  const from = Number(query.get('startAt') ?? 0)
  const size = Math.min(Number(query.get('maxResults') ?? 50), 1000)
  world.slice(world.people, 0, size)
  const rows = places.slice(from, from + size).filter(one => one !== null)
  return { body: rows.map(user) }
}

export default {
  id: 'jira',
  credentials: ({ tenant, secret }) => ({
    site: `${tenant}.atlassian.net`,
    email: `admin@${tenant}.example`,
    token: secret,
  }),
  statuses: ['active', 'deactivated'],
  bots: true,
  proves: (asked, world) => asked.url.pathname === search || known(asked, world),
  refused: { status: 401, text: 'Client must be authenticated to access this resource.' },
  forbidden: { answer: { status: 403, body: { errorMessages: [] } }, names: ['Browse users and groups'] },
  limited: { answer: { status: 429, headers: { 'retry-after': '13' }, text: '' }, waitMs: 13_000 },
  always: {
    'GET https://:tenant.atlassian.net/rest/api/3/myself': () => ({ body: { accountId: 'me' } }),
    'GET https://:tenant.atlassian.net/rest/api/3/serverInfo': () => ({ body: { serverTitle: 'Acme' } }),
  },
  routes: {
    [`GET https://:tenant.atlassian.net${search}`]: (asked, world) =>
      known(asked, world) ? page(asked, world) : { body: [] },
  },
} satisfies VendorPlan
