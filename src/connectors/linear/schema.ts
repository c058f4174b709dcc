// What we rely on in Linear's answers, read straight into accounts.
import { z } from 'zod'
import { type Account, accountOf, moment } from '../account.ts'
import { listAt, textAt } from '../bodies.ts'

const text = z.string().nullish()
const flag = z.boolean().nullish()
const user = z.object({
  id: z.string(),
  name: text,
  email: text,
  active: z.boolean(),
  admin: flag,
  owner: flag,
  guest: flag,
  app: flag,
  lastSeen: text,
  createdAt: text,
})

/** One user; null for an app. */
export function toAccount(item: unknown): Account | null {
  const read = user.parse(item)
  if (read.app) return null
  const role = read.owner ? 'owner' : read.admin ? 'admin' : read.guest ? 'guest' : 'member'
  return accountOf({
    externalId: read.id,
    email: read.email ?? null,
    name: read.name ?? null,
    status: read.active ? 'active' : 'suspended',
    kind: read.guest ? 'guest' : 'human',
    roles: [role],
    admin: read.owner || (read.admin ?? null),
    lastActiveAt: moment(read.lastSeen),
    createdAt: moment(read.createdAt),
  })
}

/** The first error's code or type; any word for an error that has neither. */
export function codeOf(body: unknown): string | undefined {
  if (!listAt('errors')(body)?.length) return undefined
  return (
    textAt('errors', 0, 'extensions', 'code')(body) ??
    textAt('errors', 0, 'extensions', 'type')(body) ??
    'GRAPHQL'
  )
}
