// Account: one user of one application, the one shape that every vendor is turned into.

export type AccountStatus = 'active' | 'invited' | 'suspended' | 'deactivated'
export type AccountKind = 'human' | 'guest' | 'service'

/** What the vendor does not say is null, never a default. */
export interface Account {
  /** The vendor's own id: stable, unique within one instance. At most 255 code points. */
  externalId: string
  email: string | null
  name: string | null
  status: AccountStatus
  kind: AccountKind
  roles: string[]
  admin: boolean | null
  licences: string[]
  mfa: boolean | null
  lastActiveAt: Date | null
  createdAt: Date | null
}

/** An Account of what a vendor says; what it does not say is null. */
export function accountOf(said: Pick<Account, 'externalId' | 'status'> & Partial<Account>): Account {
  // Key by key: what is spread over other keys is copied slowly, and there are a million accounts.
  return {
    externalId: said.externalId,
    email: said.email ?? null,
    name: said.name ?? null,
    status: said.status,
    kind: said.kind ?? 'human',
    roles: said.roles ?? [],
    admin: said.admin ?? null,
    licences: said.licences ?? [],
    mfa: said.mfa ?? null,
    lastActiveAt: said.lastActiveAt ?? null,
    createdAt: said.createdAt ?? null,
  }
}

/** A day and a time of day without a zone: not to be read in the zone of the machine that saasm runs on. */
const zoneless = /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d([.,]\d+)?)?$/

/** The moment that an ISO 8601 text (in UTC where it names no zone) or a number of milliseconds names; null for none. */
export function moment(told: string | number | null | undefined): Date | null {
  if (told === null || told === undefined || told === '') return null
  // Nearly all end in Z, and there may be millions.
  if (typeof told === 'number' || told.endsWith('Z') || !zoneless.test(told)) return new Date(told)
  return new Date(`${told.replace(' ', 'T').replace(',', '.')}Z`)
}
