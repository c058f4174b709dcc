// What we rely on in Snyk's answers (JSON:API), read straight into accounts.
import { z } from 'zod'
import { type Account, accountOf, moment } from '../account.ts'
import { at } from '../bodies.ts'

const text = z.string().nullish()
const membership = z.object({
  attributes: z.object({ created_at: text }).nullish(),
  relationships: z.object({
    user: z.object({
      data: z.object({
        id: z.string(),
        attributes: z.object({ name: text, email: text, username: text }).nullish(),
      }),
    }),
    role: z
      .object({ data: z.object({ attributes: z.object({ name: text }).nullish() }).nullish() })
      .nullish(),
  }),
})

/** One member. */
export function toAccount(item: unknown): Account {
  const { attributes, relationships } = membership.parse(item)
  const user = relationships.user.data
  const role = relationships.role?.data?.attributes?.name
  return accountOf({
    externalId: user.id,
    email: user.attributes?.email ?? null,
    name: user.attributes?.name || user.attributes?.username || null,
    status: 'active',
    roles: role ? [role] : [],
    admin: role ? /^group admin$/i.test(role) : null,
    createdAt: moment(attributes?.created_at),
  })
}

/** The cursor in the next address, which may be a text or an object, whole or a path. */
export function afterIn(body: unknown): string | null {
  const next = at(body, 'links', 'next', 'href') ?? at(body, 'links', 'next')
  if (typeof next !== 'string' || !URL.canParse(next, 'https://api.snyk.io')) return null
  return new URL(next, 'https://api.snyk.io').searchParams.get('starting_after')
}
