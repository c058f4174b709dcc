// Webex: the people of one organisation, by a service app that an administrator has authorised.
import { z } from 'zod'
import { refreshToken } from '../auth.ts'
import { listAt, textAt } from '../bodies.ts'
import { defineConnector } from '../connector.ts'
import { secretField, wordField } from '../fields.ts'
import { linkHeader } from '../pagers.ts'
import { toAccount } from './schema.ts'

const credentials = z.object({
  client: wordField({ label: 'Client ID', hint: 'developer.webex.com: My Webex Apps, your service app.' }),
  secret: secretField({ label: 'Client secret', hint: 'It was shown once, when the service app was made.' }),
  refresh: secretField({
    label: 'Refresh token',
    hint: 'On the same page, under Org Authorizations, once an administrator has authorised the app.',
  }),
})

/** Webex, as a declaration. Source: Webex REST API, list people; service apps; rate limits (423 and 429 alike). */
export const webex = defineConnector(credentials, {
  id: 'webex',
  name: 'Webex',
  emoji: ':telephone_receiver:',
  privileges: ['A service app with spark-admin:people_read, authorised in Control Hub'],
  tokenFrom: {
    text: 'Make a service app at developer.webex.com with the scope spark-admin:people_read, and authorise it in Control Hub.',
    url: 'https://developer.webex.com/admin/docs/service-apps',
  },
  reports: 'Name, e-mail, status, created, last activity. Not reported: names of roles and licences, MFA.',
  facts: { source: 'https://developer.webex.com/docs/api/v1/people/list-people', on: '2026-11-24' },
  base: () => 'https://webexapis.com/v1',
  auth: refreshToken('refresh', ({ client, secret, refresh }) => ({
    url: 'https://webexapis.com/v1/access_token',
    form: { grant_type: 'refresh_token', client_id: client, client_secret: secret, refresh_token: refresh },
  })),
  scopes: ['spark-admin:people_read'],
  check: () => ({ path: '/people/me' }),
  tenant: body => ({ key: z.string().parse(textAt('orgId')(body)), name: null }),
  rules: [{ on: 423, is: 'busy' }],
  listings: [
    {
      name: 'people',
      request: () => ({ path: '/people', query: { max: '100' } }),
      items: listAt('items'),
      page: linkHeader,
      sizeKey: 'max',
      account: toAccount,
    },
  ],
})
