// ClickUp: the members and guests of one workspace, by a personal API token.
import { z } from 'zod'
import { token } from '../auth.ts'
import { listAt, textAt } from '../bodies.ts'
import { defineConnector } from '../connector.ts'
import { ProviderError } from '../errors.ts'
import { secretField, wordField } from '../fields.ts'
import { onePage } from '../pagers.ts'
import { membersIn, toAccount } from './schema.ts'

const credentials = z.object({
  workspace: wordField({
    label: 'Workspace ID',
    hint: 'The number in the address: app.clickup.com/9012345678 is 9012345678.',
  }),
  token: secretField({
    label: 'API token',
    hint: 'ClickUp: your picture, Settings, Apps.',
    placeholder: 'pk_…',
  }),
})

/** ClickUp, as a declaration. Source: ClickUp API v2, get authorized workspaces; common errors. */
export const clickup = defineConnector(credentials, {
  id: 'clickup',
  name: 'ClickUp',
  emoji: ':white_check_mark:',
  privileges: ['A personal API token of an owner or administrator'],
  tokenFrom: {
    text: 'Make the token in ClickUp, under your picture, Settings, Apps.',
    url: 'https://developer.clickup.com/docs/authentication',
  },
  reports:
    'Name, e-mail, role, guests, last activity, when they joined. Not reported: who is invited, licences, MFA.',
  facts: { source: 'https://developer.clickup.com/reference/getauthorizedteams', on: '2026-11-24' },
  base: () => 'https://api.clickup.com/api/v2',
  // Without a scheme: only OAuth tokens say Bearer.
  auth: token(given => ({ authorization: given.token })),
  scopes: ['access to the workspace'],
  check: () => ({ path: '/user' }),
  tenantRequest: () => ({ path: '/team' }),
  tenant: (body, { workspace }) => ({ key: workspace, name: nameOf(body, workspace) }),
  errorCode: textAt('ECODE'),
  rules: [
    { on: 401, code: /^OAUTH_0(23|26|27|29|3\d|4[0-5])$/, is: 'permission' },
    { on: 401, is: 'credentials' },
  ],
  listings: [
    {
      name: 'members',
      request: () => ({ path: '/team' }),
      items: membersIn,
      page: onePage,
      account: (item, { workspace }) => toAccount(item, workspace),
    },
  ],
})

/** Throws `settings` when the token does not see this workspace: its members would be nobody. */
function nameOf(body: unknown, workspace: string): string | null {
  const teams = listAt('teams')(body)
  const team = teams?.find(one => textAt('id')(one) === workspace)
  if (teams && !team)
    throw new ProviderError('settings', {
      message:
        'The token does not see this workspace. Check “Workspace ID”, or use a token of one of its members.',
      detail: 'GET /team without the workspace',
      field: 'workspace',
    })
  return textAt('name')(team) ?? null
}
