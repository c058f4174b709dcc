// What we rely on in Zendesk's answers, read straight into accounts.
import { z } from 'zod'
import { type Account, accountOf, moment } from '../account.ts'

const text = z.string().nullish()
const flag = z.boolean().nullish()
/** Which kind of seat an agent holds; administrators and plans without kinds have none. */
const seats: Record<number, string> = {
  0: 'custom agent',
  1: 'light agent',
  2: 'chat agent',
  3: 'contributor',
  4: 'admin',
  5: 'billing admin',
}

const user = z.object({
  id: z.number().int(),
  name: text,
  email: text,
  active: flag,
  suspended: flag,
  role: text,
  role_type: z.number().nullish(),
  two_factor_auth_enabled: flag,
  last_login_at: text,
  created_at: text,
})

/** One agent or administrator. */
export function toAccount(item: unknown): Account {
  const read = user.parse(item)
  const seat = seats[read.role_type ?? -1]
  return accountOf({
    externalId: String(read.id),
    email: read.email ?? null,
    name: read.name ?? null,
    status: read.active === false ? 'deactivated' : read.suspended ? 'suspended' : 'active',
    roles: read.role ? [read.role] : [],
    admin: read.role ? read.role === 'admin' : null,
    licences: seat ? [seat] : [],
    mfa: read.two_factor_auth_enabled ?? null,
    lastActiveAt: moment(read.last_login_at),
    createdAt: moment(read.created_at),
  })
}
