// What we rely on in the answers about an Atlassian organisation, read straight into accounts.
import { z } from 'zod'
import { type Account, accountOf, moment } from '../account.ts'

const text = z.string().nullish()
const statuses = { active: 'active', inactive: 'suspended', closed: 'deactivated' } as const
const user = z.object({
  account_id: z.string(),
  account_type: text,
  account_status: z.enum(['active', 'inactive', 'closed']),
  name: text,
  email: text,
  last_active: text,
  product_access: z.array(z.object({ key: text, name: text, last_active: text })).nullish(),
})

/** One managed account; null for an app. */
export function toAccount(item: unknown): Account | null {
  const read = user.parse(item)
  if (read.account_type === 'app') return null
  const products = read.product_access ?? []
  const seen = [read.last_active, ...products.map(one => one.last_active)].filter(one => one != null)
  return accountOf({
    externalId: read.account_id,
    email: read.email || null,
    name: read.name || null,
    status: statuses[read.account_status],
    licences: products.map(one => one.name || one.key || '').filter(Boolean),
    lastActiveAt: moment(seen.toSorted().at(-1)),
  })
}
