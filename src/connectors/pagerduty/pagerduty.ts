// PagerDuty: the users of one account, by a read-only REST API key.
import { z } from 'zod'
import { scheme, token } from '../auth.ts'
import { at, listAt, textAt } from '../bodies.ts'
import { defineConnector, type Pager } from '../connector.ts'
import { choiceField, secretField } from '../fields.ts'
import { offset } from '../pagers.ts'
import { accountHost, toAccount } from './schema.ts'

const credentials = z.object({
  region: choiceField(
    { label: 'Service region', hint: 'The EU region’s address is acme.eu.pagerduty.com.' },
    [
      ['api.pagerduty.com', 'United States'],
      ['api.eu.pagerduty.com', 'Europe'],
    ],
  ),
  key: secretField({
    label: 'API key',
    hint: 'PagerDuty: Integrations, API Access Keys. Read-only is enough.',
  }),
})

/** Both are required; without the version PagerDuty answers as its first API did. */
const headers = { accept: 'application/vnd.pagerduty+json;version=2' }

/** PagerDuty, as a declaration. Source: REST API v2, list users; the pages of more than 10,000 are not offered. */
export const pagerduty = defineConnector(credentials, {
  id: 'pagerduty',
  name: 'PagerDuty',
  emoji: ':pager:',
  privileges: ['A read-only general access REST API key'],
  tokenFrom: {
    text: 'Make the key in PagerDuty, under Integrations, API Access Keys, as an administrator.',
    url: 'https://support.pagerduty.com/main/docs/api-access-keys',
  },
  reports: 'Name, e-mail, who is invited, role. Not reported: licences, MFA, created, last activity.',
  facts: {
    source: 'https://developer.pagerduty.com/api-reference/c96e889522dd6-list-users',
    on: '2026-11-24',
  },
  base: ({ region }) => `https://${region}`,
  auth: token(given => scheme('Token', `token=${given.key}`)),
  scopes: ['users.read'],
  check: () => ({ path: '/users', query: { limit: '1' }, headers }),
  tenant: body => accountHost(body),
  errorCode: textAt('error', 'code'),
  rules: [],
  listings: [
    {
      name: 'users',
      request: () => ({ path: '/users', query: { limit: '100', offset: '0' }, headers }),
      items: listAt('users'),
      page: whileMore,
      sizeKey: 'limit',
      account: toAccount,
    },
  ],
})

/** `more` is the end's only sign: `total` is null unless it is asked for. */
function whileMore(...[req, res, got]: Parameters<Pager>): ReturnType<Pager> {
  if (at(res.body, 'more') !== true) return undefined
  return got === 0 ? 'short' : offset('offset')(req, res, got)
}
