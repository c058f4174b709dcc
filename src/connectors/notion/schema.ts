// What we rely on in Notion's answers, read straight into accounts.
import { z } from 'zod'
import { type Account, accountOf } from '../account.ts'

const user = z.object({
  id: z.string(),
  type: z.string().nullish(),
  name: z.string().nullish(),
  person: z.object({ email: z.string().nullish() }).nullish(),
})

/** One member; null for a bot. */
export function toAccount(item: unknown): Account | null {
  const { id, type, name, person } = user.parse(item)
  if (type === 'bot') return null
  return accountOf({
    externalId: id,
    email: person?.email ?? null,
    name: name ?? null,
    status: 'active',
  })
}
