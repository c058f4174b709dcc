// What we rely on in GitHub's answers, read straight into accounts.
import { z } from 'zod'
import { type Account, accountOf, moment } from '../account.ts'

const person = z.object({ id: z.number().int(), login: z.string() })
const invitation = z.object({
  id: z.number().int(),
  login: z.string().nullish(),
  email: z.string().nullish(),
  role: z.string().nullish(),
  created_at: z.string().nullish(),
})

/** Who asks, and in which organisation. */
export const membership = z.object({ organization: z.object({ id: z.number().int(), login: z.string() }) })

/** A member or an outside collaborator. */
export function toAccount(
  item: unknown,
  as: { kind: 'human' | 'guest'; role: string; admin: boolean },
): Account {
  const { id, login } = person.parse(item)
  return accountOf({
    externalId: String(id),
    name: login,
    status: 'active',
    kind: as.kind,
    roles: [as.role],
    admin: as.admin,
  })
}

/** Somebody who was invited has no member id yet: the invitation's own id, marked as such. */
export function toInvited(item: unknown): Account {
  const { id, login, email, role, created_at } = invitation.parse(item)
  return accountOf({
    externalId: `invitation:${id}`,
    email: email ?? null,
    name: login ?? null,
    status: 'invited',
    roles: role ? [role.replace('admin', 'owner').replace('direct_member', 'member')] : [],
    admin: role ? role === 'admin' : null,
    createdAt: moment(created_at),
  })
}
