// What we rely on in Okta's answers, read straight into accounts.
import { z } from 'zod'
import { type Account, type AccountStatus, accountOf, moment } from '../account.ts'
import { textAt } from '../bodies.ts'

const statuses = {
  STAGED: 'invited',
  PROVISIONED: 'invited',
  ACTIVE: 'active',
  RECOVERY: 'active',
  PASSWORD_EXPIRED: 'active',
  LOCKED_OUT: 'suspended',
  SUSPENDED: 'suspended',
  DEPROVISIONED: 'deactivated',
} as const satisfies Record<string, AccountStatus>

const text = z.string().nullish()
const user = z.object({
  id: z.string(),
  status: z.enum(Object.keys(statuses) as (keyof typeof statuses)[]),
  created: text,
  lastLogin: text,
  profile: z.object({ login: text, email: text, displayName: text, firstName: text, lastName: text }),
})

/** One user. */
export function toAccount(item: unknown): Account {
  const { id, status, profile, created, lastLogin } = user.parse(item)
  const fullName = [profile.firstName, profile.lastName].filter(Boolean).join(' ')
  return accountOf({
    externalId: id,
    email: profile.email || profile.login || null,
    name: profile.displayName || fullName || null,
    status: statuses[status],
    lastActiveAt: moment(lastLogin),
    createdAt: moment(created),
  })
}

/** The organisation's name, where the answer has one. */
export const companyOf = textAt('companyName')

/** Okta's own error code. */
export const codeOf = textAt('errorCode')
