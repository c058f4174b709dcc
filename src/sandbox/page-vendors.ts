// The Vendors tab's side: what the page shows of a vendor, and what a person can do to it.
import { PageMistake } from './page-mistake.ts'
import type { Mood, VendorStandIn } from './vendors/vendor-stand-in.ts'

type Body = Record<string, unknown>

const moods: readonly Mood[] = ['normal', 'slow', 'rate-limited', 'broken', 'half-hidden']
/** The page shows this many people of a search; vendors have hundreds. */
const peopleShownMax = 50

export function vendorState(vendor: VendorStandIn, selfUrl: string, search: string) {
  const wanted = search.toLowerCase()
  const found = vendor
    .people()
    .filter(person => `${person.name} ${person.email}`.toLowerCase().includes(wanted))
  return {
    id: vendor.id,
    name: vendor.name,
    fields: { ...vendor.fields(`${selfUrl}/vendors/${vendor.id}`), token: vendor.token() },
    tokenLives: vendor.tokenLives(),
    scopeGiven: vendor.scopeGiven(),
    mood: vendor.mood(),
    peopleCount: vendor.people().length,
    foundCount: found.length,
    people: found.slice(0, peopleShownMax),
  }
}

/** Do `what` to the vendor. Throws PageMistake for what nobody can do. */
export function vendorAction(vendor: VendorStandIn | undefined, what: string, body: Body): void {
  if (!vendor) throw new PageMistake('There is no such vendor')
  const doings: Record<string, () => void> = {
    add: () => void vendor.add({ name: text(body, 'name'), email: text(body, 'email') }),
    change: () => vendor.change(text(body, 'id'), { name: text(body, 'name') }),
    suspend: () => vendor.suspend(text(body, 'id')),
    remove: () => vendor.remove(text(body, 'id')),
    'revoke-token': () => vendor.revokeToken(),
    'renew-token': () => void vendor.renewToken(),
    'take-scope': () => vendor.takeScope(),
    'give-scope': () => vendor.giveScope(),
    mood: () => vendor.setMood(moods.find(mood => mood === body.mood) ?? 'normal'),
  }
  const doing = doings[what]
  if (!doing) throw new PageMistake(`Nobody can ${what} a vendor`)
  doing()
}

function text(body: Body, key: string): string {
  const value = body[key]
  if (typeof value !== 'string' || value.trim() === '' || value.length > 300)
    throw new PageMistake(`${key} is missing`)
  return value.trim()
}
