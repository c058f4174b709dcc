// Miro: the members of one Enterprise organisation, by an app's access token.
import { z } from 'zod'
import { bearer, token } from '../auth.ts'
import { listAt, textAt, wordsIn } from '../bodies.ts'
import { defineConnector } from '../connector.ts'
import { secretField, wordField } from '../fields.ts'
import { cursor } from '../pagers.ts'
import { toAccount } from './schema.ts'

const credentials = z.object({
  organisation: wordField({
    label: 'Organisation ID',
    hint: 'The number in the address of the company settings: miro.com/app/settings/company/NUMBER.',
    placeholder: '3074457345821141000',
  }),
  token: secretField({
    label: 'Access token',
    hint: 'Of an app that a company admin installed, without “Expire user authorization token”.',
  }),
})

/** Miro, as a declaration. Source: Miro REST API, get organization members; get access token information. */
export const miro = defineConnector(credentials, {
  id: 'miro',
  name: 'Miro',
  emoji: ':spiral_note_pad:',
  privileges: ['Scope: organizations:read', 'Enterprise plan; a company admin installs the app'],
  tokenFrom: {
    text: 'Make an app in Miro, under Profile settings, Your apps, with the scope, and install it as a company admin to get its token.',
    url: 'https://developers.miro.com/reference/enterprise-get-organization-members',
  },
  reports: 'E-mail, status, guests, role, licence and last activity. Not reported: name, MFA, created.',
  facts: {
    source: 'https://developers.miro.com/reference/enterprise-get-organization-members',
    on: '2026-11-25',
  },
  base: () => 'https://api.miro.com',
  auth: token(given => bearer(given.token)),
  scopes: ['organizations:read'],
  granted: ({ body }) => listAt('scopes')(body)?.map(String) ?? wordsIn(textAt('scopes')(body)),
  check: () => ({ path: '/v1/oauth-token' }),
  tenant: (body, { organisation }) => ({
    key: organisation,
    name: textAt('organization', 'name')(body) ?? null,
  }),
  errorCode: textAt('code'),
  rules: [
    { on: 400, code: /token/i, is: 'credentials' },
    { on: 404, is: 'settings', field: 'organisation' },
  ],
  listings: [
    {
      name: 'members',
      request: ({ organisation }) => ({
        path: `/v2/orgs/${encodeURIComponent(organisation)}/members`,
        query: { limit: '100' },
      }),
      items: listAt('data'),
      page: cursor('cursor', textAt('cursor')),
      sizeKey: 'limit',
      account: toAccount,
    },
  ],
})
