// Webex as the contract suite meets it: a refresh token, Link headers, bots among the people.
import { cutByQuery, nextAddress } from '../vendor-pages.ts'
import type { Person, VendorPlan } from '../vendor-stand-in.ts'

const error = (status: number, message: string) => ({ status, body: { message, trackingId: 'ROUTER_1' } })

const person = (one: Person) => ({
  id: one.id,
  emails: [one.email],
  displayName: `${one.first} ${one.last}`,
  type: one.bot ? 'bot' : 'person',
  invitePending: one.status === 'invited',
  loginEnabled: one.status !== 'suspended',
  created: '2024-01-02T03:04:05.000Z',
})

export default {
  id: 'webex',
  credentials: ({ secret }) => ({ client: 'client', secret: 'client-secret', refresh: secret }),
  statuses: ['active', 'invited', 'suspended'],
  bots: true,
  refused: error(401, 'The request requires a valid access token set in the Authorization request header.'),
  forbidden: { answer: error(403, 'missing required scopes or roles'), names: ['spark-admin:people_read'] },
  limited: {
    answer: { ...error(429, 'Too Many Requests'), headers: { 'retry-after': '17' } },
    waitMs: 17_000,
  },
  grants: {
    'POST https://webexapis.com/v1/access_token': ({ form }, world) =>
      form.get('refresh_token') === world.secret && form.get('client_secret') === 'client-secret'
        ? { body: { access_token: world.access(), expires_in: 1_209_600, refresh_token: world.secret } }
        : { status: 400, body: { message: 'invalid_grant', errors: [] } },
  },
  always: {
    'GET https://webexapis.com/v1/people/me': (_, { tenant }) => ({
      body: { id: 'me', orgId: `org-${tenant}` },
    }),
  },
  routes: {
    'GET https://webexapis.com/v1/people': (asked, world) => {
      const { rows, next } = cutByQuery(asked, world, world.people, {
        size: 'max',
        max: 100,
        cursor: 'cursor',
      })
      const headers = next === null ? {} : { link: `<${nextAddress(asked, 'cursor', next)}>; rel="next"` }
      return { headers, body: { items: rows.map(person), notFoundIds: null } }
    },
  },
  foreign: (answer, address) => ({ ...answer, headers: { link: `<${address}>; rel="next"` } }),
} satisfies VendorPlan
