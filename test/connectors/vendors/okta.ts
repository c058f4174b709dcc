// Okta as the contract suite meets it: SSWS, Link headers, the deactivated only when they are searched for.
import { byLink } from '../vendor-pages.ts'
import type { VendorPlan } from '../vendor-stand-in.ts'

const words = { active: 'ACTIVE', invited: 'STAGED', suspended: 'SUSPENDED', deactivated: 'DEPROVISIONED' }

export default {
  id: 'okta',
  credentials: ({ tenant, secret }) => ({ domain: `${tenant}.okta.com`, token: secret }),
  statuses: ['active', 'invited', 'suspended', 'deactivated'],
  proves: (asked, world) => asked.headers.authorization === `SSWS ${world.secret}`,
  refused: { status: 401, body: { errorCode: 'E0000011', errorSummary: 'Invalid token provided' } },
  forbidden: {
    answer: { status: 403, body: { errorCode: 'E0000006', errorSummary: 'No permission' } },
    names: ['okta.users.read'],
  },
  limited: {
    answer: now => ({
      status: 429,
      headers: {
        'x-rate-limit-remaining': '0',
        'x-rate-limit-reset': String(Math.ceil(now.getTime() / 1000) + 60),
      },
      body: { errorCode: 'E0000047' },
    }),
    waitMs: 60_000,
  },
  routes: {
    'GET https://:tenant.okta.com/api/v1/org': (_, { tenant }) => ({ body: { companyName: tenant } }),
    'GET https://:tenant.okta.com/api/v1/users': (asked, world) => {
      const everybody = asked.url.searchParams.get('search') === 'status pr'
      const all = world.people.filter(one => everybody || one.status !== 'deactivated')
      return byLink(asked, world, all, { size: 'limit', max: 200, cursor: 'after' }, one => ({
        id: one.id,
        status: words[one.status],
        profile: { login: one.email, firstName: one.first, lastName: one.last },
      }))
    },
  },
  foreign: (answer, address) => ({ ...answer, headers: { link: `<${address}>; rel="next"` } }),
} satisfies VendorPlan
