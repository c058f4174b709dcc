// Box: the managed users of one enterprise, by an app with client credentials.
import { z } from 'zod'
import { clientCredentials } from '../auth.ts'
import { listAt, textAt } from '../bodies.ts'
import { defineConnector } from '../connector.ts'
import { secretField, wordField } from '../fields.ts'
import { cursor } from '../pagers.ts'
import { toAccount } from './schema.ts'

const credentials = z.object({
  enterprise: wordField({
    label: 'Enterprise ID',
    hint: 'Admin Console: Account and billing; also on the app’s General settings.',
  }),
  client: wordField({ label: 'Client ID', hint: 'Developer Console: your app, Configuration.' }),
  secret: secretField({ label: 'Client secret', hint: 'On the same page.' }),
})

/** Box, as a declaration. Source: Box API, list enterprise users; client credentials grant. */
export const box = defineConnector(credentials, {
  id: 'box',
  name: 'Box',
  emoji: ':package:',
  privileges: [
    'App with server authentication (client credentials grant), authorised in the Admin Console',
    'Application scope: Manage users',
    'App access level: App + Enterprise',
  ],
  tokenFrom: {
    text: 'Make a platform app in the Developer Console with server authentication (client credentials grant), and have an admin authorise it.',
    url: 'https://developer.box.com/guides/authentication/client-credentials/',
  },
  reports:
    'Name, e-mail, status, role and created. Not reported: collaborators from outside, licences, MFA, last activity.',
  facts: { source: 'https://developer.box.com/reference/get-users/', on: '2026-11-25' },
  base: () => 'https://api.box.com/2.0',
  auth: clientCredentials(({ enterprise, client, secret }) => ({
    url: 'https://api.box.com/oauth2/token',
    form: {
      grant_type: 'client_credentials',
      client_id: client,
      client_secret: secret,
      box_subject_type: 'enterprise',
      box_subject_id: enterprise,
    },
  })),
  scopes: ['Manage users'],
  check: () => ({ path: '/users/me', query: { fields: 'id,enterprise' } }),
  tenant: (body, { enterprise }) => ({
    key: enterprise,
    name: textAt('enterprise', 'name')(body) ?? null,
  }),
  errorCode: body => textAt('code')(body) ?? textAt('error')(body),
  rules: [
    {
      on: 400,
      code: /^unauthorized_client$/,
      is: 'permission',
      missing: () => ['the client credentials grant, authorised in the Admin Console'],
    },
  ],
  listings: [
    {
      name: 'managed users',
      // By marker: an offset beyond 10,000 is refused.
      request: () => ({
        path: '/users',
        query: {
          usemarker: 'true',
          limit: '1000',
          user_type: 'managed',
          fields: 'id,name,login,status,role,created_at',
        },
      }),
      items: listAt('entries'),
      page: cursor('marker', textAt('next_marker')),
      sizeKey: 'limit',
      account: toAccount,
    },
  ],
})
