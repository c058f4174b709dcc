// What we rely on in New Relic's answers, read straight into accounts.
import { z } from 'zod'
import { type Account, accountOf, moment } from '../account.ts'
import { anyId, at, listAt, textAt } from '../bodies.ts'

const text = z.string().nullish()
const user = z.object({
  id: anyId,
  email: text,
  name: text,
  type: z.object({ displayName: text }).nullish(),
  lastActive: text,
  emailVerificationState: text,
})

const place = ['data', 'actor', 'organization', 'userManagement', 'authenticationDomains'] as const

/** One user. */
export function toAccount(item: unknown): Account {
  const read = user.parse(item)
  const type = read.type?.displayName
  return accountOf({
    externalId: read.id,
    email: read.email ?? null,
    name: read.name ?? null,
    status: /^pending$/i.test(read.emailVerificationState ?? '') ? 'invited' : 'active',
    licences: type ? [type] : [],
    lastActiveAt: moment(read.lastActive),
  })
}

/** The domains of an answer, and the cursor to more of them. */
export function domainsIn(body: unknown): { domains: readonly unknown[]; next: string | undefined } {
  return {
    domains: listAt(...place, 'authenticationDomains')(body) ?? [],
    next: textAt(...place, 'nextCursor')(body),
  }
}

/** What is still to be read: a domain's further users, or (without an id) further domains. */
export function unreadOf(domains: readonly unknown[]): { id: string | null; cursor: string }[] {
  return domains.flatMap(one => {
    const [id, cursor] = [textAt('id')(one), textAt('users', 'nextCursor')(one)]
    return id !== undefined && cursor !== undefined ? [{ id, cursor }] : []
  })
}

/** The users of all domains of an answer; undefined when it has no domains, or one of them no users: not even an empty list. */
export function usersIn(body: unknown): readonly unknown[] | undefined {
  const lists = listAt(...place, 'authenticationDomains')(body)?.map(listAt('users', 'users'))
  return lists?.every(list => list !== undefined) ? lists.flat() : undefined
}

/** The first error's class, else its words. */
export function codeOf(body: unknown): string | undefined {
  if (!listAt('errors')(body)?.length) return undefined
  const first = at(body, 'errors', 0)
  return textAt('extensions', 'errorClass')(first) ?? textAt('message')(first) ?? 'GRAPHQL'
}
