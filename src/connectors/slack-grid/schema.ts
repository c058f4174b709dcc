// What we rely on in the answers of Slack's organisation-wide list.
import { z } from 'zod'
import { type Account, accountOf } from '../account.ts'
import { rightsOf } from '../slack-words.ts'

const flag = z.boolean().nullish()
const user = z.object({
  id: z.string(),
  email: z.string().nullish(),
  full_name: z.string().nullish(),
  username: z.string().nullish(),
  is_bot: flag,
  is_admin: flag,
  is_owner: flag,
  is_primary_owner: flag,
  is_restricted: flag,
  is_ultra_restricted: flag,
  has_2fa: flag,
  /** Seconds since 1970. */
  date_created: z.number().nullish(),
})

/** One user of the organisation; null for a bot. The list itself says who is active. */
export function toAccount(item: unknown, active: boolean): Account | null {
  const read = user.parse(item)
  if (read.is_bot || read.id === 'USLACKBOT') return null
  return accountOf({
    externalId: read.id,
    email: read.email ?? null,
    name: read.full_name || read.username || null,
    status: active ? 'active' : 'deactivated',
    mfa: read.has_2fa ?? null,
    createdAt: read.date_created ? new Date(read.date_created * 1000) : null,
    ...rightsOf(read),
  })
}
