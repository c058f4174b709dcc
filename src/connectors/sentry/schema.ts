// What we rely on in Sentry's answers, read straight into accounts.
import { z } from 'zod'
import { type Account, type AccountStatus, accountOf, moment } from '../account.ts'

const text = z.string().nullish()
const flag = z.boolean().nullish()
const member = z.object({
  /** Of the membership: who is invited has no user yet. */
  id: z.string(),
  email: text,
  name: text,
  orgRole: text,
  role: text,
  pending: flag,
  expired: flag,
  inviteStatus: text,
  dateCreated: text,
  user: z
    .object({ isActive: flag, isSuspended: flag, has2fa: flag, lastActive: text, lastLogin: text })
    .nullish(),
})

type Member = z.infer<typeof member>

/** One member, or somebody who is invited. */
export function toAccount(item: unknown): Account {
  const read = member.parse(item)
  const role = read.orgRole ?? read.role
  return accountOf({
    externalId: read.id,
    email: read.email ?? null,
    name: read.name ?? null,
    status: statusOf(read),
    roles: role ? [role] : [],
    admin: role ? role === 'owner' || role === 'manager' : null,
    mfa: read.user?.has2fa ?? null,
    lastActiveAt: moment(read.user?.lastActive ?? read.user?.lastLogin),
    createdAt: moment(read.dateCreated),
  })
}

function statusOf({ pending, inviteStatus, user }: Member): AccountStatus {
  if (pending === true || (inviteStatus && inviteStatus !== 'approved')) return 'invited'
  return user?.isActive === false || user?.isSuspended === true ? 'suspended' : 'active'
}
