// What we rely on in GitLab's answers: a seat, a member of a group and a user of an instance are read alike.
import { z } from 'zod'
import { type Account, type AccountStatus, accountOf, moment } from '../account.ts'
import { at, textAt } from '../bodies.ts'
import type { Looked } from '../connector.ts'

const statuses = {
  active: 'active',
  awaiting: 'invited',
  blocked_pending_approval: 'invited',
  blocked: 'suspended',
  ldap_blocked: 'suspended',
  banned: 'suspended',
  deactivated: 'deactivated',
} as const satisfies Record<string, AccountStatus>
const roles: Record<number, string> = {
  5: 'minimal access',
  10: 'guest',
  15: 'planner',
  20: 'reporter',
  30: 'developer',
  40: 'maintainer',
  50: 'owner',
}

const text = z.string().nullish()
const flag = z.boolean().nullish()
const user = z.object({
  id: z.number().int(),
  username: z.string(),
  name: text,
  email: text,
  state: z.enum(Object.keys(statuses) as (keyof typeof statuses)[]),
  membership_state: text,
  access_level: z.number().nullish(),
  is_admin: flag,
  external: flag,
  bot: flag,
  two_factor_enabled: flag,
  using_license_seat: flag,
  membership_type: text,
  last_activity_on: text,
  last_login_at: text,
  current_sign_in_at: text,
  created_at: text,
})

/** A member's id and role in the group. */
export function roleIn(item: unknown): readonly [string, string] | null {
  const role = roles[Number(at(item, 'access_level'))]
  return role ? [String(at(item, 'id')), role] : null
}

/** One user; null for the bot of an access token. `looked` holds roles in the group. */
export function toAccount(item: unknown, looked: Looked): Account | null {
  const read = user.parse(item)
  if (read.bot || /^(project|group)_\d+_bot/.test(read.username)) return null
  const role = roles[read.access_level ?? 0] ?? looked.get(String(read.id))
  const seat = read.using_license_seat || read.membership_type
  return accountOf({
    externalId: String(read.id),
    email: read.email ?? null,
    name: read.name || read.username,
    status: read.membership_state === 'awaiting' ? 'invited' : statuses[read.state],
    kind: read.external ? 'guest' : 'human',
    roles: role ? [role] : read.is_admin ? ['administrator'] : [],
    admin: read.is_admin ?? (role ? role === 'owner' : null),
    licences: seat ? ['seat'] : [],
    mfa: read.two_factor_enabled ?? null,
    lastActiveAt: moment(read.last_activity_on ?? read.last_login_at ?? read.current_sign_in_at),
    createdAt: moment(read.created_at),
  })
}

/** The code of a list of users without what only an administrator is shown. */
export const notAnAdministrator = /^not an administrator$/

/** GitLab's error, or that a list of an instance's users is the public one. */
export function codeOf(body: unknown): string | undefined {
  const first = at(body, 0)
  const isUser = at(first, 'username') !== undefined
  const known = ['is_admin', 'access_level', 'membership_type'].some(key => at(first, key) !== undefined)
  return isUser && !known ? 'not an administrator' : textAt('error')(body)
}
