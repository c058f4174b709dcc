// Box as the contract suite meets it: a grant for an enterprise, markers only when asked for, refusals without a body.
import { cutByQuery } from '../vendor-pages.ts'
import type { Person, VendorPlan } from '../vendor-stand-in.ts'

const user = (one: Person) => ({
  type: 'user',
  id: one.id,
  name: `${one.first} ${one.last}`,
  login: one.bot ? `AutomationUser_${one.n}@boxdevedition.com` : one.email,
  status: one.status === 'suspended' ? 'inactive' : one.n === 7 ? 'cannot_delete_edit' : 'active',
  role: one.n === 0 ? 'admin' : 'user',
})

export default {
  id: 'box',
  credentials: ({ tenant, secret }) => ({ enterprise: tenant, client: 'client', secret }),
  statuses: ['active', 'suspended'],
  bots: true,
  refused: { status: 401, headers: { 'www-authenticate': 'Bearer error="invalid_token"' }, text: '' },
  forbidden: {
    answer: { status: 403, body: { type: 'error', code: 'access_denied_insufficient_permissions' } },
    names: ['Manage users'],
  },
  limited: { answer: { status: 429, headers: { 'retry-after': '8' }, text: '' }, waitMs: 8_000 },
  grants: {
    'POST https://api.box.com/oauth2/token': ({ form }, world) =>
      form.get('client_secret') === world.secret && form.get('box_subject_id') === world.tenant
        ? { body: { access_token: world.access(), expires_in: 3992 } }
        : { status: 400, body: { error: 'invalid_client' } },
  },
  always: {
    'GET https://api.box.com/2.0/users/me': (_, { tenant }) => ({
      body: { id: 'service', enterprise: { id: tenant, name: tenant } },
    }),
  },
  routes: {
    'GET https://api.box.com/2.0/users': (asked, world) => {
      if (asked.url.searchParams.get('usemarker') !== 'true')
        return { status: 400, body: { code: 'bad_request' } }
      const { rows, next } = cutByQuery(asked, world, world.people, {
        size: 'limit',
        max: 200,
        cursor: 'marker',
      })
      return { body: { entries: rows.map(user), limit: 200, next_marker: next ?? '' } }
    },
  },
} satisfies VendorPlan
