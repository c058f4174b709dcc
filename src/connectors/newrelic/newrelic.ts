// New Relic: the users of every authentication domain of one organisation, by a user key, over GraphQL.
import { z } from 'zod'
import { token } from '../auth.ts'
import { textAt } from '../bodies.ts'
import { defineConnector, type Pager, type Req } from '../connector.ts'
import { choiceField, secretField } from '../fields.ts'
import { codeOf, domainsIn, toAccount, unreadOf, usersIn } from './schema.ts'

const credentials = z.object({
  region: choiceField({ label: 'Data center', hint: 'The address that you open New Relic at tells it.' }, [
    ['api.newrelic.com', 'United States: one.newrelic.com'],
    ['api.eu.newrelic.com', 'Europe: one.eu.newrelic.com'],
  ]),
  key: secretField({
    label: 'User key',
    hint: 'New Relic: your name, API keys, a key of the type User. Of a user with the role Authentication domain read only.',
    placeholder: 'NRAK-…',
  }),
})

const people = 'nextCursor users { id email name type { displayName } lastActive emailVerificationState }'
const inDomains = (filter: string, cursor: string) => `authenticationDomains(${filter}) {
  nextCursor authenticationDomains { id users${cursor} { ${people} } }
}`
/** Every domain with the first of its users. */
const domains = query('$cursor: String', inDomains('cursor: $cursor', ''))
/** The next users of one domain. */
const domain = query('$id: [ID!], $users: String', inDomains('id: $id', '(cursor: $users)'))

/** New Relic, as a declaration. Source: NerdGraph, manage users (user and domain cursors are apart). */
export const newrelic = defineConnector(credentials, {
  id: 'newrelic',
  name: 'New Relic',
  emoji: ':large_green_circle:',
  privileges: ['A user key of a user who may read authentication domains'],
  tokenFrom: {
    text: 'Make a user key in New Relic, under your name, API keys.',
    url: 'https://docs.newrelic.com/docs/apis/intro-apis/new-relic-api-keys/',
  },
  reports: 'Name, e-mail, who is invited, user type, last activity. Not reported: roles, MFA, created.',
  facts: {
    source: 'https://docs.newrelic.com/docs/apis/nerdgraph/examples/nerdgraph-manage-users/',
    on: '2026-11-24',
  },
  base: ({ region }) => `https://${region}`,
  auth: token(given => ({ 'api-key': given.key })),
  scopes: ['Authentication domain: read'],
  check: () => graphql('query { actor { user { email } organization { id name } } }', {}),
  tenant: body => ({
    key: z.string().parse(textAt('data', 'actor', 'organization', 'id')(body)),
    name: textAt('data', 'actor', 'organization', 'name')(body) ?? null,
  }),
  errorCode: codeOf,
  rules: [
    { on: '*', code: /too.?many|rate.?limit|throttl/i, is: 'busy' },
    { on: '*', code: /access.?denied|forbidden|not.?authorized/i, is: 'permission' },
    { on: '*', code: /unauthorized|unauthenticated|invalid.?api.?key|missing.?api.?key/i, is: 'credentials' },
    { on: '*', code: /timeout|internal|server.?error/i, is: 'broken' },
    { on: 200, code: /./, is: 'unreadable' },
    { on: 403, is: 'credentials' },
  ],
  listings: [
    {
      name: 'users',
      request: () => graphql(domains, { cursor: null }),
      items: usersIn,
      page: nextUsers,
      account: toAccount,
    },
  ],
})

/** First the rest of each domain's users, one domain after the other; then the next domains. */
function nextUsers(...[req, res]: Parameters<Pager>): ReturnType<Pager> {
  const carried = req.carried as ReturnType<typeof unreadOf> | undefined
  const here = domainsIn(res.body)
  const unread = [...unreadOf(here.domains), ...(carried ?? [])]
  const more = req.body && (req.body as { query: string }).query === domains ? here.next : undefined
  const after = more === undefined ? unread : [...unread, { id: null, cursor: more }]
  const [next, ...rest] = after
  if (next === undefined) return undefined
  const asked =
    next.id === null
      ? graphql(domains, { cursor: next.cursor })
      : graphql(domain, { id: [next.id], users: next.cursor })
  return rest.length > 0 ? { ...asked, carried: rest } : asked
}

function query(variables: string, selection: string): string {
  return `query (${variables}) { actor { organization { userManagement { ${selection} } } } }`
}

function graphql(text: string, variables: object): Req {
  return { path: '/graphql', method: 'POST', body: { query: text, variables } }
}
