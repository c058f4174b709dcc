// What we rely on in Intercom's answers, read straight into accounts.
import { z } from 'zod'
import { type Account, accountOf } from '../account.ts'
import { anyId } from '../bodies.ts'

const admin = z.object({
  type: z.string().nullish(),
  id: anyId,
  name: z.string().nullish(),
  email: z.string().nullish(),
  has_inbox_seat: z.boolean().nullish(),
})

/** One teammate; null for a team, which is listed among them. */
export function toAccount(item: unknown): Account | null {
  const read = admin.parse(item)
  if (read.type === 'team') return null
  return accountOf({
    externalId: read.id,
    email: read.email ?? null,
    name: read.name ?? null,
    status: 'active',
    licences: read.has_inbox_seat === true ? ['Inbox seat'] : [],
  })
}
