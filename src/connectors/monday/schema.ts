// What we rely on in monday.com's answers, read straight into accounts.
import { z } from 'zod'
import { type Account, type AccountStatus, accountOf, moment } from '../account.ts'
import { anyId, at, listAt, textAt } from '../bodies.ts'
import type { Res } from '../connector.ts'

const text = z.string().nullish()
const flag = z.boolean().nullish()
const user = z.object({
  id: anyId,
  name: text,
  email: text,
  enabled: flag,
  is_admin: flag,
  is_guest: flag,
  is_pending: flag,
  is_view_only: flag,
  created_at: text,
  last_activity: text,
})

type User = z.infer<typeof user>

/** One user. */
export function toAccount(item: unknown): Account {
  const read = user.parse(item)
  return accountOf({
    externalId: read.id,
    email: read.email ?? null,
    name: read.name ?? null,
    status: statusOf(read),
    kind: read.is_guest === true ? 'guest' : 'human',
    roles: [roleOf(read)],
    admin: read.is_admin ?? null,
    lastActiveAt: moment(read.last_activity),
    createdAt: moment(read.created_at),
  })
}

function statusOf({ enabled, is_pending }: User): AccountStatus {
  if (enabled === false) return 'deactivated'
  return is_pending === true ? 'invited' : 'active'
}

function roleOf(read: User): string {
  if (read.is_admin) return 'admin'
  if (read.is_guest) return 'guest'
  return read.is_view_only ? 'viewer' : 'member'
}

/** Older answers say `error_code`, newer ones `errors`, of objects or of bare sentences; any word for one without. */
export function codeOf(body: unknown): string | undefined {
  const old = textAt('error_code')(body)
  if (old !== undefined) return old
  if (!listAt('errors')(body)?.length) return undefined
  return textAt('errors', 0, 'extensions', 'code')(body) ?? textAt('errors', 0)(body) ?? 'GRAPHQL'
}

/** Where the header is missing the error tells how long, in seconds. */
export function waitSeconds({ body, headers }: Res): number | undefined {
  if (headers['retry-after'] !== undefined) return undefined
  const told =
    at(body, 'errors', 0, 'extensions', 'retry_in_seconds') ?? at(body, 'error_data', 'retry_in_seconds')
  return typeof told === 'number' ? told : undefined
}
