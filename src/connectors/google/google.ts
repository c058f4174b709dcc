// Google Workspace: the people of one customer, by a service account with domain-wide delegation.
import { z } from 'zod'
import { jwtBearer } from '../auth.ts'
import { at, listAt, textAt } from '../bodies.ts'
import { defineConnector } from '../connector.ts'
import { keyField, wordField } from '../fields.ts'
import { cursor } from '../pagers.ts'
import { isKeyFile, keyFileOf, reasonOf, toAccount } from './schema.ts'

const credentials = z.object({
  key: keyField({
    label: 'Service account key',
    hint: 'The whole JSON file. Google Cloud console: IAM, Service accounts, Keys, Add key, JSON.',
    placeholder: '{ "type": "service_account", … }',
  }).refine(isKeyFile, 'This is not the JSON key file of a service account. Paste the whole file.'),
  admin: wordField({
    label: 'Administrator’s e-mail address',
    hint: 'saasm reads as this administrator, who needs a role that may read users.',
    placeholder: 'admin@acme.com',
  }),
})

const scope = 'https://www.googleapis.com/auth/admin.directory.user.readonly'
const fields =
  'id,primaryEmail,name/fullName,suspended,archived,agreedToTerms,isAdmin,isDelegatedAdmin,isEnrolledIn2Sv,lastLoginTime,creationTime'

/** Google Workspace, as a declaration. Source: Directory API, users.list; OAuth 2.0 for server to server applications. */
export const google = defineConnector(credentials, {
  id: 'google',
  name: 'Google Workspace',
  emoji: ':rainbow:',
  privileges: [
    `Domain-wide delegation of ${scope} to the service account’s client id`,
    'Admin SDK API, switched on in the service account’s project',
    'An administrator whose role may read users',
  ],
  tokenFrom: {
    text: 'Make a service account and its JSON key in the Google Cloud console, then delegate the scope to it in the Admin console, under Security, API controls, Domain-wide delegation.',
    url: 'https://developers.google.com/identity/protocols/oauth2/service-account',
  },
  reports:
    'Name, e-mail, status, administrators, MFA, created and last sign-in. Not reported: licences, which role an administrator has.',
  facts: {
    source: 'https://developers.google.com/workspace/admin/directory/reference/rest/v1/users/list',
    on: '2026-11-25',
  },
  base: () => 'https://admin.googleapis.com',
  auth: jwtBearer(({ key, admin }) => {
    const { client_email, private_key, private_key_id } = keyFileOf(key)
    const url = 'https://oauth2.googleapis.com/token'
    const claims = { iss: client_email, sub: admin, scope, aud: url }
    return { url, key: private_key, keyField: 'key', keyId: private_key_id, claims }
  }),
  scopes: [scope],
  check: () => users({ maxResults: '1', fields: 'users(customerId)' }),
  tenant: (body, { admin }) => {
    const domain = admin.replace(/^.*@/, '')
    return { key: textAt('users', 0, 'customerId')(body) ?? domain, name: domain }
  },
  errorCode: reasonOf,
  rules: [
    { on: 403, code: /^(user)?rateLimitExceeded$|^RATE_LIMIT_EXCEEDED$|^quotaExceeded$/i, is: 'busy' },
    { on: 403, code: /^accessNotConfigured$/, is: 'permission', missing: () => ['the Admin SDK API'] },
    {
      on: 403,
      code: /^forbidden$/,
      is: 'permission',
      missing: () => ['an administrator who may read users'],
    },
    // Of the token: no delegation, or not of this scope.
    { on: 401, code: /^unauthorized_client$/, is: 'permission', missing: () => [scope] },
    { on: 403, code: /^access_denied$/, is: 'permission', missing: () => [scope] },
  ],
  // The limits are counted a minute, and the quota a day; neither answer has a header.
  waitSeconds: ({ status, body }) =>
    status !== 403 ? undefined : reasonOf(body) === 'quotaExceeded' ? 3_600 : 60,
  listings: [
    {
      name: 'people',
      request: () => users({ maxResults: '500', orderBy: 'email', fields: `nextPageToken,users(${fields})` }),
      // A customer without users has no `users` at all.
      items: body => listAt('users')(body) ?? (at(body, 'users') === undefined && at(body) ? [] : undefined),
      page: cursor('pageToken', textAt('nextPageToken')),
      sizeKey: 'maxResults',
      account: toAccount,
    },
  ],
})

function users(query: Record<string, string>) {
  return {
    path: '/admin/directory/v1/users',
    query: { customer: 'my_customer', projection: 'basic', ...query },
  }
}
