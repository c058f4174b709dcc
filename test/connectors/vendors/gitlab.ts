// GitLab as the contract suite meets it: who holds a seat in a group, Link headers, a token that tells its own scopes.
import { byLink } from '../vendor-pages.ts'
import type { Person, VendorPlan } from '../vendor-stand-in.ts'

export const paging = { size: 'per_page', max: 100, cursor: 'page' }
const states = { active: 'active', invited: 'awaiting', suspended: 'blocked', deactivated: 'deactivated' }

export const seat = (one: Person) => ({
  id: one.n + 1,
  username: one.bot ? `group_${one.n}_bot_1a2b` : `user${one.n}`,
  name: `${one.first} ${one.last}`,
  email: one.email,
  state: states[one.status],
  membership_type: 'group_member',
  last_activity_on: '2026-11-20',
})

export default {
  id: 'gitlab',
  credentials: ({ tenant, secret }) => ({ whole: 'group', group: tenant, token: secret, address: '' }),
  statuses: ['active', 'invited', 'suspended', 'deactivated'],
  bots: true,
  accountId: one => String(one.n + 1),
  proves: (asked, world) => asked.headers['private-token'] === world.secret,
  refused: { status: 401, body: { message: '401 Unauthorized' } },
  forbidden: {
    answer: { status: 403, body: { error: 'insufficient_scope', scope: 'api read_api' } },
    names: ['read_api'],
  },
  limited: {
    answer: now => ({
      status: 429,
      headers: {
        'ratelimit-remaining': '0',
        'ratelimit-reset': String(Math.ceil(now.getTime() / 1000) + 55),
      },
      text: 'Retry later',
    }),
    waitMs: 55_000,
  },
  routes: {
    'GET https://gitlab.com/api/v4/personal_access_tokens/self': () => ({
      body: { id: 1, scopes: ['read_api'], revoked: false, expires_at: '2027-01-01' },
    }),
    'GET https://gitlab.com/api/v4/groups/:group': ({ params }) => ({ body: { full_name: params.group } }),
    'GET https://gitlab.com/api/v4/groups/:group/members/all': () => ({
      body: [{ id: 1, access_level: 50 }],
    }),
    'GET https://gitlab.com/api/v4/groups/:group/billable_members': (asked, world) =>
      byLink(asked, world, world.people, paging, one => seat(one as Person)),
  },
  foreign: (answer, address) => ({ ...answer, headers: { link: `<${address}>; rel="next"` } }),
} satisfies VendorPlan
