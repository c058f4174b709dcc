// Snyk: the members of one group, by a service account's or person's API token.
import { z } from 'zod'
import { scheme, token } from '../auth.ts'
import { listAt, textAt } from '../bodies.ts'
import { defineConnector } from '../connector.ts'
import { choiceField, secretField, wordField } from '../fields.ts'
import { cursor } from '../pagers.ts'
import { afterIn, toAccount } from './schema.ts'

const credentials = z.object({
  region: choiceField({ label: 'Region', hint: 'By the address that you open Snyk at.' }, [
    ['api.snyk.io', 'US-01: app.snyk.io'],
    ['api.us.snyk.io', 'US-02: app.us.snyk.io'],
    ['api.eu.snyk.io', 'EU-01: app.eu.snyk.io'],
    ['api.au.snyk.io', 'AU-01: app.au.snyk.io'],
  ]),
  group: wordField({ label: 'Group ID', hint: 'Snyk: your group, Settings, General.' }),
  token: secretField({
    label: 'API token',
    hint: 'Of a service account of the group: Settings, Service accounts, with the role Group Viewer.',
  }),
})

const version = '2024-10-15'

/** Snyk, as a declaration. Source: Snyk's REST API, group memberships; pagination (multiples of ten, at least ten). */
export const snyk = defineConnector(credentials, {
  id: 'snyk',
  name: 'Snyk',
  emoji: ':dog2:',
  privileges: ['A token that may view group memberships (Group Viewer)'],
  tokenFrom: {
    text: 'Make a service account of the group in Snyk, with the role Group Viewer.',
    url: 'https://docs.snyk.io/implementation-and-setup/enterprise-setup/service-accounts',
  },
  reports: 'Name, e-mail, role, when they joined. Not reported: status, licences, MFA, last activity.',
  facts: {
    source: 'https://apidocs.snyk.io/?version=2024-10-15#get-/groups/-group_id-/memberships',
    on: '2026-11-24',
  },
  base: ({ region }) => `https://${region}/rest`,
  auth: token(given => scheme('token', given.token)),
  scopes: ['View group memberships'],
  check: () => ({ path: '/self', query: { version } }),
  tenant: (_, { group }) => ({ key: group.toLowerCase(), name: null }),
  errorCode: textAt('errors', 0, 'code'),
  rules: [{ on: 404, is: 'settings', field: 'group' }],
  listings: [
    {
      name: 'members',
      request: ({ group }) => ({ path: `/groups/${group}/memberships`, query: { version, limit: '100' } }),
      items: listAt('data'),
      // The next address is below another base than the first: only its cursor is taken.
      page: cursor('starting_after', body => afterIn(body)),
      account: toAccount,
    },
  ],
})
