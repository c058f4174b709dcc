// monday.com: the users of one account, by an administrator's API token, over GraphQL.
import { z } from 'zod'
import { token } from '../auth.ts'
import { at, listAt, textAt } from '../bodies.ts'
import { defineConnector, type Listing, type Pager, type Req } from '../connector.ts'
import { secretField } from '../fields.ts'
import { codeOf, toAccount, waitSeconds } from './schema.ts'

const credentials = z.object({
  token: secretField({
    label: 'API token',
    hint: 'monday.com: your picture, Developers, API access tokens. Of an administrator.',
  }),
})

const pageSize = 100

/** monday.com, as a declaration. Source: API reference, users (limit and page), error codes, rate limits. */
export const monday = defineConnector(credentials, {
  id: 'monday',
  name: 'monday.com',
  emoji: ':date:',
  privileges: ['An administrator’s API token (users:read, account:read)'],
  tokenFrom: {
    text: 'Make the token in monday.com, under your picture, Developers, API access tokens, as an administrator.',
    url: 'https://developer.monday.com/api-reference/docs/authentication',
  },
  reports:
    'Name, e-mail, status, administrators, guests, viewers, created, last activity. Not reported: MFA, licences.',
  facts: { source: 'https://developer.monday.com/api-reference/reference/users', on: '2026-11-25' },
  base: () => 'https://api.monday.com',
  // Without a scheme: monday.com takes the bare token.
  auth: token(given => ({ authorization: given.token })),
  scopes: ['users:read'],
  check: () => graphql('query { me { id } account { id name } }', {}),
  tenant: body => ({
    key: z.string().parse(textAt('data', 'account', 'id')(body)),
    name: textAt('data', 'account', 'name')(body) ?? null,
  }),
  errorCode: codeOf,
  // The code decides, whatever the status: errors come with 200, and then the data is not whole.
  rules: [
    { on: '*', code: /complexity|limit.?exceeded|rate.?limit|concurrency/i, is: 'busy' },
    { on: '*', code: /not.?authenticated/i, is: 'credentials' },
    { on: '*', code: /unauthorized|access.?denied|forbidden/i, is: 'permission' },
    { on: '*', code: /internal/i, is: 'broken' },
    { on: 200, code: /./, is: 'unreadable' },
  ],
  waitSeconds,
  listings: [users('users', false), users('deactivated users', true)],
})

function users(name: string, inactive: boolean): Listing {
  const only = inactive ? ', non_active: true' : ''
  const query = `query ($limit: Int!, $page: Int!) {
  users(limit: $limit, page: $page${only}) {
    id name email enabled is_admin is_guest is_pending is_view_only created_at last_activity
  }
}`
  return {
    name,
    request: () => graphql(query, { limit: pageSize, page: 1 }),
    items: listAt('data', 'users'),
    page: nextPage,
    account: toAccount,
  }
}

/** A page that is not full is the last. */
function nextPage(...[req, , got]: Parameters<Pager>): ReturnType<Pager> {
  if (got < pageSize) return undefined
  const body = req.body as { query: string; variables: object }
  const page = Number(at(body, 'variables', 'page')) + 1
  return { ...req, body: { ...body, variables: { ...body.variables, page } } }
}

function graphql(query: string, variables: object): Req {
  const headers = { 'api-version': '2025-10' }
  return { path: '/v2', method: 'POST', headers, body: { query, variables } }
}
