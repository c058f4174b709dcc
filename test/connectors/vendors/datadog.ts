// Datadog as the contract suite meets it: two keys, pages counted from 0, a bad key as 403.
import type { Person, VendorPlan } from '../vendor-stand-in.ts'

const words = { active: 'Active', invited: 'Pending', deactivated: 'Disabled', suspended: '' }

const user = (one: Person, tenant: string) => ({
  type: 'users',
  id: one.id,
  attributes: {
    email: one.email,
    name: `${one.first} ${one.last}`,
    status: words[one.status],
    service_account: false,
    mfa_enabled: one.n % 2 === 0,
    created_at: '2024-01-02T03:04:05.000000+00:00',
    last_login_time: null,
  },
  relationships: {
    roles: { data: [{ type: 'roles', id: 'standard' }] },
    org: { data: { type: 'orgs', id: `org-${tenant}` } },
  },
})

export default {
  id: 'datadog',
  credentials: ({ secret }) => ({ site: 'datadoghq.eu', key: secret, application: `${secret}-app` }),
  statuses: ['active', 'invited', 'deactivated'],
  proves: ({ headers }, { secret }) =>
    headers['dd-api-key'] === secret && headers['dd-application-key'] === `${secret}-app`,
  refused: { status: 403, body: { errors: ['Forbidden'] } },
  forbidden: {
    answer: { status: 403, body: { errors: ['Failed permission authorization checks'] } },
    names: ['user_access_read'],
  },
  limited: {
    answer: {
      status: 429,
      headers: { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': '14' },
      body: { errors: ['Rate limit of 10 requests in 60 seconds reached'] },
    },
    waitMs: 14_000,
  },
  routes: {
    'GET https://api.datadoghq.eu/api/v2/users': ({ url }, world) => {
      const size = Math.min(Number(url.searchParams.get('page[size]') ?? 10), 100)
      const number = Number(url.searchParams.get('page[number]') ?? 0)
      const rows = world.slice(world.people, number * size, size)
      return {
        body: {
          data: rows.map(one => user(one, world.tenant)),
          included: [
            { type: 'roles', id: 'standard', attributes: { name: 'Datadog Standard Role' } },
            { type: 'orgs', id: `org-${world.tenant}`, attributes: { name: world.tenant } },
          ],
          meta: { page: { total_count: 450, total_filtered_count: world.people.length } },
        },
      }
    },
  },
} satisfies VendorPlan
