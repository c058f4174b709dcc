// Slack Enterprise Grid: everybody in the whole organisation, by an administrator's user token.
import { z } from 'zod'
import { bearer, token } from '../auth.ts'
import { listAt, textAt, wordsIn } from '../bodies.ts'
import { defineConnector, type Listing } from '../connector.ts'
import { secretField } from '../fields.ts'
import { cursor } from '../pagers.ts'
import { slackCode, slackRules, slackWait } from '../slack-words.ts'
import { toAccount } from './schema.ts'

const credentials = z.object({
  token: secretField({
    label: 'User token',
    hint: 'It begins with xoxp-, and is of an Org Admin or Owner, of an app that is installed on the whole organisation.',
    placeholder: 'xoxp-…',
  }),
})

/** Slack Enterprise Grid, as a declaration. Source: Web API, admin.users.list. */
export const slackGrid = defineConnector(credentials, {
  id: 'slack-grid',
  name: 'Slack Enterprise Grid',
  emoji: ':card_index_dividers:',
  privileges: ['User token scope: admin.users:read', 'An app that is installed on the whole organisation'],
  tokenFrom: {
    text: 'Make an app at api.slack.com/apps, add the user token scope, switch on org-wide deployment and install it on the organisation.',
    url: 'https://docs.slack.dev/reference/methods/admin.users.list/',
  },
  reports:
    'Name, e-mail, status, guests, owners and admins, MFA where Slack says it, created. Not reported: workspaces, paid seats, last activity, who is invited.',
  facts: { source: 'https://docs.slack.dev/reference/methods/admin.users.list/', on: '2026-11-25' },
  base: () => 'https://slack.com/api',
  auth: token(given => bearer(given.token)),
  scopes: ['admin.users:read'],
  granted: ({ headers }) => wordsIn(headers['x-oauth-scopes']),
  check: () => ({ path: '/auth.test' }),
  tenant: body => ({
    key: textAt('enterprise_id')(body) ?? textAt('team_id')(body) ?? '',
    name: textAt('team')(body) ?? null,
  }),
  errorCode: slackCode,
  rules: slackRules,
  waitSeconds: slackWait,
  listings: [people('active people', true), people('deactivated people', false)],
})

function people(name: string, active: boolean): Listing {
  return {
    name,
    request: () => ({
      path: '/admin.users.list',
      method: 'POST',
      query: { limit: '100', is_active: String(active) },
    }),
    items: listAt('users'),
    page: cursor('cursor', textAt('response_metadata', 'next_cursor')),
    sizeKey: 'limit',
    account: item => toAccount(item, active),
  }
}
