// GitHub: the members, outside collaborators and invitations of one organisation, by an access token.
import { z } from 'zod'
import { baseAddress, isBaseAddress } from '../address.ts'
import { bearer, token } from '../auth.ts'
import { textAt } from '../bodies.ts'
import { type CredentialMeta, defineConnector, type Listing, type Res } from '../connector.ts'
import { linkHeader } from '../pagers.ts'
import { membership, toAccount, toInvited } from './schema.ts'

const credentials = z.object({
  organisation: z
    .string()
    .regex(
      /^[A-Za-z0-9](?:[A-Za-z0-9_-]{0,99})$/,
      'Give the name as it stands in the address: github.com/NAME.',
    )
    .meta({
      label: 'Organisation',
      hint: 'The name in the address of its page: github.com/acme is acme.',
      placeholder: 'acme',
    } satisfies CredentialMeta),
  token: z
    .string()
    .min(1, 'Give the access token.')
    .max(1_000, 'This is too long for a token.')
    .regex(/^[\x21-\x7e]*$/, 'A token has no spaces or special letters.')
    .meta({
      label: 'Access token',
      hint: 'Classic with read:org, or fine-grained with “Members: read”. An owner’s token with admin:org also shows invitations.',
      secret: true,
    } satisfies CredentialMeta),
  address: z
    .string()
    .max(500, 'This is too long.')
    .refine(typed => typed === '' || isBaseAddress(typed), 'This is not a web address.')
    .meta({
      label: 'API address',
      hint: 'Only for GitHub Enterprise Server: https://github.acme.com/api/v3.',
      placeholder: 'https://api.github.com',
    } satisfies CredentialMeta),
})

type Given = z.infer<typeof credentials>

/** GitHub, as a declaration. */
export const github = defineConnector(credentials, {
  id: 'github',
  name: 'GitHub',
  emoji: ':octopus:',
  privileges: [
    'Classic token: read:org (admin:org also shows invitations)',
    'Fine-grained token: organisation permission Members, read',
  ],
  tokenFrom: {
    text: 'Make the token in GitHub, under Settings, Developer settings, Personal access tokens, as a member of the organisation.',
    url: 'https://github.com/settings/tokens',
  },
  reports:
    'Login, role, outside collaborators and invitations. Not reported: e-mail (but of invitations), licences, MFA, last activity.',
  base: ({ address }) => baseAddress(address || 'https://api.github.com', 'address'),
  auth: token(given => bearer(given.token)),
  scopes: ['read:org'],
  granted: res => list(res.headers['x-oauth-scopes']),
  lacks: granted =>
    granted.some(scope => ['read:org', 'write:org', 'admin:org'].includes(scope)) ? [] : ['read:org'],
  check: given => ({ path: `/user/memberships/orgs/${encodeURIComponent(given.organisation)}`, headers }),
  tenant: body => {
    const { organization } = membership.parse(body)
    return { key: String(organization.id), name: organization.login }
  },
  errorCode: textAt('message'),
  rules: [
    { on: 403, code: /rate limit/i, is: 'busy' },
    { on: 403, code: /SAML|SSO/i, is: 'permission', missing: () => ['SAML single sign-on for this token'] },
    { on: 403, is: 'permission', missing: accepted },
    { on: 404, is: 'settings', field: 'organisation' },
  ],
  facts: { source: 'https://docs.github.com/en/rest/orgs/members', on: '2026-11-24' },
  listings: [
    members('owners', 'admin'),
    members('members', 'member'),
    {
      name: 'outside collaborators',
      request: given => of(given, 'outside_collaborators', {}),
      items,
      page: linkHeader,
      optional: true,
      sizeKey: 'per_page',
      account: item => toAccount(item, { kind: 'guest', role: 'outside collaborator', admin: false }),
    },
    {
      name: 'invitations',
      request: given => of(given, 'invitations', {}),
      items,
      page: linkHeader,
      optional: true,
      sizeKey: 'per_page',
      account: toInvited,
    },
  ],
})

const headers = { accept: 'application/vnd.github+json', 'x-github-api-version': '2022-11-28' }

function members(name: string, role: 'admin' | 'member'): Listing<Given> {
  return {
    name,
    request: given => of(given, 'members', { role }),
    items,
    page: linkHeader,
    sizeKey: 'per_page',
    account: item =>
      toAccount(item, {
        kind: 'human',
        role: role === 'admin' ? 'owner' : 'member',
        admin: role === 'admin',
      }),
  }
}

function of(given: Given, what: string, query: Record<string, string>) {
  const path = `/orgs/${encodeURIComponent(given.organisation)}/${what}`
  return { path, query: { ...query, per_page: '100' }, headers }
}

function items(body: unknown): readonly unknown[] | undefined {
  return Array.isArray(body) ? body : undefined
}

/** What GitHub would have accepted: any one of the scopes, the least of them first. */
function accepted(res: Res): readonly string[] {
  const fineGrained = list(res.headers['x-accepted-github-permissions'])
  if (fineGrained) return fineGrained
  const scopes = list(res.headers['x-accepted-oauth-scopes']) ?? []
  return scopes.includes('read:org') ? ['read:org'] : scopes.slice(0, 1)
}

function list(header: string | undefined): string[] | undefined {
  return header
    ?.split(/[,;]/)
    .map(word => word.trim())
    .filter(word => word !== '')
}
