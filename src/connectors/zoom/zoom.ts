// Zoom: the users of one account, by a server-to-server OAuth app.
import { z } from 'zod'
import { basic, clientCredentials } from '../auth.ts'
import { listAt, textAt, wordsIn } from '../bodies.ts'
import { defineConnector, type Listing } from '../connector.ts'
import { secretField, wordField } from '../fields.ts'
import { cursor, onePage } from '../pagers.ts'
import { scopesNamed, toAccount } from './schema.ts'

const credentials = z.object({
  account: wordField({ label: 'Account ID', hint: 'App Marketplace: your app, App credentials.' }),
  client: wordField({ label: 'Client ID', hint: 'On the same page.' }),
  secret: secretField({ label: 'Client secret', hint: 'On the same page.' }),
})

const scope = 'user:read:list_users:admin'
const roles = 'role:read:list_roles:admin'
/** The scopes of older apps say the same. */
const enough = [scope, 'user:read:admin', 'user:write:admin', 'user:master']

/** Zoom, as a declaration. Source: Zoom API, list users; server-to-server OAuth. */
export const zoom = defineConnector(credentials, {
  id: 'zoom',
  name: 'Zoom',
  emoji: ':movie_camera:',
  privileges: [
    `Scope ${scope} (or user:read:admin of an older app)`,
    `Scope ${roles} for the names of roles`,
  ],
  tokenFrom: {
    text: 'Make a server-to-server OAuth app in the Zoom App Marketplace, add the scope and activate it.',
    url: 'https://developers.zoom.us/docs/internal-apps/s2s-oauth/',
  },
  reports:
    'Name, e-mail, status, role, licence, created and last sign-in (late by up to three days). Not reported: MFA.',
  facts: { source: 'https://developers.zoom.us/docs/api/users/', on: '2026-11-25' },
  base: () => 'https://api.zoom.us/v2',
  auth: clientCredentials(({ account, client, secret }) => ({
    url: 'https://zoom.us/oauth/token',
    form: { grant_type: 'account_credentials', account_id: account },
    headers: basic(client, secret),
  })),
  scopes: [scope],
  granted: ({ body }) => wordsIn(textAt('scope')(body)),
  lacks: granted => (enough.some(one => granted.includes(one)) ? [] : [scope]),
  check: () => ({ path: '/users', query: { status: 'active', page_size: '1' } }),
  tenant: (_, { account }) => ({ key: account, name: null }),
  errorCode: textAt('code'),
  rules: [
    {
      on: 400,
      code: /^4711$/,
      is: 'permission',
      missing: ({ body }) => scopesNamed(textAt('message')(body)),
    },
    { on: 400, code: /^124$/, is: 'credentials' },
  ],
  lookup: {
    name: 'names of roles',
    scopes: [roles],
    request: () => ({ path: '/roles' }),
    items: listAt('roles'),
    page: onePage,
    entry: item => [textAt('id')(item) ?? '', textAt('name')(item) ?? ''],
  },
  listings: [users('active'), users('inactive'), users('pending')],
})

/** Zoom lists only the active unless another status is asked for. */
function users(status: string): Listing {
  return {
    name: `${status} users`,
    request: () => ({ path: '/users', query: { status, page_size: '300' } }),
    items: listAt('users'),
    page: cursor('next_page_token', textAt('next_page_token')),
    sizeKey: 'page_size',
    account: (item, _, looked) => toAccount(item, looked),
  }
}
