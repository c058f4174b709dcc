// Intercom as the contract suite meets it: everybody in one answer, teams among them, errors by code.
import type { Person, VendorPlan } from '../vendor-stand-in.ts'

const error = (status: number, code: string) => ({
  status,
  body: { type: 'error.list', request_id: 'r1', errors: [{ code, message: 'refused' }] },
})

const admin = (one: Person) => ({
  type: one.bot ? 'team' : 'admin',
  id: one.id,
  name: `${one.first} ${one.last}`,
  ...(one.bot ? {} : { email: one.email, has_inbox_seat: one.n % 2 === 0 }),
})

export default {
  id: 'intercom',
  credentials: ({ secret }) => ({ region: 'api.eu.intercom.io', token: secret }),
  bots: true,
  refused: error(401, 'token_not_found'),
  forbidden: { answer: error(401, 'token_unauthorized'), names: ['Read admins'] },
  limited: {
    answer: now => ({
      ...error(429, 'rate_limit_exceeded'),
      headers: {
        'x-ratelimit-remaining': '0',
        'x-ratelimit-reset': String(Math.ceil(now.getTime() / 1000) + 8),
      },
    }),
    waitMs: 8_000,
  },
  onePage: true,
  always: {
    'GET https://api.eu.intercom.io/me': (_, { tenant }) => ({
      body: { type: 'admin', app: { id_code: `id-${tenant}`, name: tenant, region: 'EU' } },
    }),
  },
  routes: {
    'GET https://api.eu.intercom.io/admins': (_, world) => ({
      body: { type: 'admin.list', admins: world.slice(world.people, 0, 1_000).map(admin) },
    }),
  },
} satisfies VendorPlan
