// What we rely on in Dropbox's answers, read straight into accounts.
import { z } from 'zod'
import { type Account, type AccountStatus, accountOf, moment } from '../account.ts'
import { textAt } from '../bodies.ts'

const statuses = {
  active: 'active',
  invited: 'invited',
  suspended: 'suspended',
  removed: 'deactivated',
} as const satisfies Record<string, AccountStatus>

const text = z.string().nullish()
const member = z.object({
  profile: z.object({
    team_member_id: z.string(),
    email: text,
    name: z.object({ display_name: text }).nullish(),
    status: z.object({ '.tag': z.enum(Object.keys(statuses) as (keyof typeof statuses)[]) }),
    membership_type: z.object({ '.tag': z.string() }).nullish(),
    joined_on: text,
    invited_on: text,
  }),
  roles: z.array(z.object({ name: z.string() })).nullish(),
})

/** One member; who has no role of an administrator has none at all. */
export function toAccount(item: unknown): Account {
  const { profile, roles } = member.parse(item)
  const licence = profile.membership_type?.['.tag']
  return accountOf({
    externalId: profile.team_member_id,
    email: profile.email ?? null,
    name: profile.name?.display_name ?? null,
    status: statuses[profile.status['.tag']],
    roles: (roles ?? []).map(({ name }) => name),
    admin: roles ? roles.length > 0 : null,
    licences: licence ? [licence] : [],
    createdAt: moment(profile.joined_on ?? profile.invited_on),
  })
}

/** The tag of an error, or the token endpoint's word. */
export function codeOf(body: unknown): string | undefined {
  return textAt('error', '.tag')(body) ?? textAt('error', 'reason', '.tag')(body) ?? textAt('error')(body)
}
