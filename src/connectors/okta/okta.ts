// Okta: the people of one Okta organisation, by an API token (SSWS).
import { z } from 'zod'
import { baseAddress } from '../address.ts'
import { scheme, token } from '../auth.ts'
import { defineConnector } from '../connector.ts'
import { addressField, secretField } from '../fields.ts'
import { linkHeader } from '../pagers.ts'
import { codeOf, companyOf, toAccount } from './schema.ts'

const credentials = z.object({
  domain: addressField({
    label: 'Okta domain',
    named: true,
    hint: 'Without “-admin”: the address that your people sign in at.',
    placeholder: 'acme.okta.com',
  }),
  token: secretField({
    label: 'API token',
    hint: 'Okta admin console: Security, API, Tokens, Create token.',
  }),
})

/** Okta, as a declaration. Source: the Users API of Okta's management specification. */
export const okta = defineConnector(credentials, {
  id: 'okta',
  name: 'Okta',
  emoji: ':large_blue_circle:',
  privileges: ['A token made by a Read-only Administrator (okta.users.read)'],
  tokenFrom: {
    text: 'Make the token in the Okta admin console, under Security, API, Tokens, signed in as a Read-only Administrator.',
    url: 'https://developer.okta.com/docs/guides/create-an-api-token/main/',
  },
  reports: 'Name, e-mail, status, created and last sign-in. Not reported: roles, licences, MFA.',
  facts: {
    source: 'https://developer.okta.com/docs/api/openapi/okta-management/management/tag/User/',
    on: '2026-11-24',
  },
  base: ({ domain }) => baseAddress(domain, 'domain'),
  auth: token(given => scheme('SSWS', given.token)),
  scopes: ['okta.users.read'],
  check: () => ({ path: '/api/v1/users', query: { limit: '1' } }),
  tenantRequest: () => ({ path: '/api/v1/org' }),
  tenant: (body, { domain }) => ({
    key: baseAddress(domain, 'domain').replace(/^https?:\/\//, ''),
    name: companyOf(body) ?? null,
  }),
  errorCode: codeOf,
  rules: [
    { on: '*', code: /^(E0000011|E0000004)$/, is: 'credentials' },
    { on: '*', code: /^E0000006$/, is: 'permission' },
    { on: '*', code: /^E0000047$/, is: 'busy' },
  ],
  listings: [
    {
      name: 'people',
      // Without `search` Okta leaves out the deactivated; `status pr` is everybody.
      request: () => people('status pr'),
      changed: (_, since) => people(`lastUpdated gt "${since.toISOString()}"`),
      items: body => (Array.isArray(body) ? body : undefined),
      page: linkHeader,
      sizeKey: 'limit',
      account: toAccount,
    },
  ],
})

function people(search: string) {
  const less = 'okta-response="omitCredentials,omitCredentialsLinks,omitTransitioningToStatus"'
  return {
    path: '/api/v1/users',
    query: { limit: '200', search },
    headers: { 'content-type': `application/json; ${less}` },
  }
}
