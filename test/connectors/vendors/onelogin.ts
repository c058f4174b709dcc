// OneLogin as the contract suite meets it: client credentials, a bare array, the cursor in a header.
import { cutByQuery } from '../vendor-pages.ts'
import type { Person, VendorPlan } from '../vendor-stand-in.ts'

const codes = { active: 1, invited: 0, suspended: 2, deactivated: -1 }

const person = (one: Person) => ({
  id: one.n + 1,
  email: one.email,
  firstname: one.first,
  lastname: one.last,
  status: codes[one.status],
  state: 1,
  created_at: '2024-01-02T03:04:05.000Z',
  last_login: null,
})

export default {
  id: 'onelogin',
  credentials: ({ tenant, secret }) => ({ subdomain: tenant, client: 'client', secret }),
  statuses: ['active', 'invited', 'suspended'],
  accountId: one => String(one.n + 1),
  refused: {
    status: 401,
    body: { statusCode: 401, name: 'Unauthorized', message: 'Authentication Failure' },
  },
  forbidden: {
    answer: { status: 403, body: { statusCode: 403, name: 'Forbidden', message: 'Insufficient scope' } },
    names: ['Read users'],
  },
  limited: {
    answer: {
      status: 429,
      headers: { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': '42' },
      body: { statusCode: 429, name: 'TooManyRequests' },
    },
    waitMs: 42_000,
  },
  grants: {
    'POST https://:tenant.onelogin.com/auth/oauth2/v2/token': ({ form, headers }, world) => {
      const basic = Buffer.from(`client:${world.secret}`).toString('base64')
      return headers.authorization === `Basic ${basic}` && form.get('grant_type') === 'client_credentials'
        ? { body: { access_token: world.access(), expires_in: 36_000, token_type: 'bearer' } }
        : { status: 401, body: { status: { error: true, code: 401, message: 'Authentication Failure' } } }
    },
  },
  routes: {
    'GET https://:tenant.onelogin.com/api/2/users': (asked, world) => {
      // The real one gives up to 1,000; 200 make the pages several.
      const { rows, next } = cutByQuery(asked, world, world.people, {
        size: 'limit',
        max: 200,
        cursor: 'cursor',
      })
      return { headers: next === null ? {} : { 'after-cursor': next }, body: rows.map(person) }
    },
  },
} satisfies VendorPlan
