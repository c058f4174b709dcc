// Adobe: the users of one organisation, by a project with the User Management API.
import { z } from 'zod'
import { bearer, clientCredentials } from '../auth.ts'
import { at, listAt, textAt } from '../bodies.ts'
import { defineConnector, type Pager } from '../connector.ts'
import { secretField, wordField } from '../fields.ts'
import { toAccount } from './schema.ts'

const credentials = z.object({
  organisation: wordField({
    label: 'Organization ID',
    hint: 'Adobe Developer Console: your project, OAuth server-to-server.',
    placeholder: '1234567890@AdobeOrg',
  }),
  client: wordField({ label: 'Client ID', hint: 'On the same page.' }),
  secret: secretField({ label: 'Client secret', hint: 'On the same page.' }),
})

/** Adobe, as a declaration. Source: User Management API, get users in organization; OAuth server-to-server. */
export const adobe = defineConnector(credentials, {
  id: 'adobe',
  name: 'Adobe',
  emoji: ':rainbow:',
  privileges: ['A project with the User Management API, and OAuth server-to-server credentials'],
  tokenFrom: {
    text: 'Make a project in the Adobe Developer Console and add the User Management API to it.',
    url: 'https://adobe-apiplatform.github.io/umapi-documentation/en/UM_Authentication.html',
  },
  reports:
    'Name, e-mail, product profiles and groups, administrators. Not reported: the disabled, MFA, created, last activity.',
  facts: {
    source: 'https://adobe-apiplatform.github.io/umapi-documentation/en/api/getUsersWithPage.html',
    on: '2026-11-25',
  },
  base: () => 'https://usermanagement.adobe.io',
  auth: clientCredentials(
    ({ client, secret }) => ({
      url: 'https://ims-na1.adobelogin.com/ims/token/v3',
      form: {
        grant_type: 'client_credentials',
        client_id: client,
        client_secret: secret,
        scope: 'openid,AdobeID,user_management_sdk',
      },
    }),
    ({ client }, access) => ({ ...bearer(access), 'x-api-key': client }),
  ),
  scopes: ['User Management API'],
  // A page of groups is small; a page of users may be 2,000 people.
  check: ({ organisation }) => ({ path: `/v2/usermanagement/groups/${encodeURIComponent(organisation)}/0` }),
  tenant: (_, { organisation }) => ({ key: organisation.toLowerCase(), name: null }),
  errorCode: body => textAt('error_code')(body) ?? textAt('result')(body),
  rules: [{ on: 400, code: /organization/i, is: 'settings', field: 'organisation' }],
  incomplete:
    'Adobe lists only the active, so nobody is removed: who is absent may be disabled, and still have an account.',
  listings: [
    {
      name: 'users',
      request: given => page(given.organisation, 0),
      items: listAt('users'),
      page: nextInPath,
      account: toAccount,
    },
  ],
})

/** The page is in the path, counted from 0. Past the end Adobe gives the last page again, so its own word is the end. */
function nextInPath(...[req, res, got]: Parameters<Pager>): ReturnType<Pager> {
  if (at(res.body, 'lastPage') === true) return undefined
  if (got === 0) return 'short'
  return { ...req, path: req.path.replace(/\d+$/, number => String(Number(number) + 1)) }
}

function page(organisation: string, number: number) {
  return { path: `/v2/usermanagement/users/${encodeURIComponent(organisation)}/${number}` }
}
