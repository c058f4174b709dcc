// What we rely on in HubSpot's answers, read straight into accounts.
import { z } from 'zod'
import { type Account, accountOf } from '../account.ts'
import { listAt } from '../bodies.ts'

const text = z.string().nullish()
const user = z.object({
  id: z.string(),
  email: text,
  firstName: text,
  lastName: text,
  // The examples of the documentation send it as text.
  superAdmin: z.union([z.boolean(), z.stringbool()]).nullish(),
  seatNames: z.array(z.string()).nullish(),
})

/** One user. */
export function toAccount(item: unknown): Account {
  const { id, email, firstName, lastName, superAdmin, seatNames } = user.parse(item)
  return accountOf({
    externalId: id,
    email: email ?? null,
    name: [firstName, lastName].filter(Boolean).join(' ') || null,
    status: 'active',
    roles: superAdmin ? ['super admin'] : [],
    admin: superAdmin ?? null,
    licences: seatNames ?? [],
  })
}

/** The scopes that an error asks for; where any one of several is enough, `least` if it is among them. */
export function scopesNamed(body: unknown, least: string): readonly string[] {
  const named =
    listAt('errors', 0, 'context', 'requiredGranularScopes')(body) ??
    listAt('context', 'requiredGranularScopes')(body) ??
    []
  const words = named.map(String)
  return words.includes(least) ? [least] : words
}
