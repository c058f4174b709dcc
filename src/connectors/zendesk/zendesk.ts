// Zendesk: the agents and administrators of one account, by an API token.
import { z } from 'zod'
import { baseAddress, placeOf } from '../address.ts'
import { userAndToken } from '../auth.ts'
import { flagAt, listAt, textAt } from '../bodies.ts'
import { defineConnector } from '../connector.ts'
import { addressField, secretField, wordField } from '../fields.ts'
import { nextUrl } from '../pagers.ts'
import { toAccount } from './schema.ts'

const credentials = z.object({
  address: addressField({
    label: 'Zendesk address',
    named: true,
    hint: 'The address that your agents sign in at.',
    placeholder: 'acme.zendesk.com',
  }),
  email: wordField({
    label: 'E-mail address',
    hint: 'Of the administrator who made the token.',
    placeholder: 'admin@acme.com',
  }),
  token: secretField({ label: 'API token', hint: 'Admin Center: Apps and integrations, APIs, API tokens.' }),
})

/** More than one role needs the key twice, so that it stands in the path. */
const staff = '/api/v2/users.json?role[]=agent&role[]=admin'

/** Zendesk, as a declaration. Source: Ticketing API, list users; cursor pagination. */
export const zendesk = defineConnector(credentials, {
  id: 'zendesk',
  name: 'Zendesk',
  emoji: ':headphones:',
  privileges: ['An API token of an administrator'],
  tokenFrom: {
    text: 'Make the token in Admin Center, under Apps and integrations, APIs, API tokens.',
    url: 'https://support.zendesk.com/hc/en-us/articles/4408889192858',
  },
  reports:
    'Agents and administrators: name, e-mail, status, role, kind of seat, MFA, created and last sign-in. Not reported: end users, names of custom roles.',
  facts: {
    source: 'https://developer.zendesk.com/api-reference/ticketing/users/users/',
    on: '2026-11-25',
  },
  base: ({ address }) => baseAddress(address, 'address'),
  auth: userAndToken(({ email, token }) => [`${email}/token`, token]),
  scopes: ['a role that may read users'],
  // Not `/users/me`, which answers a stranger with a user of nobody.
  check: () => ({ path: staff, query: { 'page[size]': '1' } }),
  tenant: (_, { address }) => ({ key: placeOf(address, 'address'), name: null }),
  errorCode: body => textAt('error')(body) ?? textAt('error', 'title')(body),
  rules: [{ on: 404, is: 'settings', field: 'address' }],
  listings: [
    {
      name: 'agents and administrators',
      request: () => ({ path: staff, query: { 'page[size]': '100' } }),
      items: listAt('users'),
      page: nextUrl(textAt('links', 'next'), flagAt('meta', 'has_more')),
      sizeKey: 'page[size]',
      account: toAccount,
    },
  ],
})
