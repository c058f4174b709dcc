// SCIM 2.0 (RFC 7643 and 7644) for every application that speaks it: how its users are asked for and read.
import { z } from 'zod'
import { type Account, accountOf, moment } from './account.ts'
import { anyId, at, listAt, textAt } from './bodies.ts'
import type { Listing } from './connector.ts'
import { scimPage } from './pagers.ts'

const text = z.string().nullish().catch(null)
const values = z
  .array(
    z.object({
      value: text,
      display: text,
      primary: z.union([z.boolean(), z.string()]).nullish().catch(null),
    }),
  )
  .nullish()
  .catch(null)

const user = z.object({
  id: anyId,
  userName: text,
  displayName: text,
  name: z.object({ formatted: text, givenName: text, familyName: text }).nullish().catch(null),
  emails: values,
  roles: values,
  entitlements: values,
  // Some send the words "True" and "False".
  active: z.union([z.boolean(), z.stringbool()]).nullish(),
  meta: z.object({ created: text }).nullish().catch(null),
})

const resourcesIn = listAt('Resources')

/** RFC 7644, section 3.4.2: `Resources` may be absent when nobody is there. */
function peopleIn(body: unknown): readonly unknown[] | undefined {
  return resourcesIn(body) ?? (at(body, 'totalResults') === 0 ? [] : undefined)
}

const headers = { accept: 'application/scim+json, application/json' }

/** The list of users below the base address; `path` where it is not `/Users`. */
export function scimPeople(path = '/Users'): Listing {
  return {
    name: 'people',
    request: () => ({ path, query: { startIndex: '1', count: '100' }, headers }),
    items: peopleIn,
    page: scimPage,
    sizeKey: 'count',
    account: toAccount,
  }
}

/** The cheapest request that needs the token: ServiceProviderConfig is often open to anybody. */
export function scimCheck(path = '/Users') {
  return { path, query: { startIndex: '1', count: '1' }, headers }
}

/** RFC 7644, section 3.12. */
export const scimErrorCode = textAt('scimType')

/** One user of a SCIM list; what the standard has no word for is null. */
function toAccount(item: unknown): Account {
  const read = user.parse(item)
  const { name, emails } = read
  const primary = emails?.find(one => String(one.primary).toLowerCase() === 'true') ?? emails?.[0]
  const fullName = [name?.givenName, name?.familyName].filter(Boolean).join(' ')
  return accountOf({
    externalId: read.id,
    email: primary?.value || read.userName || null,
    name: read.displayName || name?.formatted || fullName || null,
    status: read.active === false ? 'deactivated' : 'active',
    roles: wordsOf(read.roles),
    licences: wordsOf(read.entitlements),
    createdAt: moment(read.meta?.created),
  })
}

function wordsOf(listed: z.infer<typeof values>): string[] {
  return (listed ?? []).map(one => one.display || one.value || '').filter(word => word !== '')
}
