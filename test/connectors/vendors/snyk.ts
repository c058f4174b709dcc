// Snyk as the contract suite meets it: JSON:API, sizes in tens, a next address that is a path.
import { cutByQuery } from '../vendor-pages.ts'
import type { Answer, Person, VendorPlan } from '../vendor-stand-in.ts'

const error = (status: number, code: string): Answer => ({
  status,
  body: { jsonapi: { version: '1.0' }, errors: [{ status: String(status), code, detail: 'refused' }] },
})

const member = (one: Person) => ({
  id: `membership-${one.id}`,
  type: 'group_membership',
  attributes: { created_at: '2024-01-02T03:04:05.000Z' },
  relationships: {
    user: {
      data: { id: one.id, type: 'user', attributes: { name: `${one.first} ${one.last}`, email: one.email } },
    },
    role: { data: { id: 'role', type: 'group_role', attributes: { name: 'Group Member' } } },
  },
})

export default {
  id: 'snyk',
  credentials: ({ tenant, secret }) => ({ region: 'api.eu.snyk.io', group: tenant, token: secret }),
  proves: ({ headers }, world) => headers.authorization === `token ${world.secret}`,
  refused: error(401, 'SNYK-0003'),
  forbidden: { answer: error(403, 'SNYK-0005'), names: ['View group memberships'] },
  limited: { answer: { ...error(429, 'SNYK-0011'), headers: { 'retry-after': '13' } }, waitMs: 13_000 },
  always: { 'GET https://api.eu.snyk.io/rest/self': () => ({ body: { data: { type: 'service_account' } } }) },
  routes: {
    'GET https://api.eu.snyk.io/rest/groups/:group/memberships': (asked, world) => {
      const size = Number(asked.url.searchParams.get('limit') ?? 10)
      if (size % 10 !== 0 || size < 10 || size > 100) return error(400, 'SNYK-0004')
      const paging = { size: 'limit', max: 100, cursor: 'starting_after' }
      const { rows, next } = cutByQuery(asked, world, world.people, paging)
      const path = `/groups/${asked.params.group}/memberships?version=2024-10-15&limit=100&starting_after=${next}`
      return { body: { data: rows.map(member), links: next === null ? {} : { next: path } } }
    },
  },
} satisfies VendorPlan
