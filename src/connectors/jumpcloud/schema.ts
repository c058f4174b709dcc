// What we rely on in JumpCloud's answers, read straight into accounts.
import { z } from 'zod'
import { type Account, type AccountStatus, accountOf, moment } from '../account.ts'

const text = z.string().nullish()
const flag = z.boolean().nullish()
const person = z.object({
  _id: z.string(),
  email: text,
  username: text,
  displayname: text,
  firstname: text,
  lastname: text,
  state: text,
  suspended: flag,
  activated: flag,
  account_locked: flag,
  created: text,
  totp_enabled: flag,
  mfa: z.object({ configured: flag }).nullish(),
})

type Person = z.infer<typeof person>

/** One person of the directory. */
export function toAccount(item: unknown): Account {
  const read = person.parse(item)
  const fullName = [read.firstname, read.lastname].filter(Boolean).join(' ')
  return accountOf({
    externalId: read._id,
    email: read.email ?? null,
    name: read.displayname || fullName || read.username || null,
    status: statusOf(read),
    mfa: read.mfa?.configured ?? read.totp_enabled ?? null,
    createdAt: moment(read.created),
  })
}

/** Newer answers say `state`; older ones only the flags. */
function statusOf({ state, suspended, activated, account_locked }: Person): AccountStatus {
  if (state === 'SUSPENDED' || suspended === true || account_locked === true) return 'suspended'
  if (state === 'STAGED' || activated === false) return 'invited'
  return 'active'
}
