// SCIM 2.0: the people of any application that speaks it (RFC 7644), by a bearer token or a user name and password.
import { z } from 'zod'
import { baseAddress, isBaseAddress } from '../address.ts'
import { basic, bearer, token } from '../auth.ts'
import { type CredentialMeta, defineConnector } from '../connector.ts'
import { scimCheck, scimErrorCode, scimPeople } from '../scim-people.ts'

const credentials = z.object({
  address: z
    .string()
    .min(1, 'Give the SCIM base address.')
    .max(500, 'This is too long.')
    .refine(isBaseAddress, 'This is not a web address.')
    .meta({
      label: 'SCIM base address',
      hint: 'It often ends in /scim/v2. The application shows it where its SCIM token is made.',
      placeholder: 'https://app.example.com/scim/v2',
    } satisfies CredentialMeta),
  user: z
    .string()
    .max(200, 'This is too long for a user name.')
    .regex(/^[^:]*$/, 'A user name has no colon.')
    .meta({
      label: 'User name',
      hint: 'Only when the application wants a user name and a password instead of a token.',
    } satisfies CredentialMeta),
  token: z
    .string()
    .min(1, 'Give the token or password.')
    .max(4_000, 'This is too long for a token.')
    .meta({
      label: 'Bearer token or password',
      hint: 'The application shows it once, when SCIM is set up.',
      secret: true,
    } satisfies CredentialMeta),
})

/** SCIM 2.0, as a declaration. */
export const scim = defineConnector(credentials, {
  id: 'scim',
  name: 'SCIM',
  emoji: ':busts_in_silhouette:',
  privileges: ['A SCIM token that may read users'],
  tokenFrom: {
    text: 'Make the token in the application, where provisioning (SCIM) is set up.',
    url: 'https://www.rfc-editor.org/rfc/rfc7644',
  },
  reports:
    'Name, e-mail, status, roles and created, as far as the application gives them. Not reported: MFA, last activity.',
  facts: { source: 'https://www.rfc-editor.org/rfc/rfc7644', on: '2026-11-24' },
  base: ({ address }) => baseAddress(address, 'address'),
  auth: token(given => (given.user === '' ? bearer(given.token) : basic(given.user, given.token))),
  scopes: [],
  check: () => scimCheck(),
  tenant: (_, { address }) => ({
    key: baseAddress(address, 'address').replace(/^https?:\/\//, ''),
    name: null,
  }),
  errorCode: scimErrorCode,
  rules: [{ on: 404, is: 'settings', field: 'address' }],
  listings: [scimPeople()],
})
