// What we rely on in Zoom's answers, read straight into accounts.
import { z } from 'zod'
import { type Account, accountOf, moment } from '../account.ts'
import type { Looked } from '../connector.ts'

const text = z.string().nullish()
const statuses = { active: 'active', inactive: 'suspended', pending: 'invited' } as const
/** Zoom's own ids of its three built-in roles; others are of the account's making, and may be of administrators. */
const builtIn: Record<string, string> = { '0': 'owner', '1': 'admin', '2': 'member' }
const types: Record<number, string> = { 1: 'Basic', 2: 'Licensed', 3: 'On-prem' }

const user = z.object({
  /** Who has not accepted yet has none. */
  id: text,
  email: z.string(),
  display_name: text,
  first_name: text,
  last_name: text,
  status: z.enum(['active', 'inactive', 'pending']),
  type: z.number().nullish(),
  role_id: z.union([z.string(), z.number()]).transform(String).nullish(),
  last_login_time: text,
  user_created_at: text,
  created_at: text,
})

/** One user; `looked` holds the names of roles. */
export function toAccount(item: unknown, looked: Looked): Account {
  const read = user.parse(item)
  const own = builtIn[read.role_id ?? '']
  const role = own ?? looked.get(read.role_id ?? '')
  const licence = types[read.type ?? 0]
  return accountOf({
    externalId: read.id || `pending:${read.email.toLowerCase()}`,
    email: read.email,
    name: read.display_name || [read.first_name, read.last_name].filter(Boolean).join(' ') || null,
    status: statuses[read.status],
    roles: role ? [role] : [],
    admin: own ? own !== 'member' : null,
    licences: licence ? [licence] : [],
    lastActiveAt: moment(read.last_login_time),
    createdAt: moment(read.user_created_at ?? read.created_at),
  })
}

/** `Invalid access token, does not contain scopes:[user:read:list_users:admin].` */
export function scopesNamed(message: string | undefined): string[] {
  const listed = /scopes:\s*\[([^\]]*)\]/.exec(message ?? '')?.[1] ?? ''
  return listed.split(/[\s,]+/).filter(word => word !== '')
}
