// Zendesk as the contract suite meets it: basic authentication with `/token`, roles twice in the query, whole next links.
import { cutByQuery, nextAddress } from '../vendor-pages.ts'
import type { Person, VendorPlan } from '../vendor-stand-in.ts'

const paging = { size: 'page[size]', max: 100, cursor: 'page[after]' }

const user = (one: Person) => ({
  id: one.n + 1,
  name: `${one.first} ${one.last}`,
  email: one.email,
  active: one.status !== 'deactivated',
  suspended: one.status === 'suspended',
  role: one.n === 0 ? 'admin' : 'agent',
  role_type: one.n === 0 ? 4 : 1,
})

export default {
  id: 'zendesk',
  credentials: ({ tenant, secret }) => ({
    address: `${tenant}.zendesk.com`,
    email: `admin@${tenant}.example`,
    token: secret,
  }),
  statuses: ['active', 'suspended', 'deactivated'],
  accountId: one => String(one.n + 1),
  proves: (asked, { tenant, secret }) =>
    asked.headers.authorization ===
    `Basic ${Buffer.from(`admin@${tenant}.example/token:${secret}`).toString('base64')}`,
  refused: { status: 401, body: { error: "Couldn't authenticate you" } },
  forbidden: {
    answer: { status: 403, body: { error: { title: 'Forbidden', message: 'No access' } } },
    names: ['a role that may read users'],
  },
  limited: { answer: { status: 429, headers: { 'retry-after': '42' }, text: 'Too many' }, waitMs: 42_000 },
  routes: {
    'GET https://:tenant.zendesk.com/api/v2/users.json': (asked, world) => {
      const roles = asked.url.searchParams.getAll('role[]')
      if (roles.join() !== 'agent,admin') return { status: 400, body: { error: 'InvalidRole' } }
      const { rows, next } = cutByQuery(asked, world, world.people, paging)
      // The last page has a next address as well: only `has_more` tells.
      const link = nextAddress(asked, paging.cursor, next ?? 'c9999')
      return { body: { users: rows.map(user), meta: { has_more: next !== null }, links: { next: link } } }
    },
  },
  foreign: (answer, address) => ({
    ...answer,
    body: { ...(answer.body as object), meta: { has_more: true }, links: { next: address } },
  }),
} satisfies VendorPlan
