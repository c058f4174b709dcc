// What we rely on in Google's answers and key files.
import { z } from 'zod'
import { type Account, type AccountStatus, accountOf, moment } from '../account.ts'
import { textAt } from '../bodies.ts'

const text = z.string().nullish()
const flag = z.boolean().nullish()
const user = z.object({
  id: z.string(),
  primaryEmail: text,
  name: z.object({ fullName: text }).nullish(),
  suspended: flag,
  archived: flag,
  agreedToTerms: flag,
  isAdmin: flag,
  isDelegatedAdmin: flag,
  isEnrolledIn2Sv: flag,
  lastLoginTime: text,
  creationTime: text,
})

const keyFile = z.object({
  client_email: z.string().min(1),
  private_key: z.string().min(1),
  private_key_id: z.string().optional(),
})

/** The parts of a key file that sign. */
export function keyFileOf(file: string): z.infer<typeof keyFile> {
  return keyFile.parse(JSON.parse(file))
}

/** True for what `keyFileOf` can read. */
export function isKeyFile(file: string): boolean {
  try {
    return keyFileOf(file).client_email !== ''
  } catch {
    return false
  }
}

/** One user. Google says 1970 for somebody who never signed in. */
export function toAccount(item: unknown): Account {
  const read = user.parse(item)
  const lastLogin = moment(read.lastLoginTime)
  const lastActiveAt = lastLogin && lastLogin.getTime() > 0 ? lastLogin : null
  const roles = [read.isAdmin ? 'super admin' : '', read.isDelegatedAdmin ? 'delegated admin' : '']
  return accountOf({
    externalId: read.id,
    email: read.primaryEmail ?? null,
    name: read.name?.fullName ?? null,
    status: statusOf(read, lastActiveAt !== null),
    roles: roles.filter(Boolean),
    admin: read.isAdmin || read.isDelegatedAdmin || (read.isAdmin ?? null),
    mfa: read.isEnrolledIn2Sv ?? null,
    lastActiveAt,
    createdAt: moment(read.creationTime),
  })
}

function statusOf(read: z.infer<typeof user>, wasHere: boolean): AccountStatus {
  if (read.archived) return 'deactivated'
  if (read.suspended) return 'suspended'
  return !wasHere && read.agreedToTerms === false ? 'invited' : 'active'
}

/** The first reason of an error, or the word of the token endpoint. */
export function reasonOf(body: unknown): string | undefined {
  return (
    textAt('error', 'errors', 0, 'reason')(body) ?? textAt('error', 'status')(body) ?? textAt('error')(body)
  )
}
