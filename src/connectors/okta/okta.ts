// Okta: the people of one Okta organisation, by an API token (SSWS).
import { z } from 'zod'
import type { Account, AccountStatus } from '../account.ts'
import { baseAddress, isBaseAddress } from '../address.ts'
import { scheme } from '../auth.ts'
import { type CredentialMeta, defineConnector } from '../connector.ts'
import { linkHeader } from '../pagers.ts'

const credentials = z.object({
  domain: z
    .string()
    .min(1, 'Give the Okta domain.')
    .max(255, 'This is too long.')
    .refine(isBaseAddress, 'This is not a domain. It looks like acme.okta.com.')
    .meta({
      label: 'Okta domain',
      hint: 'Without “-admin”: the address that your people sign in at.',
      placeholder: 'acme.okta.com',
    } satisfies CredentialMeta),
  token: z
    .string()
    .min(1, 'Give the API token.')
    .max(1_000, 'This is too long for a token.')
    .regex(/^[\x21-\x7e]*$/, 'A token has no spaces or special letters.')
    .meta({
      label: 'API token',
      hint: 'Okta admin console: Security, API, Tokens, Create token.',
      secret: true,
    } satisfies CredentialMeta),
})

const statuses: Record<z.infer<typeof user>['status'], AccountStatus> = {
  STAGED: 'invited',
  PROVISIONED: 'invited',
  ACTIVE: 'active',
  RECOVERY: 'active',
  PASSWORD_EXPIRED: 'active',
  LOCKED_OUT: 'suspended',
  SUSPENDED: 'suspended',
  DEPROVISIONED: 'deactivated',
}

const user = z.object({
  id: z.string(),
  status: z.enum([
    'STAGED',
    'PROVISIONED',
    'ACTIVE',
    'RECOVERY',
    'PASSWORD_EXPIRED',
    'LOCKED_OUT',
    'SUSPENDED',
    'DEPROVISIONED',
  ]),
  created: z.string().nullish(),
  lastLogin: z.string().nullish(),
  profile: z.object({
    login: z.string().nullish(),
    email: z.string().nullish(),
    displayName: z.string().nullish(),
    firstName: z.string().nullish(),
    lastName: z.string().nullish(),
  }),
})

/** Okta, as a declaration. */
export const okta = defineConnector(credentials, {
  id: 'okta',
  name: 'Okta',
  emoji: ':large_blue_circle:',
  privileges: ['A token made by a Read-only Administrator (okta.users.read)'],
  tokenFrom: {
    text: 'Make the token in the Okta admin console, under Security, API, Tokens, signed in as a Read-only Administrator.',
    url: 'https://developer.okta.com/docs/guides/create-an-api-token/main/',
  },
  reports: 'Name, e-mail, status, created and last sign-in. Not reported: roles, licences, MFA.',
  base: ({ domain }) => baseAddress(domain, 'domain'),
  auth: ({ token }) => scheme('SSWS', token),
  scopes: ['okta.users.read'],
  check: () => ({ path: '/api/v1/users', query: { limit: '1' } }),
  tenantRequest: () => ({ path: '/api/v1/org' }),
  tenant: (body, { domain }) => {
    const read = z.object({ companyName: z.string().min(1) }).safeParse(body)
    const base = baseAddress(domain, 'domain')
    return { key: base.replace(/^https?:\/\//, ''), name: read.success ? read.data.companyName : null }
  },
  errorCode: body => z.object({ errorCode: z.string() }).safeParse(body).data?.errorCode,
  rules: [
    { on: '*', code: /^(E0000011|E0000004)$/, is: 'credentials' },
    { on: '*', code: /^E0000006$/, is: 'permission' },
    { on: '*', code: /^E0000047$/, is: 'busy' },
  ],
  listings: [
    {
      name: 'people',
      request: () => ({
        path: '/api/v1/users',
        // Without `search` Okta leaves out the deactivated; `status pr` is everybody.
        query: { limit: '200', search: 'status pr' },
        headers: {
          'content-type':
            'application/json; okta-response="omitCredentials,omitCredentialsLinks,omitTransitioningToStatus"',
        },
      }),
      items: body => (Array.isArray(body) ? body : undefined),
      page: linkHeader,
      sizeKey: 'limit',
      account: toAccount,
    },
  ],
})

function toAccount(item: unknown): Account {
  const { id, status, profile, created, lastLogin } = user.parse(item)
  const fullName = [profile.firstName, profile.lastName].filter(Boolean).join(' ')
  return {
    externalId: id,
    email: profile.email || profile.login || null,
    name: profile.displayName || fullName || null,
    status: statuses[status],
    kind: 'human',
    roles: [],
    admin: null,
    licences: [],
    mfa: null,
    lastActiveAt: lastLogin ? new Date(lastLogin) : null,
    createdAt: created ? new Date(created) : null,
  }
}
