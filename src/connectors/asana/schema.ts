// What we rely on in Asana's answers, read straight into accounts.
import { z } from 'zod'
import { type Account, accountOf, moment } from '../account.ts'

const text = z.string().nullish()
const flag = z.boolean().nullish()
const membership = z.object({
  is_active: flag,
  is_admin: flag,
  is_guest: flag,
  is_view_only: flag,
  created_at: text,
  user: z.object({ gid: z.string(), email: text, name: text }),
})

/** One membership, known by its user. */
export function toAccount(item: unknown): Account {
  const { user, is_active, is_admin, is_guest, is_view_only, created_at } = membership.parse(item)
  return accountOf({
    externalId: user.gid,
    email: user.email ?? null,
    name: user.name ?? null,
    status: is_active === false ? 'deactivated' : 'active',
    kind: is_guest ? 'guest' : 'human',
    roles: is_admin ? ['admin'] : is_guest ? ['guest'] : ['member'],
    admin: is_admin ?? null,
    licences: is_view_only ? ['view only'] : [],
    createdAt: moment(created_at),
  })
}
