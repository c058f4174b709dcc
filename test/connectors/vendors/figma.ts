// Figma as the contract suite meets it: SCIM below the tenant's id, the seat as a role.
import { byScim, scimError } from '../vendor-pages.ts'
import type { Person, VendorPlan } from '../vendor-stand-in.ts'

const user = (one: Person) => ({
  id: one.id,
  userName: one.email,
  displayName: `${one.first} ${one.last}`,
  active: one.status === 'active',
  roles: [{ type: 'seatType', value: 'Full' }],
})

export default {
  id: 'figma',
  credentials: ({ tenant, secret }) => ({ tenant, token: secret }),
  statuses: ['active', 'deactivated'],
  refused: scimError(401),
  forbidden: { answer: scimError(403), names: [] },
  limited: { answer: { ...scimError(429), headers: { 'retry-after': '6' } }, waitMs: 6_000 },
  routes: {
    'GET https://www.figma.com/scim/v2/:tenant/Users': (asked, world) =>
      byScim(asked, world, 200, one => user(one as Person)),
  },
} satisfies VendorPlan
