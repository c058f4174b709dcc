// What we rely on in Salesforce's answers, read straight into accounts.
import { z } from 'zod'
import { type Account, accountOf, moment } from '../account.ts'
import { textAt } from '../bodies.ts'
import type { Looked } from '../connector.ts'

const text = z.string().nullish()
const user = z.object({
  Id: z.string(),
  Name: text,
  Email: text,
  Username: text,
  IsActive: z.boolean(),
  UserType: text,
  LastLoginDate: text,
  CreatedDate: text,
  Profile: z.object({ Name: text, UserLicense: z.object({ Name: text }).nullish() }).nullish(),
  UserRole: z.object({ Name: text }).nullish(),
})

/** Of the platform itself: nobody signs in as them. */
const machines = ['AutomatedProcess', 'CloudIntegrationUser', 'Guest']
const staff = 'Standard'

/** One user; null for the platform's own. `looked` holds who is frozen. */
export function toAccount(item: unknown, looked: Looked): Account | null {
  const read = user.parse(item)
  const { Profile, UserRole, UserType } = read
  if (machines.includes(UserType ?? '')) return null
  return accountOf({
    externalId: read.Id,
    email: read.Email || read.Username || null,
    name: read.Name ?? null,
    status: !read.IsActive ? 'deactivated' : looked.has(read.Id) ? 'suspended' : 'active',
    kind: UserType && UserType !== staff ? 'guest' : 'human',
    roles: [Profile?.Name ?? '', UserRole?.Name ?? ''].filter(Boolean),
    licences: [Profile?.UserLicense?.Name ?? ''].filter(Boolean),
    lastActiveAt: moment(read.LastLoginDate),
    createdAt: moment(read.CreatedDate),
  })
}

/** The first error of a list, or the token endpoint's word. */
export function codeOf(body: unknown): string | undefined {
  return textAt(0, 'errorCode')(body) ?? textAt('error')(body)
}
