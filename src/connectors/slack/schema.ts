// What we rely on in Slack's answers, read straight into accounts.
import { z } from 'zod'
import { type Account, accountOf } from '../account.ts'
import { rightsOf } from '../slack-words.ts'

const text = z.string().nullish()
const flag = z.boolean().nullish()
const member = z.object({
  id: z.string(),
  deleted: flag,
  real_name: text,
  is_bot: flag,
  is_invited_user: flag,
  is_admin: flag,
  is_owner: flag,
  is_primary_owner: flag,
  is_restricted: flag,
  is_ultra_restricted: flag,
  has_2fa: flag,
  profile: z.object({ email: text, real_name: text }).nullish(),
})

/** One member; null for a bot and for Slackbot. */
export function toAccount(item: unknown): Account | null {
  const read = member.parse(item)
  if (read.is_bot || read.id === 'USLACKBOT') return null
  return accountOf({
    externalId: read.id,
    email: read.profile?.email ?? null,
    name: read.profile?.real_name || read.real_name || null,
    status: read.deleted ? 'deactivated' : read.is_invited_user ? 'invited' : 'active',
    mfa: read.has_2fa ?? null,
    ...rightsOf(read),
  })
}
