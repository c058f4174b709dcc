// What we rely on in Microsoft Graph's answers and tokens.
import { z } from 'zod'
import { type Account, type AccountStatus, accountOf, moment } from '../account.ts'
import { at, listAt, textAt } from '../bodies.ts'
import type { Looked } from '../connector.ts'

const text = z.string().nullish()
const user = z.object({
  id: z.string(),
  displayName: text,
  mail: text,
  userPrincipalName: text,
  accountEnabled: z.boolean().nullish(),
  userType: text,
  createdDateTime: text,
  externalUserState: text,
  assignedLicenses: z.array(z.object({ skuId: z.string() })).nullish(),
  signInActivity: z.object({ lastSuccessfulSignInDateTime: text, lastSignInDateTime: text }).nullish(),
})

/** One user; `looked` holds the names of licences. */
export function toAccount(item: unknown, looked: Looked): Account {
  const read = user.parse(item)
  const { lastSuccessfulSignInDateTime, lastSignInDateTime } = read.signInActivity ?? {}
  return accountOf({
    externalId: read.id,
    email: read.mail || read.userPrincipalName || null,
    name: read.displayName ?? null,
    status: statusOf(read),
    kind: read.userType === 'Guest' ? 'guest' : 'human',
    licences: (read.assignedLicenses ?? []).map(({ skuId }) => looked.get(skuId) || skuId),
    lastActiveAt: moment(lastSuccessfulSignInDateTime ?? lastSignInDateTime),
    createdAt: moment(read.createdDateTime),
  })
}

function statusOf(read: z.infer<typeof user>): AccountStatus {
  if (read.accountEnabled === false) return 'suspended'
  return read.externalUserState === 'PendingAcceptance' ? 'invited' : 'active'
}

/** Graph's own error code, or the token endpoint's word. */
export function codeOf(body: unknown): string | undefined {
  return textAt('error', 'code')(body) ?? textAt('error')(body)
}

/** The application permissions that an access token carries; undefined for no token; none for one without roles. */
export function rolesIn(token: string | undefined): string[] | undefined {
  const claims = token?.split('.')[1]
  if (claims === undefined) return undefined
  try {
    const said: unknown = JSON.parse(Buffer.from(claims, 'base64url').toString())
    return at(said, 'roles') === undefined ? [] : listAt('roles')(said)?.map(String)
  } catch {
    return undefined
  }
}
