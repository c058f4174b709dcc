// Notion: the members of one workspace, by an internal integration's secret.
import { z } from 'zod'
import { bearer, token } from '../auth.ts'
import { flagAt, listAt, textAt } from '../bodies.ts'
import { defineConnector } from '../connector.ts'
import { secretField } from '../fields.ts'
import { cursor } from '../pagers.ts'
import { toAccount } from './schema.ts'

const credentials = z.object({
  token: secretField({
    label: 'Integration secret',
    hint: 'notion.so/my-integrations: your internal integration, Configuration.',
    placeholder: 'ntn_…',
  }),
})

const capability = 'user information including e-mail addresses'
const headers = { 'notion-version': '2022-06-28' }

/** Notion, as a declaration. Source: Notion API, list all users; retrieve your token's bot user; status codes. */
export const notion = defineConnector(credentials, {
  id: 'notion',
  name: 'Notion',
  emoji: ':notebook:',
  privileges: [`Capability of an internal integration: read ${capability}`],
  tokenFrom: {
    text: 'Make an internal integration at notion.so/my-integrations, as a workspace owner.',
    url: 'https://developers.notion.com/docs/create-a-notion-integration',
  },
  reports: 'Members: name and e-mail. Not reported: guests, roles, licences, MFA, created, last activity.',
  facts: { source: 'https://developers.notion.com/reference/get-users', on: '2026-11-25' },
  base: () => 'https://api.notion.com',
  auth: token(given => ({ ...bearer(given.token), ...headers })),
  scopes: [capability],
  check: () => ({ path: '/v1/users/me' }),
  tenant: body => ({
    key: textAt('bot', 'workspace_id')(body) ?? textAt('id')(body) ?? '',
    name: textAt('bot', 'workspace_name')(body) ?? null,
  }),
  errorCode: textAt('code'),
  rules: [{ on: 403, code: /^restricted_resource$/, is: 'permission' }],
  listings: [
    {
      name: 'members',
      request: () => ({ path: '/v1/users', query: { page_size: '100' } }),
      items: listAt('results'),
      page: cursor('start_cursor', textAt('next_cursor'), flagAt('has_more')),
      sizeKey: 'page_size',
      account: toAccount,
    },
  ],
})
