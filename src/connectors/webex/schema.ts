// What we rely on in Webex's answers, read straight into accounts.
import { z } from 'zod'
import { type Account, type AccountStatus, accountOf, moment } from '../account.ts'

const text = z.string().nullish()
const person = z.object({
  id: z.string(),
  emails: z.array(z.string()).nullish(),
  displayName: text,
  type: text,
  invitePending: z.boolean().nullish(),
  loginEnabled: z.boolean().nullish(),
  created: text,
  lastActivity: text,
})

/** One person; null for a bot. */
export function toAccount(item: unknown): Account | null {
  const read = person.parse(item)
  if (read.type === 'bot') return null
  return accountOf({
    externalId: read.id,
    email: read.emails?.[0] ?? null,
    name: read.displayName ?? null,
    status: statusOf(read),
    lastActiveAt: moment(read.lastActivity),
    createdAt: moment(read.created),
  })
}

function statusOf({ invitePending, loginEnabled }: z.infer<typeof person>): AccountStatus {
  if (invitePending === true) return 'invited'
  return loginEnabled === false ? 'suspended' : 'active'
}
