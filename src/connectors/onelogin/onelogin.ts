// OneLogin: the people of one account's directory, by API credentials.
import { z } from 'zod'
import { basic, clientCredentials } from '../auth.ts'
import { listAt, textAt } from '../bodies.ts'
import { defineConnector } from '../connector.ts'
import { secretField, wordField } from '../fields.ts'
import { headerCursor } from '../pagers.ts'
import { toAccount } from './schema.ts'

const credentials = z.object({
  subdomain: wordField({
    label: 'Subdomain',
    hint: 'The first word of the address: acme.onelogin.com is acme.',
    placeholder: 'acme',
  }),
  client: wordField({ label: 'Client ID', hint: 'OneLogin: Developers, API Credentials, with Read users.' }),
  secret: secretField({ label: 'Client secret', hint: 'On the same page.' }),
})

const fields = 'id,email,username,firstname,lastname,status,state,last_login,created_at'

/** OneLogin, as a declaration. Source: OneLogin API 2, list users; generate tokens v2; the user's status codes. */
export const onelogin = defineConnector(credentials, {
  id: 'onelogin',
  name: 'OneLogin',
  emoji: ':large_blue_square:',
  privileges: ['API credentials with Read users'],
  tokenFrom: {
    text: 'Make the credentials in OneLogin, under Developers, API Credentials, with Read users.',
    url: 'https://developers.onelogin.com/api-docs/2/getting-started/working-with-api-credentials',
  },
  reports: 'Name, e-mail, status, created, last sign-in. Not reported: administrators, roles, licences, MFA.',
  facts: { source: 'https://developers.onelogin.com/api-docs/2/users/list-users', on: '2026-11-25' },
  base: ({ subdomain }) => `https://${subdomain}.onelogin.com`,
  auth: clientCredentials(({ subdomain, client, secret }) => ({
    url: `https://${subdomain}.onelogin.com/auth/oauth2/v2/token`,
    form: { grant_type: 'client_credentials' },
    headers: basic(client, secret),
  })),
  scopes: ['Read users'],
  check: () => ({ path: '/api/2/users', query: { limit: '1', fields } }),
  tenant: (_, { subdomain }) => ({ key: subdomain, name: null }),
  errorCode: textAt('name'),
  rules: [{ on: 404, is: 'settings', field: 'subdomain' }],
  listings: [
    {
      name: 'people',
      request: () => ({ path: '/api/2/users', query: { limit: '1000', fields } }),
      changed: (_, since) => ({
        path: '/api/2/users',
        query: { limit: '1000', fields, updated_since: since.toISOString() },
      }),
      items: listAt(),
      page: headerCursor('cursor', 'after-cursor'),
      sizeKey: 'limit',
      account: toAccount,
    },
  ],
})
