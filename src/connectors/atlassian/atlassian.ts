// Atlassian: the managed accounts of one organisation, by an organisation's API key.
import { z } from 'zod'
import { bearer, token } from '../auth.ts'
import { listAt, textAt } from '../bodies.ts'
import { defineConnector } from '../connector.ts'
import { secretField, wordField } from '../fields.ts'
import { nextUrl } from '../pagers.ts'
import { toAccount } from './schema.ts'

const credentials = z.object({
  organisation: wordField({
    label: 'Organisation ID',
    hint: 'admin.atlassian.com: it stands in the address, and beside the key when it is made.',
  }),
  key: secretField({ label: 'API key', hint: 'admin.atlassian.com: Organization settings, API keys.' }),
})

/** Atlassian, as a declaration. Source: Organizations REST API, get managed accounts; get an organization by ID. */
export const atlassian = defineConnector(credentials, {
  id: 'atlassian',
  name: 'Atlassian organisation',
  emoji: ':mountain:',
  privileges: ['An API key of the organisation (read:accounts:admin, read:orgs:admin)'],
  tokenFrom: {
    text: 'Make the key at admin.atlassian.com, under Organization settings, API keys, as an organisation admin.',
    url: 'https://support.atlassian.com/organization-administration/docs/manage-an-organization-with-the-admin-apis/',
  },
  reports:
    'Accounts of verified domains: name, e-mail, status, products, last activity. Not reported: other accounts, roles, MFA, created.',
  facts: {
    source: 'https://developer.atlassian.com/cloud/admin/organization/rest/api-group-users/',
    on: '2026-11-25',
  },
  base: ({ organisation }) => `https://api.atlassian.com/admin/v1/orgs/${encodeURIComponent(organisation)}`,
  auth: token(given => bearer(given.key)),
  scopes: ['read:accounts:admin', 'read:orgs:admin'],
  check: () => ({ path: '' }),
  tenant: (body, { organisation }) => ({
    key: organisation,
    name: textAt('data', 'attributes', 'name')(body) ?? null,
  }),
  errorCode: textAt('errors', 0, 'code'),
  rules: [{ on: 404, is: 'settings', field: 'organisation' }],
  incomplete:
    'Atlassian lists only accounts of the organisation’s verified domains, so nobody is removed: who is absent may still use its products.',
  listings: [
    {
      name: 'managed accounts',
      request: () => ({ path: '/users' }),
      items: listAt('data'),
      page: nextUrl(textAt('links', 'next')),
      account: toAccount,
    },
  ],
})
