// GitHub: the members, outside collaborators and invitations of one organisation, by an access token.
import { z } from 'zod'
import { baseAddress, isBaseAddress } from '../address.ts'
import { bearer, token } from '../auth.ts'
import { at, listAt } from '../bodies.ts'
import { type CredentialMeta, defineConnector, type Listing, type Lookup, type Res } from '../connector.ts'
import { linkHeader, relay } from '../pagers.ts'
import {
  codeOf,
  identitiesAt,
  identitiesQuery,
  identity,
  membership,
  notYetMember,
  toAccount,
  toInvited,
  unnamed,
} from './schema.ts'

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
    .regex(/^[\x21-\x7e]*$/, 'There is a space or a special letter in it. Copy it anew.')
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
    'Classic token: read:org (admin:org of an owner also shows invitations and the addresses of SAML sign-on)',
    'Fine-grained token: organisation permission Members, read',
  ],
  tokenFrom: {
    text: 'Make the token in GitHub, under Settings, Developer settings, Personal access tokens, as a member of the organisation.',
    url: 'https://github.com/settings/tokens',
  },
  reports:
    'Login, role, outside collaborators and invitations; e-mail of invitations and of SAML sign-on. Not reported: other e-mail, licences, MFA, last activity.',
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
  errorCode: codeOf,
  rules: [
    // Of GraphQL, which answers errors with status 200.
    { on: 200, code: /^RATE_LIMITED$/, is: 'busy' },
    { on: 200, code: /^(FORBIDDEN|INSUFFICIENT_SCOPES)$/, is: 'permission' },
    { on: 200, code: unnamed, is: 'broken' },
    // Until the invitation is accepted GitHub shows the public members only, as to a stranger.
    {
      on: 200,
      code: notYetMember,
      is: 'permission',
      missing: () => ['a membership that its owner has accepted'],
    },
    { on: 403, code: /rate limit/i, is: 'busy' },
    { on: 403, code: /SAML|SSO/i, is: 'permission', missing: () => ['SAML single sign-on for this token'] },
    { on: 403, is: 'permission', missing: accepted },
    {
      on: 404,
      is: 'settings',
      field: 'organisation',
      says: ({ organisation }) =>
        `GitHub knows no organisation “${organisation}” of which the token’s owner is a member. Check “Organisation”.`,
    },
  ],
  facts: { source: 'https://docs.github.com/en/rest/orgs/members', on: '2026-11-24' },
  lookup: identities(),
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
      account: (item, _, looked) =>
        toAccount(item, { kind: 'guest', role: 'outside collaborator', admin: false, looked }),
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
    account: (item, _, looked) =>
      toAccount(item, {
        kind: 'human',
        role: role === 'admin' ? 'owner' : 'member',
        admin: role === 'admin',
        looked,
      }),
  }
}

/** The addresses that members sign on with, of an organisation of GitHub Enterprise Cloud; others have no provider. */
function identities(): Lookup<Given> {
  return {
    name: 'e-mail addresses of SAML sign-on',
    scopes: ['admin:org'],
    request: ({ organisation, address }) => {
      const variables = { org: organisation, first: 100 }
      const body = { query: identitiesQuery, variables }
      return address === '' ? { path: '/graphql', method: 'POST', body } : undefined
    },
    items: body =>
      at(body, ...identitiesAt) === null ? [] : listAt(...identitiesAt, 'externalIdentities', 'nodes')(body),
    page: relay(body => at(body, ...identitiesAt, 'externalIdentities', 'pageInfo')),
    entry: identity,
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
