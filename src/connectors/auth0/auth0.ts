// Auth0: the users of one tenant's directory, by a machine-to-machine application.
import { z } from 'zod'
import { baseAddress, placeOf } from '../address.ts'
import { clientCredentials } from '../auth.ts'
import { listAt, textAt, wordsIn } from '../bodies.ts'
import { defineConnector, type Pager } from '../connector.ts'
import { addressField, secretField, wordField } from '../fields.ts'
import { pageNumber } from '../pagers.ts'
import { toAccount } from './schema.ts'

const credentials = z.object({
  domain: addressField({
    label: 'Tenant domain',
    hint: 'Auth0: Applications, your machine-to-machine application, Settings. Not a custom domain.',
    placeholder: 'acme.eu.auth0.com',
  }),
  client: wordField({ label: 'Client ID', hint: 'On the same page.' }),
  secret: secretField({ label: 'Client secret', hint: 'On the same page.' }),
})

const pageSize = 100
/** Auth0 gives no more than the first thousand of any search. */
const pagesOfWindow = 10

/** Auth0, as a declaration. Source: Management API v2, list or search users; pagination past 1,000. */
export const auth0 = defineConnector(credentials, {
  id: 'auth0',
  name: 'Auth0',
  emoji: ':lock:',
  privileges: ['A machine-to-machine application that is granted read:users of the Management API'],
  tokenFrom: {
    text: 'Make a machine-to-machine application in Auth0 and grant it read:users of the Management API.',
    url: 'https://auth0.com/docs/get-started/auth0-overview/create-applications/machine-to-machine-apps',
  },
  reports:
    'The tenant’s users: name, e-mail, status, created, last sign-in. Not reported: who administers Auth0, roles, licences.',
  facts: { source: 'https://auth0.com/docs/api/management/v2/users/get-users', on: '2026-11-24' },
  base: ({ domain }) => `${baseAddress(domain, 'domain')}/api/v2`,
  auth: clientCredentials(({ domain, client, secret }) => {
    const base = baseAddress(domain, 'domain')
    // The audience ends in a slash, or Auth0 does not know it.
    const form = { grant_type: 'client_credentials', audience: `${base}/api/v2/` }
    return { url: `${base}/oauth/token`, form: { ...form, client_id: client, client_secret: secret } }
  }),
  scopes: ['read:users'],
  granted: ({ body }) => wordsIn(textAt('scope')(body)),
  check: () => ({ path: '/users', query: { per_page: '1', page: '0', fields: 'user_id' } }),
  tenant: (_, { domain }) => ({ key: placeOf(domain, 'domain'), name: null }),
  errorCode: body => textAt('errorCode')(body) ?? textAt('error')(body),
  rules: [],
  listings: [
    {
      name: 'users',
      request: () => users('created_at:1', 'created_at:[* TO *]'),
      changed: (_, since) => users('created_at:1', `updated_at:[${since.toISOString()} TO *]`),
      items: listAt(),
      page: inWindows,
      account: toAccount,
    },
  ],
})

/** Page by page; after a thousand, a new search from the last user's day of creation on. */
function inWindows(...[req, res, got]: Parameters<Pager>): ReturnType<Pager> {
  if (got < pageSize) return undefined
  if (Number(req.query?.page) + 1 < pagesOfWindow) return pageNumber('page')(req, res, got)
  const last = textAt(got - 1, 'created_at')(res.body)
  // A whole page of one moment would only come again.
  if (last === undefined || last === textAt(0, 'created_at')(res.body)) return 'short'
  const search = (req.query?.q ?? '').replace(/ AND created_at:\[\S+ TO \*\]$/, '')
  return { ...req, query: { ...req.query, page: '0', q: `${search} AND created_at:[${last} TO *]` } }
}

function users(sort: string, q: string) {
  const query = { per_page: String(pageSize), page: '0', sort, q, search_engine: 'v3' }
  return { path: '/users', query }
}
