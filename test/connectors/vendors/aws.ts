// AWS IAM Identity Center as the contract suite meets it: SCIM by cursors, and the first hundred only without one.
import { cut } from '../vendor-pages.ts'
import type { Person, VendorPlan } from '../vendor-stand-in.ts'

const error = (status: number, exceptionMessage: string) => ({
  status,
  body: { schema: ['urn:ietf:params:scim:api:messages:2.0:Error'], status: String(status), exceptionMessage },
})

const user = (one: Person) => ({
  id: one.id,
  userName: one.email,
  displayName: `${one.first} ${one.last}`,
  emails: [{ value: one.email, type: 'work', primary: true }],
  active: one.status === 'active',
  meta: { resourceType: 'User', created: '2024-01-02T03:04:05Z' },
})

export default {
  id: 'aws',
  credentials: ({ tenant, secret }) => ({
    address: `https://scim.eu-central-1.amazonaws.com/${tenant}/scim/v2/`,
    token: secret,
  }),
  statuses: ['active', 'deactivated'],
  refused: error(401, 'UnauthorizedException'),
  forbidden: { answer: error(403, 'AccessDeniedException'), names: [] },
  limited: {
    answer: { ...error(429, 'ThrottlingException'), headers: { 'retry-after': '3' } },
    waitMs: 3_000,
  },
  always: {
    'GET https://scim.eu-central-1.amazonaws.com/:tenant/scim/v2/ServiceProviderConfig': () => ({
      body: { schemas: ['urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig'] },
    }),
  },
  routes: {
    'GET https://scim.eu-central-1.amazonaws.com/:tenant/scim/v2/Users': ({ url }, world) => {
      const asked = url.searchParams
      const { rows, next } = cut(world, world.people, {
        size: asked.get('count'),
        max: 100,
        cursor: asked.get('cursor'),
      })
      const more = asked.has('cursor') && next !== null ? { nextCursor: next } : {}
      return { body: { itemsPerPage: rows.length, ...more, Resources: rows.map(user) } }
    },
  },
} satisfies VendorPlan
