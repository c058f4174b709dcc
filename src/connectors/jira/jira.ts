// Jira Cloud: the people of one Atlassian site, by an API token.
import { z } from 'zod'
import { baseAddress, placeOf } from '../address.ts'
import { userAndToken } from '../auth.ts'
import { listAt, textAt } from '../bodies.ts'
import { defineConnector } from '../connector.ts'
import { addressField, secretField, wordField } from '../fields.ts'
import { window } from '../pagers.ts'
import { toAccount } from './schema.ts'

const credentials = z.object({
  site: addressField({ label: 'Site', hint: 'Its address.', placeholder: 'acme.atlassian.net' }),
  email: wordField({
    label: 'E-mail address',
    hint: 'Of the account that made the token.',
    placeholder: 'admin@acme.com',
  }),
  token: secretField({
    label: 'API token',
    hint: 'id.atlassian.com: Security, API tokens.',
  }),
})

/** Jira Cloud, as a declaration. Source: Jira Cloud platform REST API v3, get all users; myself. */
export const jira = defineConnector(credentials, {
  id: 'jira',
  name: 'Jira Cloud',
  emoji: ':clipboard:',
  privileges: ['Global permission: Browse users and groups'],
  tokenFrom: {
    text: 'Make the token at id.atlassian.com, under Security, API tokens, as somebody who may browse users.',
    url: 'https://support.atlassian.com/atlassian-account/docs/manage-api-tokens-for-your-atlassian-account/',
  },
  reports:
    'Name, status, e-mail as far as people show it. Not reported: customers of a service desk, roles, licences, MFA, created, last activity.',
  facts: {
    source: 'https://developer.atlassian.com/cloud/jira/platform/rest/v3/api-group-users/',
    on: '2026-11-25',
  },
  base: ({ site }) => baseAddress(site, 'site'),
  auth: userAndToken(({ email, token }) => [email, token]),
  scopes: ['Browse users and groups'],
  // The list itself answers anybody, and shows a stranger next to nothing.
  check: () => ({ path: '/rest/api/3/myself' }),
  tenantRequest: () => ({ path: '/rest/api/3/serverInfo' }),
  tenant: (body, { site }) => ({
    key: placeOf(site, 'site'),
    name: textAt('serverTitle')(body) ?? null,
  }),
  rules: [
    { on: 404, is: 'settings', field: 'site' },
    // It took longer than ten seconds.
    { on: 409, is: 'broken' },
  ],
  listings: [
    {
      name: 'people',
      request: () => ({ path: '/rest/api/3/users/search', query: { startAt: '0', maxResults: '200' } }),
      items: listAt(),
      page: window('startAt', 'maxResults'),
      sizeKey: 'maxResults',
      account: toAccount,
    },
  ],
})
