// What we rely on in HubSpot's answers, read straight into accounts.
import { z } from 'zod'
import { type Account, accountOf } from '../account.ts'
import { listAt } from '../bodies.ts'
import type { Looked } from '../connector.ts'

const text = z.string().nullish()
const user = z.object({
  id: z.string(),
  email: text,
  firstName: text,
  lastName: text,
  // The examples of the documentation send it as text.
  superAdmin: z.union([z.boolean(), z.stringbool()]).nullish(),
  roleIds: z.array(z.string()).nullish(),
  seatNames: z.array(z.string()).nullish(),
})

/** One user; `looked` holds the names of roles. */
export function toAccount(item: unknown, looked: Looked): Account {
  const { id, email, firstName, lastName, superAdmin, roleIds, seatNames } = user.parse(item)
  const named = (roleIds ?? []).map(role => looked.get(role) ?? '')
  return accountOf({
    externalId: id,
    email: email ?? null,
    name: [firstName, lastName].filter(Boolean).join(' ') || null,
    status: 'active',
    roles: [superAdmin ? 'super admin' : '', ...named].filter(Boolean),
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
