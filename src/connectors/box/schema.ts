// What we rely on in Box's answers, read straight into accounts.
import { z } from 'zod'
import { type Account, accountOf, moment } from '../account.ts'

const text = z.string().nullish()
const user = z.object({
  id: z.string(),
  name: text,
  login: text,
  // Also `cannot_delete_edit` and `cannot_delete_edit_upload`: who may still sign in.
  status: z.string(),
  role: text,
  created_at: text,
})

/** One managed user; null for the service account of an app. */
export function toAccount(item: unknown): Account | null {
  const { id, name, login, status, role, created_at } = user.parse(item)
  if (login?.endsWith('@boxdevedition.com')) return null
  return accountOf({
    externalId: id,
    email: login ?? null,
    name: name ?? null,
    status: status === 'inactive' ? 'suspended' : 'active',
    roles: role ? [role] : [],
    admin: role ? role !== 'user' : null,
    createdAt: moment(created_at),
  })
}
