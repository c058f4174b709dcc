// What we rely on in PagerDuty's answers, read straight into accounts.
import { z } from 'zod'
import { type Account, accountOf } from '../account.ts'
import { textAt } from '../bodies.ts'

const user = z.object({
  id: z.string(),
  name: z.string().nullish(),
  email: z.string().nullish(),
  role: z.string().nullish(),
  invitation_sent: z.boolean().nullish(),
})

/** PagerDuty's own words for its roles, where they differ from its screens. */
const roles: Record<string, string> = {
  user: 'manager',
  limited_user: 'responder',
  read_only_user: 'full stakeholder',
  read_only_limited_user: 'limited stakeholder',
}

/** One user. */
export function toAccount(item: unknown): Account {
  const { id, name, email, role, invitation_sent } = user.parse(item)
  return accountOf({
    externalId: id,
    email: email ?? null,
    name: name ?? null,
    status: invitation_sent === true ? 'invited' : 'active',
    roles: role ? [roles[role] ?? role] : [],
    admin: role ? role === 'admin' || role === 'owner' : null,
  })
}

/** The account is only named in the addresses of its pages. Throws without one. */
export function accountHost(body: unknown): { key: string; name: string | null } {
  const { hostname } = new URL(textAt('users', 0, 'html_url')(body) ?? '')
  return { key: hostname, name: hostname.split('.')[0] ?? null }
}
