// What we rely on in Adobe's answers, read straight into accounts.
import { z } from 'zod'
import { type Account, accountOf } from '../account.ts'

const text = z.string().nullish()
const user = z
  .object({
    id: text,
    email: text,
    username: text,
    domain: text,
    firstname: text,
    lastname: text,
    status: text,
    groups: z.array(z.string()).nullish(),
  })
  .refine(read => read.id || read.username || read.email)

/** Adobe's groups of administrators begin with an underscore. */
const isRole = (group: string) => group.startsWith('_')

/** One user; older answers have no id, and name the person by user name and domain. */
export function toAccount(item: unknown): Account {
  const read = user.parse(item)
  const groups = read.groups ?? []
  const byName = read.username?.includes('@') ? read.username : `${read.username}@${read.domain}`
  return accountOf({
    externalId: read.id || (read.username ? byName : (read.email ?? '')).toLowerCase(),
    email: read.email ?? null,
    name: [read.firstname, read.lastname].filter(Boolean).join(' ') || null,
    status: read.status && read.status !== 'active' ? 'suspended' : 'active',
    roles: groups.filter(isRole).map(group => group.slice(1)),
    admin: groups.includes('_org_admin'),
    licences: groups.filter(group => !isRole(group)),
  })
}
