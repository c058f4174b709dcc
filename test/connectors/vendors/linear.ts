// Linear as the contract suite meets it: GraphQL on one address, the suspended only when asked for, limits as 400.
import { cut } from '../vendor-pages.ts'
import type { Person, VendorPlan } from '../vendor-stand-in.ts'

const fault = (status: number, type: string, code?: string) => ({
  status,
  body: { errors: [{ message: type, extensions: { type, ...(code ? { code } : {}) } }] },
})

const user = (one: Person) => ({
  id: one.id,
  name: `${one.first} ${one.last}`,
  email: one.email,
  active: one.status === 'active',
  admin: one.n === 0,
  owner: false,
  guest: one.n === 1,
  app: one.bot,
  lastSeen: null,
  createdAt: '2024-01-08T09:00:00.000Z',
})

export default {
  id: 'linear',
  credentials: ({ secret }) => ({ key: secret }),
  statuses: ['active', 'suspended'],
  bots: true,
  proves: ({ headers }, { secret }) => headers.authorization === secret,
  refused: fault(401, 'authentication error', 'AUTHENTICATION_ERROR'),
  forbidden: { answer: fault(200, 'forbidden', 'FORBIDDEN'), names: ['read'] },
  limited: {
    answer: now => ({
      ...fault(400, 'ratelimited', 'RATELIMITED'),
      headers: {
        'x-ratelimit-requests-remaining': '0',
        'x-ratelimit-requests-reset': String(now.getTime() + 66_000),
      },
    }),
    waitMs: 66_000,
  },
  routes: {
    'POST https://api.linear.app/graphql': ({ json }, world) => {
      const query = String(json.query)
      if (query.includes('organization'))
        return { body: { data: { organization: { id: `org-${world.tenant}`, name: world.tenant } } } }
      const people = world.people.filter(
        one => one.status !== 'suspended' || query.includes('includeDisabled: true'),
      )
      const { first, after } = json.variables
      const { rows, next } = cut(world, people, { size: first, max: 250, cursor: after })
      const pageInfo = { hasNextPage: next !== null, endCursor: next ?? 'c9999' }
      return { body: { data: { users: { nodes: rows.map(user), pageInfo } } } }
    },
  },
} satisfies VendorPlan
