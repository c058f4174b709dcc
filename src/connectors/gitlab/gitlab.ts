// GitLab: who holds a seat in a top-level group, or all users of a self-managed instance, by an access token.
import { z } from 'zod'
import { baseAddress, placeOf } from '../address.ts'
import { token } from '../auth.ts'
import { at, listAt, textAt, wordsIn } from '../bodies.ts'
import { defineConnector } from '../connector.ts'
import { addressField, choiceField, secretField, wordField } from '../fields.ts'
import { linkHeader } from '../pagers.ts'
import { codeOf, notAnAdministrator, roleIn, toAccount } from './schema.ts'

const fields = z.object({
  whole: choiceField({ label: 'What to read' }, [
    ['group', 'One top-level group (GitLab.com)'],
    ['instance', 'All users of a self-managed instance'],
  ]),
  group: wordField({
    label: 'Group',
    hint: 'For one group: its path, as in gitlab.com/acme.',
    placeholder: 'acme',
    optional: true,
  }),
  token: secretField({
    label: 'Access token',
    hint: 'With read_api. For a group: of an Owner. For an instance: of an administrator.',
  }),
  address: addressField({
    label: 'GitLab address',
    hint: 'Only for a self-managed GitLab.',
    placeholder: 'https://gitlab.com',
    optional: true,
  }),
})

const credentials = fields
  .refine(({ whole, group }) => whole !== 'group' || group !== '', {
    path: ['group'],
    message: 'Give the group.',
  })
  .refine(({ whole, address }) => whole !== 'instance' || address !== '', {
    path: ['address'],
    message: 'Give the address of your GitLab.',
  })

const owner = 'the role Owner of the top-level group'

/** GitLab, as a declaration. Source: Members API, billable members; Users API; Personal access tokens API. */
export const gitlab = defineConnector(credentials, {
  id: 'gitlab',
  name: 'GitLab',
  emoji: ':fox_face:',
  privileges: ['Token scope: read_api', 'Group: made by an Owner', 'Instance: made by an administrator'],
  tokenFrom: {
    text: 'Make the token in GitLab, in your profile under Access tokens, or for the group under Settings, Access tokens.',
    url: 'https://docs.gitlab.com/user/profile/personal_access_tokens/',
  },
  reports:
    'Of a group: who holds a seat, role, last activity, e-mail of enterprise users. Of an instance: all users, guests, administrators, e-mail, MFA.',
  facts: { source: 'https://docs.gitlab.com/api/members/', on: '2026-11-25' },
  base: ({ address }) => `${baseAddress(address || 'https://gitlab.com', 'address')}/api/v4`,
  auth: token(given => ({ 'private-token': given.token })),
  scopes: ['read_api'],
  granted: ({ body }) => listAt('scopes')(body)?.map(String),
  lacks: granted => (granted.includes('read_api') || granted.includes('api') ? [] : ['read_api']),
  check: () => ({ path: '/personal_access_tokens/self' }),
  tenantRequest: ({ whole, group }) => ({
    path: whole === 'group' ? `/groups/${encodeURIComponent(group)}` : '/metadata',
  }),
  tenant: (body, { whole, group, address }) => {
    const place = placeOf(address || 'gitlab.com', 'address')
    const key = whole === 'group' ? `${place}/${group.toLowerCase()}` : place
    return { key, name: whole === 'group' ? (textAt('full_name')(body) ?? null) : place }
  },
  errorCode: codeOf,
  rules: [
    { on: 403, code: /^insufficient_scope$/, is: 'permission', missing: ({ body }) => scopeOf(body) },
    { on: 403, is: 'permission', missing: () => [owner] },
    // Anybody may list the users of an instance, but only an administrator sees all of them, and their addresses.
    { on: 200, code: notAnAdministrator, is: 'permission', missing: () => ['the role administrator'] },
    { on: 404, is: 'settings', field: 'group' },
  ],
  lookup: {
    name: 'roles in the group',
    scopes: [],
    request: ({ whole, group }) => (whole === 'group' ? of(group, 'members/all') : undefined),
    items: listAt(),
    page: linkHeader,
    entry: roleIn,
  },
  listings: [
    {
      name: 'users',
      request: ({ whole, group }) =>
        whole === 'group'
          ? of(group, 'billable_members')
          : { path: '/users', query: { pagination: 'keyset', order_by: 'id', sort: 'asc', per_page: '100' } },
      items: listAt(),
      page: linkHeader,
      sizeKey: 'per_page',
      account: (item, _, looked) => toAccount(item, looked),
      less: (req, { missing }) =>
        missing.includes(owner) && req.path.endsWith('/billable_members')
          ? {
              req: { ...req, path: req.path.replace(/billable_members$/, 'members/all') },
              unreported: `seats, last activity and who is only in projects or subgroups, which need ${owner}`,
              fewer: true,
            }
          : undefined,
    },
  ],
})

function of(group: string, what: string) {
  return { path: `/groups/${encodeURIComponent(group)}/${what}`, query: { per_page: '100' } }
}

/** `scope: "api read_api"`: any one of them is enough. */
function scopeOf(body: unknown): readonly string[] {
  const any = wordsIn(typeof at(body, 'scope') === 'string' ? String(at(body, 'scope')) : undefined) ?? []
  return any.includes('read_api') ? ['read_api'] : any.slice(0, 1)
}
