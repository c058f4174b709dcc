// Sentry: the members of one organisation, by an internal integration's token.
import { z } from 'zod'
import { baseAddress } from '../address.ts'
import { bearer, token } from '../auth.ts'
import { listAt, textAt } from '../bodies.ts'
import { defineConnector } from '../connector.ts'
import { addressField, secretField, wordField } from '../fields.ts'
import { linkHeader } from '../pagers.ts'
import { toAccount } from './schema.ts'

const credentials = z.object({
  organisation: wordField({
    label: 'Organization slug',
    hint: 'The first word of the address: acme.sentry.io is acme.',
    placeholder: 'acme',
  }),
  token: secretField({
    label: 'Token',
    hint: 'Sentry: Settings, Custom Integrations, an internal integration with Member: Read.',
  }),
  address: addressField({
    label: 'Sentry address',
    hint: 'https://us.sentry.io or https://de.sentry.io, by the data storage location; or your own server.',
    placeholder: 'https://us.sentry.io',
    optional: true,
  }),
})

/** Sentry, as a declaration. Source: Sentry's API, list an organization's members; pagination; rate limits. */
export const sentry = defineConnector(credentials, {
  id: 'sentry',
  name: 'Sentry',
  emoji: ':shield:',
  privileges: ['An internal integration with Member: Read (member:read)'],
  tokenFrom: {
    text: 'Make the token in Sentry, under Settings, Custom Integrations, with the permission Member: Read.',
    url: 'https://docs.sentry.io/api/guides/create-auth-token/',
  },
  reports: 'Name, e-mail, status, role, MFA, created, last activity. Not reported: licences.',
  facts: {
    source: 'https://docs.sentry.io/api/organizations/list-an-organizations-members/',
    on: '2026-11-24',
  },
  base: ({ address }) => baseAddress(address || 'https://us.sentry.io', 'address'),
  auth: token(given => bearer(given.token)),
  scopes: ['member:read'],
  granted: ({ body }) => listAt('access')(body)?.map(String),
  lacks: granted => (granted.some(one => /^member:(read|write|admin)$/.test(one)) ? [] : ['member:read']),
  check: given => ({ path: `/api/0/organizations/${given.organisation}/` }),
  tenant: body => ({
    key: z.string().parse(textAt('id')(body)),
    name: textAt('name')(body) ?? null,
  }),
  rules: [{ on: 404, is: 'settings', field: 'organisation' }],
  // Sentry has names of its own for the usual header.
  waitSeconds: ({ headers }) =>
    Number(headers['retry-after'] ?? headers['x-sentry-rate-limit-reset']) || undefined,
  listings: [
    {
      name: 'members',
      request: given => ({
        path: `/api/0/organizations/${given.organisation}/members/`,
        query: { per_page: '100' },
      }),
      items: listAt(),
      // No `sizeKey`: its cursors count pages, and a page of another size begins elsewhere.
      page: linkHeader,
      account: toAccount,
    },
  ],
})
