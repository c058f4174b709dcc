// What we rely on in Miro's answers, read straight into accounts.
import { z } from 'zod'
import { type Account, accountOf, moment } from '../account.ts'

const text = z.string().nullish()
const roles: Record<string, string> = {
  organization_internal_admin: 'admin',
  organization_internal_user: 'member',
  organization_external_user: 'external',
  organization_team_guest_user: 'team guest',
}

const member = z.object({
  id: z.string(),
  email: text,
  active: z.boolean(),
  role: text,
  adminRoles: z
    .array(z.object({ name: text }))
    .nullish()
    .catch(null),
  license: text,
  lastActivityAt: text,
})

/** One member. */
export function toAccount(item: unknown): Account {
  const { id, email, active, role, adminRoles, license, lastActivityAt } = member.parse(item)
  const word = roles[role ?? '']
  const others = (adminRoles ?? []).map(({ name }) => name ?? '')
  return accountOf({
    externalId: id,
    email: email ?? null,
    status: active ? 'active' : 'deactivated',
    kind: word === 'external' || word === 'team guest' ? 'guest' : 'human',
    roles: [word ?? '', ...others].filter(Boolean),
    admin: word ? word === 'admin' || others.length > 0 : null,
    licences: license && license !== 'unknown' ? [license] : [],
    lastActiveAt: moment(lastActivityAt),
  })
}
