// What we rely on in DocuSign's answers, read straight into accounts. Flags and numbers come as words.
import { z } from 'zod'
import { type Account, type AccountStatus, accountOf, moment } from '../account.ts'

const statuses: Readonly<Record<string, AccountStatus>> = {
  activationrequired: 'invited',
  activationsent: 'invited',
  active: 'active',
  disabled: 'suspended',
  closed: 'deactivated',
}

const text = z.string().nullish()
const user = z.object({
  userId: z.string(),
  userName: text,
  email: text,
  userStatus: z
    .string()
    .transform(word => word.toLowerCase())
    .refine(word => word in statuses)
    .transform(word => statuses[word] as AccountStatus),
  isAdmin: z.union([z.boolean(), z.stringbool()]).nullish(),
  permissionProfileName: text,
  createdDateTime: text,
  lastLogin: text,
})

/** One user. */
export function toAccount(item: unknown): Account {
  const read = user.parse(item)
  return accountOf({
    externalId: read.userId,
    email: read.email ?? null,
    name: read.userName ?? null,
    status: read.userStatus,
    roles: read.permissionProfileName ? [read.permissionProfileName] : [],
    admin: read.isAdmin ?? null,
    // Who has never signed in has the first day of the calendar.
    lastActiveAt: read.lastLogin?.startsWith('0001') ? null : moment(read.lastLogin),
    createdAt: moment(read.createdDateTime),
  })
}
