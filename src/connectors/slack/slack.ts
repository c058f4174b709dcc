// Slack: the members of one workspace, by a bot token.
import { z } from 'zod'
import { bearer, token } from '../auth.ts'
import { listAt, textAt, wordsIn } from '../bodies.ts'
import { defineConnector } from '../connector.ts'
import { secretField } from '../fields.ts'
import { cursor } from '../pagers.ts'
import { slackCode, slackRules, slackWait } from '../slack-words.ts'
import { toAccount } from './schema.ts'

const credentials = z.object({
  token: secretField({
    label: 'Bot token',
    hint: 'It begins with xoxb-. api.slack.com: Your apps, OAuth & Permissions, Install to Workspace.',
    placeholder: 'xoxb-…',
  }),
})

/** Slack, as a declaration. Source: Web API, users.list, auth.test, rate limits. */
export const slack = defineConnector(credentials, {
  id: 'slack',
  name: 'Slack',
  emoji: ':hash:',
  privileges: ['Bot token scopes: users:read, users:read.email'],
  tokenFrom: {
    text: 'Make an app at api.slack.com/apps, add the bot token scopes and install it to the workspace.',
    url: 'https://docs.slack.dev/reference/methods/users.list/',
  },
  reports:
    'Name, e-mail, status, guests, owners and admins, MFA where Slack says it. Not reported: paid seats, created, last activity.',
  facts: { source: 'https://docs.slack.dev/reference/methods/users.list/', on: '2026-11-25' },
  base: () => 'https://slack.com/api',
  auth: token(given => bearer(given.token)),
  scopes: ['users:read', 'users:read.email'],
  granted: ({ headers }) => wordsIn(headers['x-oauth-scopes']),
  check: () => ({ path: '/auth.test' }),
  tenant: body => ({ key: textAt('team_id')(body) ?? '', name: textAt('team')(body) ?? null }),
  errorCode: slackCode,
  rules: slackRules,
  waitSeconds: slackWait,
  listings: [
    {
      name: 'members',
      request: () => ({ path: '/users.list', query: { limit: '200' } }),
      items: listAt('members'),
      page: cursor('cursor', textAt('response_metadata', 'next_cursor')),
      sizeKey: 'limit',
      account: toAccount,
    },
  ],
})
