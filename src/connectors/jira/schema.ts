// What we rely on in Jira's answers, read straight into accounts.
import { z } from 'zod'
import { type Account, accountOf } from '../account.ts'

const user = z.object({
  accountId: z.string(),
  accountType: z.string().nullish(),
  active: z.boolean(),
  displayName: z.string().nullish(),
  emailAddress: z.string().nullish(),
})

/** One person; null for an app and for a customer of a service desk. */
export function toAccount(item: unknown): Account | null {
  const { accountId, accountType, active, displayName, emailAddress } = user.parse(item)
  if (accountType === 'app' || accountType === 'customer') return null
  return accountOf({
    externalId: accountId,
    email: emailAddress || null,
    name: displayName || null,
    status: active ? 'active' : 'deactivated',
  })
}
