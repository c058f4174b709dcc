// Sentry as the contract suite meets it: a next link that is always there, and says whether it has results.
import { cutByQuery, nextAddress } from '../vendor-pages.ts'
import type { Person, VendorPlan } from '../vendor-stand-in.ts'

const member = (one: Person) => ({
  id: one.id,
  email: one.email,
  name: `${one.first} ${one.last}`,
  orgRole: one.n === 0 ? 'owner' : 'member',
  pending: one.status === 'invited',
  inviteStatus: 'approved',
  dateCreated: '2024-01-02T03:04:05.000000Z',
  user:
    one.status === 'invited'
      ? null
      : { isActive: one.status === 'active', has2fa: false, lastActive: '2026-11-20T08:00:00.000000Z' },
})

export default {
  id: 'sentry',
  credentials: ({ tenant, secret }) => ({ organisation: tenant, token: secret, address: '' }),
  statuses: ['active', 'invited', 'suspended'],
  refused: { status: 401, body: { detail: 'Invalid token' } },
  forbidden: {
    answer: { status: 403, body: { detail: 'You do not have permission to perform this action.' } },
    names: ['member:read'],
  },
  limited: {
    answer: now => ({
      status: 429,
      headers: {
        'x-sentry-rate-limit-remaining': '0',
        'x-sentry-rate-limit-reset': String(Math.ceil(now.getTime() / 1000) + 35),
      },
      body: { detail: 'You are attempting to use this endpoint too frequently.' },
    }),
    waitMs: 35_000,
  },
  always: {
    'GET https://us.sentry.io/api/0/organizations/:org/': ({ params }, { scoped }) => ({
      body: {
        id: `id-${params.org}`,
        name: params.org,
        access: scoped ? ['member:read', 'org:read'] : ['org:read'],
      },
    }),
  },
  routes: {
    'GET https://us.sentry.io/api/0/organizations/:org/members/': (asked, world) => {
      const paging = { size: 'per_page', max: 100, cursor: 'cursor' }
      const { rows, next } = cutByQuery(asked, world, world.people, paging)
      const link = `<${nextAddress(asked, 'cursor', next ?? 'c9999')}>; rel="next"; results="${next !== null}"; cursor="0:100:0"`
      return { headers: { link }, body: rows.map(member) }
    },
  },
  foreign: (answer, address) => ({
    ...answer,
    headers: { link: `<${address}>; rel="next"; results="true"; cursor="0:100:0"` },
  }),
} satisfies VendorPlan
