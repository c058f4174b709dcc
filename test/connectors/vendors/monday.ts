// monday.com as the contract suite meets it: errors in a 200, pages by number, the deactivated in a list of their own.
import type { Person, VendorPlan } from '../vendor-stand-in.ts'

const error = (code: string, more: object = {}) => ({
  status: 200,
  body: { data: null, errors: [{ message: 'refused', extensions: { code, ...more } }], account_id: 1 },
})

const user = (one: Person) => ({
  id: one.id,
  name: `${one.first} ${one.last}`,
  email: one.email,
  enabled: one.status !== 'deactivated',
  is_pending: one.status === 'invited',
  is_admin: one.n === 0,
  is_guest: false,
  is_view_only: false,
  created_at: '2024-01-02T03:04:05Z',
  last_activity: null,
})

const gone = (one: Person) => one.status === 'deactivated'

export default {
  id: 'monday',
  credentials: ({ secret }) => ({ token: secret }),
  statuses: ['active', 'invited', 'deactivated'],
  inOrder: people => [...people.filter(one => !gone(one)), ...people.filter(gone)],
  proves: ({ headers }, world) => headers.authorization === world.secret,
  refused: { status: 401, body: { errors: ['Not Authenticated'] } },
  forbidden: { answer: error('UserUnauthorizedException', { status_code: 403 }), names: ['users:read'] },
  limited: {
    answer: error('ComplexityException', { status_code: 429, retry_in_seconds: 24 }),
    waitMs: 24_000,
  },
  routes: {
    'POST https://api.monday.com/v2': ({ json }, world) => {
      if (!json.query.includes('users('))
        return { body: { data: { account: { id: world.tenant, name: world.tenant } } } }
      const inactive = json.query.includes('non_active: true')
      const all = world.people.filter(one => gone(one) === inactive)
      const { limit, page } = json.variables
      return { body: { data: { users: world.slice(all, (page - 1) * limit, limit).map(user) } } }
    },
  },
} satisfies VendorPlan
