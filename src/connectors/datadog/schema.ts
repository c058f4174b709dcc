// What we rely on in Datadog's answers (JSON:API), read straight into accounts.
import { z } from 'zod'
import { type Account, type AccountStatus, accountOf, moment } from '../account.ts'
import { at, listAt, textAt } from '../bodies.ts'

const statuses = {
  Active: 'active',
  Pending: 'invited',
  Disabled: 'deactivated',
} as const satisfies Record<string, AccountStatus>

const text = z.string().nullish()
const user = z.object({
  id: z.string(),
  roles: z.array(z.string()),
  attributes: z.object({
    email: text,
    handle: text,
    name: text,
    status: z.enum(Object.keys(statuses) as (keyof typeof statuses)[]),
    service_account: z.boolean().nullish(),
    mfa_enabled: z.boolean().nullish(),
    last_login_time: text,
    created_at: text,
  }),
})

/** The users, each with the names of its roles, which stand beside them. */
export function usersWithRoles(body: unknown): readonly unknown[] | undefined {
  const names = new Map(
    (listAt('included')(body) ?? []).map(one => [textAt('id')(one), textAt('attributes', 'name')(one)]),
  )
  return listAt('data')(body)?.map(one => {
    const ids = listAt('relationships', 'roles', 'data')(one) ?? []
    const roles = ids.map(role => names.get(textAt('id')(role))).filter(name => name !== undefined)
    return { ...(one as object), roles }
  })
}

/** One user. */
export function toAccount(item: unknown): Account {
  const { id, roles, attributes } = user.parse(item)
  return accountOf({
    externalId: id,
    email: attributes.email || attributes.handle || null,
    name: attributes.name ?? null,
    status: statuses[attributes.status],
    kind: attributes.service_account === true ? 'service' : 'human',
    roles,
    admin: roles.length > 0 ? roles.includes('Datadog Admin Role') : null,
    mfa: attributes.mfa_enabled ?? null,
    lastActiveAt: moment(attributes.last_login_time),
    createdAt: moment(attributes.created_at),
  })
}

/** The organisation of the first user. Throws without one. */
export function organisationOf(body: unknown, site: string): { key: string; name: string | null } {
  const id = z.string().parse(at(body, 'data', 0, 'relationships', 'org', 'data', 'id'))
  const org = (listAt('included')(body) ?? []).find(one => textAt('id')(one) === id)
  return { key: `${site}/${id}`, name: textAt('attributes', 'name')(org) ?? null }
}
