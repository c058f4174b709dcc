// JumpCloud: the people of one organisation's directory, by an administrator's API key.
import { z } from 'zod'
import { token } from '../auth.ts'
import { at, listAt, textAt } from '../bodies.ts'
import { defineConnector } from '../connector.ts'
import { secretField, wordField } from '../fields.ts'
import { offset } from '../pagers.ts'
import { toAccount } from './schema.ts'

const credentials = z.object({
  key: secretField({
    label: 'API key',
    hint: 'JumpCloud admin portal: your initials, My API Key. Of a read-only administrator.',
  }),
  organisation: wordField({
    label: 'Organization ID',
    hint: 'Only for a multi-tenant portal: Settings, Organization Profile.',
    optional: true,
  }),
})

/** JumpCloud, as a declaration. Source: JumpCloud API v1, list all system users; organizations. */
export const jumpcloud = defineConnector(credentials, {
  id: 'jumpcloud',
  name: 'JumpCloud',
  emoji: ':cloud:',
  privileges: ['The API key of an administrator with the role Read Only'],
  tokenFrom: {
    text: 'Make the key in the JumpCloud admin portal, signed in as a read-only administrator.',
    url: 'https://jumpcloud.com/support/jumpcloud-apis',
  },
  reports: 'Name, e-mail, status, MFA, created. Not reported: administrators, licences, last activity.',
  facts: { source: 'https://docs.jumpcloud.com/api/1.0/index.html#tag/systemusers', on: '2026-11-24' },
  base: () => 'https://console.jumpcloud.com/api',
  auth: token(({ key, organisation }) => ({
    'x-api-key': key,
    ...(organisation ? { 'x-org-id': organisation } : {}),
  })),
  scopes: ['the role Read Only'],
  check: () => ({ path: '/organizations', query: { limit: '1' } }),
  tenant: (body, { organisation }) => ({
    key:
      organisation || z.string().parse(textAt('results', 0, '_id')(body) ?? textAt('results', 0, 'id')(body)),
    name: organisation ? null : (textAt('results', 0, 'displayName')(body) ?? null),
  }),
  rules: [],
  listings: [
    {
      name: 'people',
      request: () => ({ path: '/systemusers', query: { limit: '100', skip: '0', sort: '_id' } }),
      items: listAt('results'),
      page: offset('skip', body => at(body, 'totalCount')),
      sizeKey: 'limit',
      account: toAccount,
    },
  ],
})
