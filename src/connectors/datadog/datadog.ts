// Datadog: the users of one organisation, by an API key and an application key.
import { z } from 'zod'
import { token } from '../auth.ts'
import { at, textAt } from '../bodies.ts'
import { defineConnector } from '../connector.ts'
import { choiceField, secretField } from '../fields.ts'
import { pageNumber } from '../pagers.ts'
import { organisationOf, toAccount, usersWithRoles } from './schema.ts'

const credentials = z.object({
  site: choiceField(
    { label: 'Datadog site', named: true, hint: 'The site is in the address that you open Datadog at.' },
    [
      ['datadoghq.com', 'US1: app.datadoghq.com'],
      ['us3.datadoghq.com', 'US3: us3.datadoghq.com'],
      ['us5.datadoghq.com', 'US5: us5.datadoghq.com'],
      ['datadoghq.eu', 'EU1: app.datadoghq.eu'],
      ['ap1.datadoghq.com', 'AP1: ap1.datadoghq.com'],
      ['ap2.datadoghq.com', 'AP2: ap2.datadoghq.com'],
      ['ddog-gov.com', 'US1-FED: app.ddog-gov.com'],
    ],
  ),
  key: secretField({ label: 'API key', hint: 'Datadog: Organization Settings, API Keys.' }),
  application: secretField({
    label: 'Application key',
    hint: 'Datadog: Organization Settings, Application Keys. With the scope user_access_read.',
  }),
})

const pageSize = 100

/** Datadog, as a declaration. Source: API v2, list all users; API v1 validates only the first key. */
export const datadog = defineConnector(credentials, {
  id: 'datadog',
  name: 'Datadog',
  emoji: ':dog:',
  privileges: ['An API key', 'An application key with the scope user_access_read'],
  tokenFrom: {
    text: 'Make both keys in Datadog, under Organization Settings.',
    url: 'https://docs.datadoghq.com/account_management/api-app-keys/',
  },
  reports:
    'Name, e-mail, status, service accounts, roles, MFA, created, last sign-in. Not reported: licences.',
  facts: { source: 'https://docs.datadoghq.com/api/latest/users/#list-all-users', on: '2026-11-24' },
  base: ({ site }) => `https://api.${site}`,
  auth: token(given => ({ 'dd-api-key': given.key, 'dd-application-key': given.application })),
  scopes: ['user_access_read'],
  check: () => page('1'),
  tenant: (body, { site }) => organisationOf(body, site),
  errorCode: textAt('errors', 0),
  // A bad key is 403 too: only the words tell it from a key without the permission.
  rules: [
    { on: 403, code: /permission|scope/i, is: 'permission' },
    { on: 403, is: 'credentials' },
  ],
  listings: [
    {
      name: 'users',
      request: () => page(String(pageSize)),
      items: usersWithRoles,
      // Pages are counted from 0. No `sizeKey`: pages of another size begin elsewhere.
      page: pageNumber('page[number]', (body, number, got) => {
        const total = Number(at(body, 'meta', 'page', 'total_filtered_count'))
        return Number.isNaN(total) ? got > 0 : (number + 1) * pageSize < total
      }),
      account: toAccount,
    },
  ],
})

function page(size: string) {
  return { path: '/api/v2/users', query: { 'page[size]': size, 'page[number]': '0', sort: 'created_at' } }
}
