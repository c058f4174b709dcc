// PagerDuty as the contract suite meets it: a token in its own scheme, the version's header, offsets and `more`.
import { cutByOffset } from '../vendor-pages.ts'
import type { Person, VendorPlan } from '../vendor-stand-in.ts'

const user = (one: Person, tenant: string) => ({
  id: one.id,
  name: `${one.first} ${one.last}`,
  email: one.email,
  role: one.n === 0 ? 'owner' : 'limited_user',
  invitation_sent: one.status === 'invited',
  html_url: `https://${tenant}.pagerduty.com/users/${one.id}`,
})

export default {
  id: 'pagerduty',
  credentials: ({ secret }) => ({ region: 'api.pagerduty.com', key: secret }),
  statuses: ['active', 'invited'],
  proves: ({ headers }, world) =>
    headers.authorization === `Token token=${world.secret}` &&
    headers.accept === 'application/vnd.pagerduty+json;version=2',
  refused: { status: 401, body: { error: { message: 'Unauthorized', code: 2006 } } },
  forbidden: {
    answer: { status: 403, body: { error: { message: 'Access Denied', code: 2010 } } },
    names: ['users.read'],
  },
  limited: {
    answer: {
      status: 429,
      headers: { 'ratelimit-limit': '960', 'ratelimit-remaining': '0', 'ratelimit-reset': '21' },
      body: { error: { message: 'Rate Limit Exceeded', code: 2020 } },
    },
    waitMs: 21_000,
  },
  routes: {
    'GET https://api.pagerduty.com/users': (asked, world) => {
      const rows = cutByOffset(asked, world, world.people, { size: 'limit', max: 100, cursor: 'offset' })
      const offset = Number(asked.url.searchParams.get('offset') ?? 0)
      const more = offset + rows.length < world.people.length
      return { body: { users: rows.map(one => user(one, world.tenant)), offset, more, total: null } }
    },
  },
} satisfies VendorPlan
