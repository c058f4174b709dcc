// An Atlassian organisation as the contract suite meets it: pages of the server's size, the next as a whole address.
import { cut, nextAddress } from '../vendor-pages.ts'
import type { Person, VendorPlan } from '../vendor-stand-in.ts'

const words = { active: 'active', suspended: 'inactive', deactivated: 'closed', invited: '' }

const user = (one: Person) => ({
  account_id: one.id,
  account_type: 'atlassian',
  account_status: words[one.status],
  name: `${one.first} ${one.last}`,
  email: one.email,
  last_active: '2026-11-20T08:00:00Z',
  product_access: [{ key: 'jira-software', name: 'Jira', last_active: '2026-11-21T08:00:00Z' }],
})

export default {
  id: 'atlassian',
  credentials: ({ tenant, secret }) => ({ organisation: tenant, key: secret }),
  statuses: ['active', 'suspended', 'deactivated'],
  refused: { status: 401, body: { errors: [{ code: 'UNAUTHORIZED' }] } },
  forbidden: {
    answer: { status: 403, body: { errors: [{ code: 'FORBIDDEN' }] } },
    names: ['read:accounts:admin', 'read:orgs:admin'],
  },
  limited: { answer: { status: 429, headers: { 'retry-after': '19' }, text: '' }, waitMs: 19_000 },
  routes: {
    'GET https://api.atlassian.com/admin/v1/orgs/:org': ({ params }) => ({
      body: { data: { id: params.org, attributes: { name: params.org } } },
    }),
    'GET https://api.atlassian.com/admin/v1/orgs/:org/users': (asked, world) => {
      const cursor = asked.url.searchParams.get('cursor')
      const { rows, next } = cut(world, world.people, { size: 100, max: 100, cursor })
      const links = next ? { next: nextAddress(asked, 'cursor', next) } : {}
      return { body: { data: rows.map(user), meta: { total: world.people.length }, links } }
    },
  },
  foreign: (answer, address) => ({
    ...answer,
    body: { ...(answer.body as object), links: { next: address } },
  }),
} satisfies VendorPlan
