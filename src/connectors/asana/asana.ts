// Asana: the memberships of one workspace or organisation, by an access token.
import { z } from 'zod'
import { bearer, token } from '../auth.ts'
import { listAt, textAt } from '../bodies.ts'
import { defineConnector } from '../connector.ts'
import { secretField, wordField } from '../fields.ts'
import { cursor } from '../pagers.ts'
import { toAccount } from './schema.ts'

const credentials = z.object({
  workspace: wordField({
    label: 'Workspace ID',
    hint: 'The number (gid). app.asana.com/api/1.0/workspaces shows it to who is signed in.',
    placeholder: '1201234567890123',
  }),
  token: secretField({
    label: 'Access token',
    hint: 'Of a service account, or a personal one of an administrator.',
  }),
})

const fields = 'is_active,is_admin,is_guest,is_view_only,created_at,user.gid,user.email,user.name'

/** Asana, as a declaration. Source: Asana API 1.0, workspace memberships; pagination; rate limits. */
export const asana = defineConnector(credentials, {
  id: 'asana',
  name: 'Asana',
  emoji: ':dart:',
  privileges: ['A service account (Enterprise), or a personal access token of an administrator'],
  tokenFrom: {
    text: 'Make a service account in the admin console, under Apps, or a personal access token at app.asana.com/0/my-apps.',
    url: 'https://developers.asana.com/docs/personal-access-token',
  },
  reports:
    'Name, e-mail, status, guests, administrators, view-only licences and joined. Not reported: who is invited, MFA, last activity.',
  facts: {
    source: 'https://developers.asana.com/reference/getworkspacemembershipsforworkspace',
    on: '2026-11-25',
  },
  base: () => 'https://app.asana.com/api/1.0',
  auth: token(given => bearer(given.token)),
  scopes: [],
  check: ({ workspace }) => ({ path: `/workspaces/${workspace}`, query: { opt_fields: 'name' } }),
  tenant: (body, { workspace }) => ({ key: workspace, name: textAt('data', 'name')(body) ?? null }),
  rules: [{ on: 404, is: 'settings', field: 'workspace' }],
  listings: [
    {
      name: 'memberships',
      request: ({ workspace }) => ({
        path: `/workspaces/${workspace}/workspace_memberships`,
        query: { limit: '100', opt_fields: fields },
      }),
      items: listAt('data'),
      page: cursor('offset', textAt('next_page', 'offset')),
      sizeKey: 'limit',
      account: toAccount,
    },
  ],
})
