// HubSpot: the users of one account, by a private app's access token.
import { z } from 'zod'
import { bearer, token } from '../auth.ts'
import { at, listAt, textAt } from '../bodies.ts'
import { defineConnector, type Res } from '../connector.ts'
import { secretField } from '../fields.ts'
import { cursor, onePage } from '../pagers.ts'
import { scopesNamed, toAccount } from './schema.ts'

const credentials = z.object({
  token: secretField({
    label: 'Access token',
    hint: 'Of a private app: Settings, Integrations, Private apps, Auth.',
    placeholder: 'pat-…',
  }),
})

const scope = 'settings.users.read'

/** HubSpot, as a declaration. Source: User provisioning API v3; error handling and usage guidelines. */
export const hubspot = defineConnector(credentials, {
  id: 'hubspot',
  name: 'HubSpot',
  emoji: ':tangerine:',
  privileges: [`Scope: ${scope}`],
  tokenFrom: {
    text: 'Make a private app in HubSpot, under Settings, Integrations, Private apps, with the scope.',
    url: 'https://developers.hubspot.com/docs/apps/legacy-apps/private-apps/overview',
  },
  reports:
    'Name, e-mail, super admins, roles, seats where HubSpot says them. Not reported: who was deactivated, MFA, created, last activity.',
  facts: {
    source:
      'https://developers.hubspot.com/docs/api-reference/settings-user-provisioning-v3/users/get-settings-v3-users-',
    on: '2026-11-25',
  },
  base: () => 'https://api.hubapi.com',
  auth: token(given => bearer(given.token)),
  scopes: [scope],
  check: () => ({ path: '/account-info/v3/details' }),
  tenant: body => ({ key: textAt('portalId')(body) ?? '', name: textAt('uiDomain')(body) ?? null }),
  errorCode: textAt('category'),
  rules: [
    {
      on: 403,
      code: /^MISSING_SCOPES$/,
      is: 'permission',
      missing: ({ body }) => scopesNamed(body, scope),
    },
    { on: '*', code: /^(INVALID|EXPIRED)_AUTHENTICATION$/, is: 'credentials' },
  ],
  waitSeconds: intervalOf,
  lookup: {
    name: 'names of roles',
    scopes: [scope],
    request: () => ({ path: '/settings/v3/users/roles' }),
    items: listAt('results'),
    page: onePage,
    entry: item => [textAt('id')(item) ?? '', textAt('name')(item) ?? ''],
  },
  listings: [
    {
      name: 'users',
      request: () => ({ path: '/settings/v3/users', query: { limit: '100' } }),
      items: listAt('results'),
      page: cursor('after', textAt('paging', 'next', 'after')),
      sizeKey: 'limit',
      account: (item, _, looked) => toAccount(item, looked),
    },
  ],
})

/** A limit on a few seconds tells its interval; one on a day is asked again after an hour. */
function intervalOf({ status, headers, body }: Res): number | undefined {
  if (status !== 429) return undefined
  if (at(body, 'policyName') === 'DAILY') return 3_600
  const interval = Number(headers['x-hubspot-ratelimit-interval-milliseconds'] ?? Number.NaN)
  return interval > 0 ? interval / 1000 : undefined
}
