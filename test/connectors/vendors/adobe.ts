// Adobe as the contract suite meets it: two headers, pages in the path, the last page again past the end.
import type { Person, VendorPlan } from '../vendor-stand-in.ts'

const pageSize = 200

const user = (one: Person) => ({
  id: one.id,
  email: one.email,
  username: one.email,
  domain: one.email.split('@')[1],
  firstname: one.first,
  lastname: one.last,
  status: 'active',
  type: 'federatedID',
  groups: one.n === 0 ? ['_org_admin', 'All Apps'] : ['All Apps'],
})

export default {
  id: 'adobe',
  credentials: ({ tenant, secret }) => ({ organisation: `${tenant}@AdobeOrg`, client: 'client', secret }),
  proves: ({ headers }, world) =>
    headers.authorization === `Bearer ${world.access()}` && headers['x-api-key'] === 'client',
  refused: { status: 401, body: { error_code: '401013', message: 'Oauth token is not valid' } },
  forbidden: {
    answer: { status: 403, body: { error_code: '403003', message: 'Api Key is invalid' } },
    names: ['User Management API'],
  },
  limited: {
    answer: { status: 429, headers: { 'retry-after': '60' }, body: { error_code: '429050' } },
    waitMs: 60_000,
  },
  grants: {
    'POST https://ims-na1.adobelogin.com/ims/token/v3': ({ form }, world) =>
      form.get('client_secret') === world.secret && form.get('scope') === 'openid,AdobeID,user_management_sdk'
        ? { body: { access_token: world.access(), expires_in: 86_399, token_type: 'bearer' } }
        : { status: 400, body: { error: 'invalid_client' } },
  },
  routes: {
    'GET https://usermanagement.adobe.io/v2/usermanagement/groups/:org/0': () => ({
      body: { lastPage: true, result: 'success', groups: [] },
    }),
    'GET https://usermanagement.adobe.io/v2/usermanagement/users/:org/:page': ({ params }, world) => {
      const last = Math.ceil(world.people.length / pageSize) - 1
      const page = Math.min(Number(params.page), last)
      const rows = world.slice(world.people, page * pageSize, pageSize)
      return { body: { lastPage: page === last, result: 'success', users: rows.map(user) } }
    },
  },
} satisfies VendorPlan
