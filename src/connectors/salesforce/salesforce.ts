// Salesforce: the users of one organisation, by an external client app with client credentials.
import { z } from 'zod'
import { baseAddress, placeOf } from '../address.ts'
import { clientCredentials } from '../auth.ts'
import { at, listAt, textAt } from '../bodies.ts'
import { defineConnector } from '../connector.ts'
import { addressField, secretField, wordField } from '../fields.ts'
import { nextUrl } from '../pagers.ts'
import { codeOf, toAccount } from './schema.ts'

const credentials = z.object({
  domain: addressField({
    label: 'My Domain address',
    named: true,
    hint: 'Setup: My Domain. Not the address of Lightning.',
    placeholder: 'acme.my.salesforce.com',
  }),
  client: wordField({ label: 'Consumer key', hint: 'Of the external client app, under Settings, OAuth.' }),
  secret: secretField({ label: 'Consumer secret', hint: 'On the same page.' }),
})

const version = '/services/data/v60.0'
const columns =
  'Id,Name,Email,Username,IsActive,UserType,LastLoginDate,CreatedDate,Profile.Name,Profile.UserLicense.Name,UserRole.Name'

/** Salesforce, as a declaration. Source: REST API, query; object reference, User; OAuth client credentials flow. */
export const salesforce = defineConnector(credentials, {
  id: 'salesforce',
  name: 'Salesforce',
  emoji: ':cloud:',
  privileges: [
    'OAuth scope: Manage user data via APIs (api)',
    'The user that the app runs as: API Enabled, View Setup and Configuration (and Manage Users, to see who is frozen)',
  ],
  tokenFrom: {
    text: 'Make an external client app in Setup, switch on the client credentials flow and choose the user it runs as.',
    url: 'https://help.salesforce.com/s/articleView?id=xcloud.remoteaccess_oauth_client_credentials_flow_ca.htm',
  },
  reports:
    'Name, e-mail, status (also who is frozen), profile and role, licence, portal users as guests, created and last sign-in. Not reported: MFA.',
  facts: {
    source:
      'https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/sforce_api_objects_user.htm',
    on: '2026-11-25',
  },
  base: ({ domain }) => baseAddress(domain, 'domain'),
  auth: clientCredentials(({ domain, client, secret }) => ({
    url: `${baseAddress(domain, 'domain')}/services/oauth2/token`,
    form: { grant_type: 'client_credentials', client_id: client, client_secret: secret },
  })),
  scopes: ['api', 'View Setup and Configuration'],
  check: () => query('SELECT Id FROM User LIMIT 1'),
  tenantRequest: () => query('SELECT Id, Name FROM Organization'),
  tenant: (body, { domain }) => ({
    key: placeOf(domain, 'domain'),
    name: textAt('records', 0, 'Name')(body) ?? null,
  }),
  errorCode: codeOf,
  rules: [
    { on: 403, code: /^REQUEST_LIMIT_EXCEEDED$/, is: 'busy' },
    { on: 403, code: /^API_DISABLED_FOR_ORG$/, is: 'permission', missing: () => ['API Enabled'] },
    // It knows neither an object nor a field that the user may not see.
    { on: 400, code: /^INVALID_(FIELD|TYPE)$/, is: 'permission' },
  ],
  // Counted over a day and over concurrent calls alike, and no answer says when it ends.
  waitSeconds: ({ status }) => (status === 403 ? 60 : undefined),
  lookup: {
    name: 'who is frozen',
    scopes: ['Manage Users'],
    request: () => query('SELECT UserId FROM UserLogin WHERE IsFrozen = true'),
    items: listAt('records'),
    page: nextUrl(textAt('nextRecordsUrl')),
    entry: item => [textAt('UserId')(item) ?? '', 'frozen'],
  },
  listings: [
    {
      name: 'users',
      request: () => query(`SELECT ${columns} FROM User ORDER BY Id`),
      changed: (_, since) =>
        query(`SELECT ${columns} FROM User WHERE SystemModstamp > ${since.toISOString()} ORDER BY Id`),
      items: listAt('records'),
      page: nextUrl(textAt('nextRecordsUrl'), body => at(body, 'done') === false || undefined),
      account: (item, _, looked) => toAccount(item, looked),
    },
  ],
})

function query(q: string) {
  return { path: `${version}/query`, query: { q } }
}
