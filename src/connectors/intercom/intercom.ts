// Intercom: the teammates of one workspace, by the access token of a private app.
import { z } from 'zod'
import { bearer, token } from '../auth.ts'
import { listAt, textAt } from '../bodies.ts'
import { defineConnector } from '../connector.ts'
import { choiceField, secretField } from '../fields.ts'
import { onePage } from '../pagers.ts'
import { toAccount } from './schema.ts'

const credentials = z.object({
  region: choiceField({ label: 'Region', hint: 'Intercom: Settings, Workspace, Data hosting.' }, [
    ['api.intercom.io', 'United States'],
    ['api.eu.intercom.io', 'Europe'],
    ['api.au.intercom.io', 'Australia'],
  ]),
  token: secretField({ label: 'Access token', hint: 'Intercom Developer Hub: your app, Authentication.' }),
})

const headers = { 'intercom-version': '2.11' }

/** Intercom, as a declaration. Source: Intercom's REST API, list all admins, identify an admin; error codes. */
export const intercom = defineConnector(credentials, {
  id: 'intercom',
  name: 'Intercom',
  emoji: ':speech_balloon:',
  privileges: ['An app with the permission Read admins'],
  tokenFrom: {
    text: 'Make a private app in the Intercom Developer Hub, with the permission Read admins, and copy its access token.',
    url: 'https://developers.intercom.com/docs/build-an-integration/learn-more/authentication',
  },
  reports: 'Name, e-mail, inbox seats. Not reported: status, roles, MFA, created, last activity.',
  facts: {
    source: 'https://developers.intercom.com/docs/references/rest-api/api.intercom.io/admins/listadmins',
    on: '2026-11-24',
  },
  base: ({ region }) => `https://${region}`,
  auth: token(given => bearer(given.token)),
  scopes: ['Read admins'],
  check: () => ({ path: '/me', headers }),
  tenant: body => ({
    key: z.string().parse(textAt('app', 'id_code')(body)),
    name: textAt('app', 'name')(body) ?? null,
  }),
  errorCode: textAt('errors', 0, 'code'),
  rules: [
    { on: '*', code: /^token_unauthorized$|^action_forbidden$|^api_plan_restricted$/, is: 'permission' },
    { on: '*', code: /^token_|^unauthorized$/, is: 'credentials' },
    { on: '*', code: /^rate_limit_exceeded$/, is: 'busy' },
  ],
  listings: [
    {
      name: 'teammates',
      request: () => ({ path: '/admins', headers }),
      items: listAt('admins'),
      page: onePage,
      account: toAccount,
    },
  ],
})
