// What we rely on in GitHub's answers, read straight into accounts.
import { z } from 'zod'
import { type Account, accountOf, moment } from '../account.ts'
import { at, listAt, textAt } from '../bodies.ts'
import type { Looked } from '../connector.ts'

const person = z.object({ id: z.number().int(), login: z.string() })
const invitation = z.object({
  id: z.number().int(),
  login: z.string().nullish(),
  email: z.string().nullish(),
  role: z.string().nullish(),
  created_at: z.string().nullish(),
})

/** Who asks, and in which organisation. */
export const membership = z.object({ organization: z.object({ id: z.number().int(), login: z.string() }) })

const words = z
  .object({
    nameId: z.string().nullish(),
    username: z.string().nullish(),
    emails: z.array(z.object({ value: z.string() })).nullish(),
  })
  .nullish()
const externalIdentity = z.object({
  user: z.object({ databaseId: z.number().int() }),
  samlIdentity: words,
  scimIdentity: words,
})

/** Of GitHub's GraphQL: who signs on with SAML, and what with. */
export const identitiesQuery = `query ($org: String!, $first: Int!, $after: String) {
  organization(login: $org) {
    samlIdentityProvider {
      externalIdentities(first: $first, after: $after) {
        nodes {
          user { databaseId }
          samlIdentity { nameId username emails { value } }
          scimIdentity { username emails { value } }
        }
        pageInfo { hasNextPage endCursor }
      }
    }
  }
}`

/** Where the answer holds the provider; null there: the organisation has none. */
export const identitiesAt = ['data', 'organization', 'samlIdentityProvider'] as const

/** A member's id and the address that they sign on with; null for who has not signed on yet, or with another word. */
export function identity(item: unknown): readonly [string, string] | null {
  const read = externalIdentity.safeParse(item).data
  const told = [read?.samlIdentity, read?.scimIdentity].flatMap(one => [
    ...(one?.emails ?? []).map(({ value }) => value),
    one?.nameId ?? '',
    one?.username ?? '',
  ])
  const address = told.find(word => word.includes('@'))
  return read && address ? [String(read.user.databaseId), address] : null
}

/** The code of an error of GraphQL that has no type, such as a time-out of its own. */
export const unnamed = /^GRAPHQL$/

/** The code of a membership that was offered and not accepted. */
export const notYetMember = /^not yet a member$/

/** GitHub's message, the type of GraphQL's first error, or that who asks is not a member yet. */
export function codeOf(body: unknown): string | undefined {
  const told = textAt('message')(body)
  if (told !== undefined) return told
  if (listAt('errors')(body)?.length) return textAt('errors', 0, 'type')(body) ?? 'GRAPHQL'
  const isOffered = at(body, 'state') === 'pending' && at(body, 'organization') !== undefined
  return isOffered ? 'not yet a member' : undefined
}

/** A member or an outside collaborator. */
export function toAccount(
  item: unknown,
  as: { kind: 'human' | 'guest'; role: string; admin: boolean; looked: Looked },
): Account {
  const { id, login } = person.parse(item)
  return accountOf({
    externalId: String(id),
    email: as.looked.get(String(id)) ?? null,
    name: login,
    status: 'active',
    kind: as.kind,
    roles: [as.role],
    admin: as.admin,
  })
}

/** Somebody who was invited has no member id yet: the invitation's own id, marked as such. */
export function toInvited(item: unknown): Account {
  const { id, login, email, role, created_at } = invitation.parse(item)
  return accountOf({
    externalId: `invitation:${id}`,
    email: email ?? null,
    name: login ?? null,
    status: 'invited',
    roles: role ? [role.replace('admin', 'owner').replace('direct_member', 'member')] : [],
    admin: role ? role === 'admin' : null,
    createdAt: moment(created_at),
  })
}
