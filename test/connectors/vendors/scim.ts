// An application that speaks SCIM 2.0, as the contract suite meets it: pages of at most 50, errors of RFC 7644.
import { byScim, scimError } from '../vendor-pages.ts'
import type { VendorPlan } from '../vendor-stand-in.ts'

export default {
  id: 'scim',
  credentials: ({ tenant, secret }) => ({
    address: `https://${tenant}.example.com/scim/v2`,
    user: '',
    token: secret,
  }),
  statuses: ['active', 'deactivated'],
  refused: scimError(401),
  forbidden: { answer: scimError(403), names: [] },
  limited: { answer: { ...scimError(429), headers: { 'retry-after': '7' } }, waitMs: 7_000 },
  routes: {
    'GET https://:tenant.example.com/scim/v2/Users': (asked, world) => byScim(asked, world, 50),
  },
} satisfies VendorPlan
