// HubSpot as the contract suite meets it: cursors inside `paging`, scopes named in the error, the wait as an interval.
import { cutByQuery } from '../vendor-pages.ts'
import type { VendorPlan } from '../vendor-stand-in.ts'

export default {
  id: 'hubspot',
  credentials: ({ secret }) => ({ token: secret }),
  refused: { status: 401, body: { status: 'error', category: 'INVALID_AUTHENTICATION' } },
  forbidden: {
    answer: {
      status: 403,
      body: {
        status: 'error',
        category: 'MISSING_SCOPES',
        errors: [{ context: { requiredGranularScopes: ['crm.objects.users.read', 'settings.users.read'] } }],
      },
    },
    names: ['settings.users.read'],
  },
  limited: {
    answer: {
      status: 429,
      headers: { 'x-hubspot-ratelimit-interval-milliseconds': '10000' },
      body: { status: 'error', errorType: 'RATE_LIMIT', policyName: 'TEN_SECONDLY_ROLLING' },
    },
    waitMs: 10_000,
  },
  always: {
    'GET https://api.hubapi.com/account-info/v3/details': (_, { tenant }) => ({
      body: { portalId: tenant === 'acme' ? 101 : 202, uiDomain: 'app.hubspot.com' },
    }),
  },
  routes: {
    'GET https://api.hubapi.com/settings/v3/users/roles': () => ({
      body: { results: [{ id: '77', name: 'Sales', requiresBillingWrite: false }] },
    }),
    'GET https://api.hubapi.com/settings/v3/users': (asked, world) => {
      const paging = { size: 'limit', max: 100, cursor: 'after' }
      const { rows, next } = cutByQuery(asked, world, world.people, paging)
      const results = rows.map(one => ({
        id: one.id,
        email: one.email,
        firstName: one.first,
        lastName: one.last,
        superAdmin: one.n === 0,
        roleIds: one.n === 1 ? ['77'] : [],
      }))
      return { body: { results, ...(next ? { paging: { next: { after: next } } } : {}) } }
    },
  },
} satisfies VendorPlan
