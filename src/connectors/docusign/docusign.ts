// DocuSign: the users of one eSignature account, by an app that acts for an administrator (JWT grant).
import { z } from 'zod'
import { baseAddress } from '../address.ts'
import { jwtBearer } from '../auth.ts'
import { at, listAt, textAt } from '../bodies.ts'
import { defineConnector } from '../connector.ts'
import { addressField, keyField, wordField } from '../fields.ts'
import { offset } from '../pagers.ts'
import { toAccount } from './schema.ts'

const credentials = z.object({
  account: wordField({ label: 'API account ID', hint: 'DocuSign: Settings, Apps and Keys.' }),
  address: addressField({
    label: 'Account base URI',
    hint: 'On the same page.',
    placeholder: 'https://na3.docusign.net',
  }),
  user: wordField({
    label: 'User ID',
    hint: 'On the same page: of the administrator that the app acts for.',
  }),
  client: wordField({ label: 'Integration key', hint: 'On the same page, of your app.' }),
  key: keyField({ label: 'Private key', hint: 'The RSA key that was shown when it was made for the app.' }),
})

type Given = z.infer<typeof credentials>

/** DocuSign, as a declaration. Source: eSignature REST API 2.1, users list; JWT grant; the rules of API requests. */
export const docusign = defineConnector(credentials, {
  id: 'docusign',
  name: 'DocuSign',
  emoji: ':pencil:',
  privileges: [
    'An app with an RSA key and the consent of an administrator to signature and impersonation',
    'The administrator may manage users',
  ],
  tokenFrom: {
    text: 'Make the app in DocuSign, under Settings, Apps and Keys, give it an RSA key, and let the administrator consent once.',
    url: 'https://developers.docusign.com/platform/auth/jwt',
  },
  reports:
    'Name, e-mail, status, administrators, permission profile, created, last sign-in. Not reported: licences, MFA.',
  facts: {
    source: 'https://developers.docusign.com/docs/esign-rest-api/reference/users/users/list/',
    on: '2026-11-25',
  },
  base: ({ address }) => baseAddress(address, 'address'),
  auth: jwtBearer(({ address, user, client, key }) => {
    // Developer accounts live on demo.docusign.net and sign in at another host.
    const host = /\bdemo\./i.test(address) ? 'account-d.docusign.com' : 'account.docusign.com'
    const claims = { iss: client, sub: user, aud: host, scope: 'signature impersonation' }
    return { url: `https://${host}/oauth/token`, key, keyField: 'key', claims }
  }),
  scopes: ['the right to manage users'],
  check: given => ({ path: of(given) }),
  tenant: (body, { account }) => ({ key: account.toLowerCase(), name: textAt('accountName')(body) ?? null }),
  errorCode: body => textAt('errorCode')(body) ?? textAt('error')(body),
  rules: [
    {
      on: '*',
      code: /^HOURLY_APIINVOCATION_LIMIT_EXCEEDED$|^BURST_APIINVOCATION_LIMIT_EXCEEDED$/,
      is: 'busy',
    },
    {
      on: '*',
      code: /^consent_required$/,
      is: 'permission',
      missing: () => ['the administrator’s consent to signature and impersonation'],
    },
    { on: '*', code: /^USER_LACKS_PERMISSIONS$|^ACCOUNT_LACKS_PERMISSIONS$/, is: 'permission' },
    {
      on: '*',
      code: /^USER_NOT_FOUND$|^ACCOUNT_NOT_FOUND$|^INVALID_.*ACCOUNT/,
      is: 'settings',
      field: 'account',
    },
    { on: '*', code: /^USER_AUTHENTICATION_FAILED$|^AUTHORIZATION_INVALID_TOKEN$/, is: 'credentials' },
  ],
  listings: [
    {
      name: 'users',
      request: given => ({
        path: `${of(given)}/users`,
        query: { count: '100', start_position: '0', additional_info: 'true' },
      }),
      items: listAt('users'),
      page: offset('start_position', body => at(body, 'totalSetSize')),
      sizeKey: 'count',
      account: toAccount,
    },
  ],
})

function of({ account }: Given): string {
  return `/restapi/v2.1/accounts/${encodeURIComponent(account)}`
}
