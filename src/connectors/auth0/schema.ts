// What we rely on in Auth0's answers, read straight into accounts.
import { z } from 'zod'
import { type Account, accountOf, moment } from '../account.ts'

const text = z.string().nullish()
const user = z.object({
  user_id: z.string(),
  email: text.catch(null),
  name: text.catch(null),
  blocked: z.boolean().nullish(),
  multifactor: z.array(z.string()).nullish().catch(null),
  last_login: text.catch(null),
  created_at: text.catch(null),
})

/** One user. */
export function toAccount(item: unknown): Account {
  const read = user.parse(item)
  return accountOf({
    externalId: read.user_id,
    email: read.email ?? null,
    name: read.name ?? null,
    status: read.blocked === true ? 'suspended' : 'active',
    mfa: read.multifactor ? read.multifactor.length > 0 : null,
    lastActiveAt: moment(read.last_login),
    createdAt: moment(read.created_at),
  })
}
