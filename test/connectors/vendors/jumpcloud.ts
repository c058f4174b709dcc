// JumpCloud as the contract suite meets it: a key in its own header, skip and a total.
import { cutByOffset } from '../vendor-pages.ts'
import type { Person, VendorPlan } from '../vendor-stand-in.ts'

const words = { active: 'ACTIVATED', invited: 'STAGED', suspended: 'SUSPENDED', deactivated: '' }

const person = (one: Person) => ({
  _id: one.id,
  email: one.email,
  username: `user${one.n}`,
  firstname: one.first,
  lastname: one.last,
  state: words[one.status],
  activated: one.status !== 'invited',
  suspended: one.status === 'suspended',
  account_locked: false,
  created: '2024-01-02T03:04:05.000Z',
  totp_enabled: false,
  mfa: { configured: one.n % 2 === 0, exclusion: false },
})

export default {
  id: 'jumpcloud',
  credentials: ({ secret }) => ({ key: secret, organisation: '' }),
  statuses: ['active', 'invited', 'suspended'],
  proves: ({ headers }, world) => headers['x-api-key'] === world.secret,
  refused: { status: 401, body: { message: 'Unauthorized', error: 'Unauthorized: Invalid API key' } },
  forbidden: { answer: { status: 403, body: { message: 'Forbidden' } }, names: ['the role Read Only'] },
  limited: {
    answer: { status: 429, headers: { 'retry-after': '5' }, body: { message: 'Too Many Requests' } },
    waitMs: 5_000,
  },
  routes: {
    'GET https://console.jumpcloud.com/api/organizations': (_, { tenant }) => ({
      body: { results: [{ _id: `org-${tenant}`, displayName: tenant }], totalCount: 1 },
    }),
    'GET https://console.jumpcloud.com/api/systemusers': (asked, world) => {
      const rows = cutByOffset(asked, world, world.people, { size: 'limit', max: 100, cursor: 'skip' })
      return { body: { results: rows.map(person), totalCount: world.people.length } }
    },
  },
} satisfies VendorPlan
