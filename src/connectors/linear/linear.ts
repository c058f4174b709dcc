// Linear: the users of one workspace, by an API key, over GraphQL.
import { z } from 'zod'
import { token } from '../auth.ts'
import { at, listAt, textAt } from '../bodies.ts'
import { defineConnector, type Req } from '../connector.ts'
import { secretField } from '../fields.ts'
import { relay } from '../pagers.ts'
import { codeOf, toAccount } from './schema.ts'

const credentials = z.object({
  key: secretField({
    label: 'API key',
    hint: 'Linear: Settings, Account, Security and access, Personal API keys. With Read.',
    placeholder: 'lin_api_…',
  }),
})

const users = `query ($first: Int!, $after: String, $filter: UserFilter) {
  users(first: $first, after: $after, includeDisabled: true, filter: $filter) {
    nodes { id name email active admin owner guest app lastSeen createdAt }
    pageInfo { hasNextPage endCursor }
  }
}`

/** Linear, as a declaration. Source: Linear's GraphQL schema; rate limiting; pagination. */
export const linear = defineConnector(credentials, {
  id: 'linear',
  name: 'Linear',
  emoji: ':chart_with_upwards_trend:',
  privileges: ['A personal API key with Read, best of an administrator'],
  tokenFrom: {
    text: 'Make the key in Linear, under Settings, Account, Security and access.',
    url: 'https://linear.app/docs/api-and-webhooks',
  },
  reports:
    'Name, e-mail, status, owners, admins, guests, created and last activity. Not reported: who is invited, MFA.',
  facts: { source: 'https://linear.app/developers/rate-limiting', on: '2026-11-25' },
  base: () => 'https://api.linear.app',
  // Without a scheme: only OAuth tokens say Bearer.
  auth: token(given => ({ authorization: given.key })),
  scopes: ['read'],
  check: () => graphql('query { organization { id name } }', {}),
  tenant: body => ({
    key: textAt('data', 'organization', 'id')(body) ?? '',
    name: textAt('data', 'organization', 'name')(body) ?? null,
  }),
  errorCode: codeOf,
  // The code decides, whatever the status: most errors come with 400, some with 200.
  rules: [
    { on: '*', code: /rate_?limited/i, is: 'busy' },
    { on: '*', code: /authentication/i, is: 'credentials' },
    { on: '*', code: /forbidden|feature.not.accessible/i, is: 'permission' },
    { on: '*', code: /internal|lock.timeout|network/i, is: 'broken' },
    { on: '*', code: /./, is: 'unreadable' },
  ],
  listings: [
    {
      name: 'users',
      request: () => graphql(users, { first: 100 }),
      changed: (_, since) =>
        graphql(users, { first: 100, filter: { updatedAt: { gt: since.toISOString() } } }),
      items: listAt('data', 'users', 'nodes'),
      page: relay(body => at(body, 'data', 'users', 'pageInfo')),
      account: toAccount,
    },
  ],
})

function graphql(query: string, variables: object): Req {
  return { path: '/graphql', method: 'POST', body: { query, variables } }
}
