// A 1Password SCIM bridge as the contract suite meets it: SCIM below /scim of the customer's own host.
import { byScim, scimError } from '../vendor-pages.ts'
import type { VendorPlan } from '../vendor-stand-in.ts'

export default {
  id: 'onepassword',
  credentials: ({ tenant, secret }) => ({ address: `https://scim.${tenant}.example/scim/`, token: secret }),
  statuses: ['active', 'deactivated'],
  refused: scimError(401),
  forbidden: { answer: scimError(403), names: [] },
  limited: { answer: { ...scimError(429), headers: { 'retry-after': '9' } }, waitMs: 9_000 },
  routes: {
    'GET https://scim.:tenant.example/scim/Users': (asked, world) => byScim(asked, world, 100),
  },
} satisfies VendorPlan
