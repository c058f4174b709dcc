// Dropbox: the members of one team, by an app's refresh token.
import { z } from 'zod'
import { refreshToken } from '../auth.ts'
import { at, flagAt, listAt, textAt, wordsIn } from '../bodies.ts'
import { defineConnector } from '../connector.ts'
import { secretField, wordField } from '../fields.ts'
import { continued } from '../pagers.ts'
import { codeOf, toAccount } from './schema.ts'

const credentials = z.object({
  app: wordField({ label: 'App key', hint: 'dropbox.com/developers/apps: your app, Settings.' }),
  secret: secretField({ label: 'App secret', hint: 'On the same page.' }),
  refresh: secretField({
    label: 'Refresh token',
    hint: 'Of a team admin who allowed the app with token_access_type=offline. The page of this connector says how.',
  }),
})

/** Dropbox, as a declaration. Source: Dropbox Business API, team/members/list_v2, team/get_info; OAuth guide. */
export const dropbox = defineConnector(credentials, {
  id: 'dropbox',
  name: 'Dropbox Business',
  emoji: ':open_file_folder:',
  privileges: ['A team-scoped app with members.read and team_info.read, allowed by a team admin'],
  tokenFrom: {
    text: 'Make a scoped app in the Dropbox App Console, then let a team admin allow it and exchange the code for a refresh token.',
    url: 'https://developers.dropbox.com/oauth-guide',
  },
  reports:
    'Name, e-mail, status (also who was removed), roles, kind of licence and joined. Not reported: MFA, last activity.',
  facts: {
    source: 'https://www.dropbox.com/developers/documentation/http/teams#team-members-list',
    on: '2026-11-25',
  },
  base: () => 'https://api.dropboxapi.com/2',
  auth: refreshToken('refresh', ({ app, secret, refresh }) => ({
    url: 'https://api.dropboxapi.com/oauth2/token',
    form: { grant_type: 'refresh_token', refresh_token: refresh, client_id: app, client_secret: secret },
  })),
  scopes: ['members.read', 'team_info.read'],
  granted: ({ body }) => wordsIn(textAt('scope')(body)),
  check: () => ({ path: '/team/get_info', method: 'POST' }),
  tenant: body => ({ key: textAt('team_id')(body) ?? '', name: textAt('name')(body) ?? null }),
  errorCode: codeOf,
  rules: [
    {
      on: 401,
      code: /^missing_scope$/,
      is: 'permission',
      missing: ({ body }) => wordsIn(textAt('error', 'required_scope')(body)) ?? [],
    },
  ],
  waitSeconds: ({ status, body }) => {
    const told = at(body, 'error', 'retry_after')
    return status === 429 && typeof told === 'number' ? told : undefined
  },
  listings: [
    {
      name: 'members',
      request: () => ({
        path: '/team/members/list_v2',
        method: 'POST',
        body: { limit: 1000, include_removed: true },
      }),
      items: listAt('members'),
      page: continued('/team/members/list/continue_v2', textAt('cursor'), flagAt('has_more')),
      account: toAccount,
    },
  ],
})
