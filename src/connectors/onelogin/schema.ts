// What we rely on in OneLogin's answers, read straight into accounts.
import { z } from 'zod'
import { type Account, type AccountStatus, accountOf, moment } from '../account.ts'

/** Source: OneLogin's user resource. 4, 5 and 8 must do something at their next sign-in, and can sign in. */
const statuses: Readonly<Record<number, AccountStatus>> = {
  0: 'invited',
  1: 'active',
  2: 'suspended',
  3: 'suspended',
  4: 'active',
  5: 'active',
  7: 'invited',
  8: 'active',
}

const text = z.string().nullish()
const person = z.object({
  id: z.number().int(),
  email: text,
  username: text,
  firstname: text,
  lastname: text,
  status: z
    .number()
    .refine(code => code in statuses)
    .transform(code => statuses[code] as AccountStatus),
  last_login: text,
  created_at: text,
})

/** One person of the directory. */
export function toAccount(item: unknown): Account {
  const read = person.parse(item)
  return accountOf({
    externalId: String(read.id),
    email: read.email || read.username || null,
    name: [read.firstname, read.lastname].filter(Boolean).join(' ') || null,
    status: read.status,
    lastActiveAt: moment(read.last_login),
    createdAt: moment(read.created_at),
  })
}
