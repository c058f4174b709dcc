// SCIM 2.0: the people of any application that speaks it (RFC 7644), by a bearer token or a user name and password.
import { z } from 'zod'
import type { Account } from '../account.ts'
import { baseAddress, isBaseAddress } from '../address.ts'
import { basic, bearer, token } from '../auth.ts'
import { type CredentialMeta, defineConnector } from '../connector.ts'
import { scimPage } from '../pagers.ts'

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

const text = z.string().nullish().catch(null)
const values = z
  .array(
    z.object({
      value: text,
      display: text,
      primary: z.union([z.boolean(), z.string()]).nullish().catch(null),
    }),
  )
  .nullish()
  .catch(null)

const user = z.object({
  id: z.union([z.string(), z.number()]).transform(String),
  userName: text,
  displayName: text,
  name: z.object({ formatted: text, givenName: text, familyName: text }).nullish().catch(null),
  emails: values,
  roles: values,
  entitlements: values,
  // Some send the words "True" and "False".
  active: z.union([z.boolean(), z.stringbool()]).nullish(),
  meta: z.object({ created: text }).nullish().catch(null),
})

const listResponse = z.union([
  z.object({ Resources: z.array(z.unknown()) }).transform(({ Resources }) => Resources),
  z.object({ totalResults: z.literal(0) }).transform((): unknown[] => []),
])

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
  base: ({ address }) => baseAddress(address, 'address'),
  auth: token(given => (given.user === '' ? bearer(given.token) : basic(given.user, given.token))),
  scopes: [],
  check: () => ({ path: '/Users', query: { startIndex: '1', count: '1' }, headers }),
  tenant: (_, { address }) => {
    const base = baseAddress(address, 'address')
    return { key: base.replace(/^https?:\/\//, ''), name: null }
  },
  errorCode: body => {
    const read = z.object({ scimType: z.string() }).safeParse(body)
    return read.success ? read.data.scimType : undefined
  },
  rules: [{ on: 404, is: 'settings', field: 'address' }],
  facts: { source: 'https://www.rfc-editor.org/rfc/rfc7644', on: '2026-11-24' },
  listings: [
    {
      name: 'people',
      request: () => ({ path: '/Users', query: { startIndex: '1', count: '100' }, headers }),
      items: body => listResponse.safeParse(body).data,
      page: scimPage,
      sizeKey: 'count',
      account: toAccount,
    },
  ],
})

const headers = { accept: 'application/scim+json, application/json' }

function toAccount(item: unknown): Account {
  const read = user.parse(item)
  const { name, emails } = read
  const primary = emails?.find(one => String(one.primary).toLowerCase() === 'true') ?? emails?.[0]
  const fullName = [name?.givenName, name?.familyName].filter(Boolean).join(' ')
  return {
    externalId: read.id,
    email: primary?.value || read.userName || null,
    name: read.displayName || name?.formatted || fullName || null,
    status: read.active === false ? 'deactivated' : 'active',
    kind: 'human',
    roles: wordsOf(read.roles),
    admin: null,
    licences: wordsOf(read.entitlements),
    mfa: null,
    lastActiveAt: null,
    createdAt: read.meta?.created ? new Date(read.meta.created) : null,
  }
}

function wordsOf(listed: z.infer<typeof values>): string[] {
  return (listed ?? []).map(one => one.display || one.value || '').filter(word => word !== '')
}
