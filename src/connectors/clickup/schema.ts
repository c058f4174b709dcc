// What we rely on in ClickUp's answers, read straight into accounts.
import { z } from 'zod'
import { type Account, accountOf, moment } from '../account.ts'
import { anyId, at, listAt, textAt } from '../bodies.ts'

const roles: Readonly<Record<number, string>> = { 1: 'owner', 2: 'admin', 3: 'member', 4: 'guest' }

const text = z.string().nullish()
/** Milliseconds since 1970, as a word. */
const millis = z.union([z.string(), z.number()]).nullish()
const member = z.object({
  team: z.string(),
  user: z.object({
    id: anyId,
    username: text,
    email: text,
    role: z.number().nullish(),
    role_key: text,
    last_active: millis,
    date_joined: millis,
  }),
})

/** The members of every workspace that the token sees, each with the workspace's id. */
export function membersIn(body: unknown): readonly unknown[] | undefined {
  return listAt('teams')(body)?.flatMap(team =>
    (listAt('members')(team) ?? []).map(one => ({ team: textAt('id')(team), user: at(one, 'user') })),
  )
}

/** One member; null for a member of another workspace. */
export function toAccount(item: unknown, workspace: string): Account | null {
  const { team, user } = member.parse(item)
  if (team !== workspace) return null
  const role = user.role_key || roles[user.role ?? 0]
  return accountOf({
    externalId: user.id,
    email: user.email ?? null,
    name: user.username ?? null,
    status: 'active',
    kind: user.role === 4 ? 'guest' : 'human',
    roles: role ? [role] : [],
    admin: user.role ? user.role <= 2 : null,
    lastActiveAt: fromMillis(user.last_active),
    createdAt: fromMillis(user.date_joined),
  })
}

function fromMillis(told: string | number | null | undefined): Date | null {
  return moment(told ? Number(told) : null)
}
