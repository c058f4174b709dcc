// Zoom as the contract suite meets it: three lists, no ids for the invited, a missing scope as 400 with code 4711.
import { cutByQuery } from '../vendor-pages.ts'
import type { Person, VendorPlan } from '../vendor-stand-in.ts'

const scope = 'user:read:list_users:admin'
const words = { active: 'active', suspended: 'inactive', invited: 'pending', deactivated: '' }
const order = ['active', 'suspended', 'invited']

const user = (one: Person) => ({
  ...(one.status === 'invited' ? {} : { id: one.id }),
  email: one.email,
  display_name: `${one.first} ${one.last}`,
  status: words[one.status],
  type: 2,
  role_id: one.n === 0 ? '0' : one.n === 1 ? 'R1' : '2',
})

export default {
  id: 'zoom',
  credentials: ({ tenant, secret }) => ({ account: tenant, client: 'client', secret }),
  statuses: ['active', 'invited', 'suspended'],
  inOrder: people => order.flatMap(status => people.filter(one => one.status === status)),
  accountId: one => (one.status === 'invited' ? `pending:${one.email}` : one.id),
  refused: { status: 401, body: { code: 124, message: 'Invalid access token.' } },
  forbidden: {
    answer: {
      status: 400,
      body: { code: 4711, message: `Invalid access token, does not contain scopes:[${scope}].` },
    },
    names: [scope],
  },
  limited: {
    answer: { status: 429, headers: { 'retry-after': '11' }, body: { code: 429, message: 'limit' } },
    waitMs: 11_000,
  },
  grants: {
    'POST https://zoom.us/oauth/token': ({ form, headers }, world) => {
      const basic = Buffer.from(`client:${world.secret}`).toString('base64')
      return headers.authorization === `Basic ${basic}` && form.get('account_id') === world.tenant
        ? { body: { access_token: world.access(), expires_in: 3600 } }
        : { status: 400, body: { error: 'invalid_client', reason: 'Invalid client_id or client_secret' } }
    },
  },
  routes: {
    'GET https://api.zoom.us/v2/roles': () => ({ body: { roles: [{ id: 'R1', name: 'Help desk' }] } }),
    'GET https://api.zoom.us/v2/users': (asked, world) => {
      const status = asked.url.searchParams.get('status') ?? 'active'
      const all = world.people.filter(one => words[one.status] === status)
      const paging = { size: 'page_size', max: 300, cursor: 'next_page_token' }
      const { rows, next } = cutByQuery(asked, world, all, paging)
      return { body: { page_size: rows.length, next_page_token: next ?? '', users: rows.map(user) } }
    },
  },
} satisfies VendorPlan
