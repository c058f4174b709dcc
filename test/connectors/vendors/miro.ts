// Miro as the contract suite meets it: a token that tells its own scopes, a cursor that is absent on the last page.
import { cutByQuery } from '../vendor-pages.ts'
import type { Person, VendorPlan } from '../vendor-stand-in.ts'

const member = (one: Person) => ({
  type: 'organization-member',
  id: one.id,
  email: one.email,
  active: one.status === 'active',
  role: one.n === 0 ? 'organization_internal_admin' : 'organization_internal_user',
  license: 'full',
  lastActivityAt: '2026-11-20T08:00:00.000Z',
})

export default {
  id: 'miro',
  credentials: ({ tenant, secret }) => ({ organisation: tenant, token: secret }),
  statuses: ['active', 'deactivated'],
  refused: { status: 401, body: { status: 401, code: 'tokenNotProvided', type: 'error' } },
  forbidden: {
    answer: { status: 403, body: { status: 403, code: 'insufficientPermissions', type: 'error' } },
    names: ['organizations:read'],
  },
  limited: {
    answer: now => ({
      status: 429,
      headers: {
        'x-ratelimit-remaining': '0',
        'x-ratelimit-reset': String(Math.ceil(now.getTime() / 1000) + 25),
      },
      body: { status: 429, code: 'tooManyRequests', type: 'error' },
    }),
    waitMs: 25_000,
  },
  always: {
    'GET https://api.miro.com/v1/oauth-token': (_, { tenant, scoped }) => ({
      body: {
        type: 'oAuthToken',
        organization: { id: tenant, name: tenant },
        scopes: scoped ? ['boards:read', 'organizations:read'] : ['boards:read'],
      },
    }),
  },
  routes: {
    'GET https://api.miro.com/v2/orgs/:org/members': (asked, world) => {
      const paging = { size: 'limit', max: 100, cursor: 'cursor' }
      const { rows, next } = cutByQuery(asked, world, world.people, paging)
      return {
        body: { limit: 100, size: rows.length, data: rows.map(member), ...(next ? { cursor: next } : {}) },
      }
    },
  },
} satisfies VendorPlan
