// What the vendor stand-ins share: people, a token, a scope, a mood, the log of requests, and answers with the vendor's own bodies.
import { randomBytes } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Clock } from '../../lib/clock.ts'
import type { Mood, VendorPerson, VendorSnapshot, VendorStandIn } from './vendor-stand-in.ts'

/** A person with the day they came: ISO 8601; kept in the snapshot too. */
export interface DatedPerson extends VendorPerson {
  createdAt: string
}

/** What a vendor sends: JSON unless `body` is text. */
export interface VendorAnswer {
  status: number
  headers?: Readonly<Record<string, string | string[]>>
  body: unknown
}

export interface Vendor {
  id: VendorStandIn['id']
  name: string
  /** What its tokens begin with. */
  tokenPrefix: string
  contentType: string
  seed: readonly DatedPerson[]
  fields(address: string): Readonly<Record<string, string>>
  /** The order in which its listings give them. */
  inOrder?(people: readonly DatedPerson[]): DatedPerson[]
  /** A new person; `serial` is unique. */
  person(given: { name: string; email: string }, serial: number): VendorPerson
  changed?(person: DatedPerson, change: { name?: string; email?: string; role?: string }): DatedPerson
  suspended(person: DatedPerson): DatedPerson
  /** Headers on every answer. */
  headers?(state: DirectoryState): Record<string, string>
  rateLimited(state: DirectoryState): VendorAnswer
  broken(state: DirectoryState): VendorAnswer
  /** Serve one request in the usual mood. */
  serve(asked: VendorRequest, state: DirectoryState): VendorAnswer
}

export interface VendorRequest {
  method: string
  url: URL
  headers: IncomingMessage['headers']
}

export interface DirectoryState {
  now(): Date
  people(): readonly DatedPerson[]
  /** True for the token that works now. */
  accepts(token: string): boolean
  scopeGiven(): boolean
}

const requestsMax = 1_000
const slowMs = 3_000

/** Make a stand-in of a vendor. */
export function createDirectory(vendor: Vendor, clock: Clock): VendorStandIn {
  let people: DatedPerson[] = vendor.seed.map(person => ({ ...person }))
  let serial = 0
  let token = `${vendor.tokenPrefix}sandbox`
  let tokenLives = true
  let scopeGiven = true
  let mood: Mood = 'normal'
  const listeners = new Set<() => void>()
  const requests: { method: string; path: string; status: number }[] = []
  const inOrder = () => vendor.inOrder?.(people) ?? people
  const state: DirectoryState = {
    now: () => clock.now(),
    people: () => inOrder().filter((_, at) => mood !== 'half-hidden' || at % 2 === 0),
    accepts: given => tokenLives && given === token,
    scopeGiven: () => scopeGiven,
  }
  const tell = () => {
    for (const listener of listeners) listener()
  }
  const edit = (id: string, to: (person: DatedPerson) => DatedPerson) => {
    people = people.map(person => (person.id === id ? to(person) : person))
    tell()
  }

  return {
    id: vendor.id,
    name: vendor.name,
    requests,
    fields: vendor.fields,
    token: () => token,
    tokenLives: () => tokenLives,
    scopeGiven: () => scopeGiven,
    mood: () => mood,
    people: inOrder,
    async handle(req, res) {
      const method = req.method ?? 'GET'
      const path = req.url ?? '/'
      const answer = () => {
        if (mood === 'rate-limited') return vendor.rateLimited(state)
        if (mood === 'broken') return vendor.broken(state)
        const url = new URL(path, `http://${req.headers.host ?? 'localhost'}`)
        return vendor.serve({ method, url, headers: req.headers }, state)
      }
      if (mood === 'slow') await new Promise(resolve => setTimeout(resolve, slowMs))
      const answered = answer()
      send(res, vendor.contentType, answered, vendor.headers?.(state) ?? {})
      requests.push({ method, path, status: answered.status })
      if (requests.length > requestsMax) requests.shift()
      tell()
      return true
    },
    add(given) {
      serial = 1 + people.reduce((most, { id }) => Math.max(most, Number(id.replace(/\D/g, ''))), serial)
      const person = { ...vendor.person(given, serial), createdAt: clock.now().toISOString() }
      people = [...people, person]
      tell()
      return person
    },
    change: (id, change) =>
      edit(id, person => vendor.changed?.(person, change) ?? { ...person, ...withoutRole(change) }),
    suspend: id => edit(id, vendor.suspended),
    remove(id) {
      people = people.filter(person => person.id !== id)
      tell()
    },
    revokeToken() {
      tokenLives = false
      tell()
    },
    renewToken() {
      token = `${vendor.tokenPrefix}${randomBytes(12).toString('hex')}`
      tokenLives = true
      tell()
      return token
    },
    takeScope() {
      scopeGiven = false
      tell()
    },
    giveScope() {
      scopeGiven = true
      tell()
    },
    setMood(next) {
      mood = next
      tell()
    },
    onChange(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    snapshot: () => ({ people: people.map(person => ({ ...person })), token, tokenLives, scopeGiven }),
    restore(snapshot: VendorSnapshot) {
      people = snapshot.people.map(person => ({ createdAt: seedDay(0), ...person }))
      token = snapshot.token
      tokenLives = snapshot.tokenLives
      scopeGiven = snapshot.scopeGiven
      tell()
    },
  }
}

/** The day that seeded person number `n` came: always the same. */
export function seedDay(n: number): string {
  return new Date(Date.UTC(2024, 0, 8 + (n % 400), 9)).toISOString()
}

/** The name of seeded person number `n`, and their address at acme.example: unique below 600. */
export function seedName(n: number): { name: string; email: string } {
  const first = firstNames[n % firstNames.length] ?? 'Ada'
  const last = lastNames[Math.floor(n / firstNames.length) % lastNames.length] ?? 'Berg'
  return { name: `${first} ${last}`, email: `${first}.${last}@acme.example`.toLowerCase() }
}

/** The whole number in a query, or `missing`; undefined when it is none or out of bounds. */
export function wholeIn(
  query: URLSearchParams,
  key: string,
  missing: number,
  max: number,
): number | undefined {
  const given = query.get(key)
  if (given === null) return missing
  const number = /^\d{1,9}$/.test(given) ? Number(given) : 0
  return number >= 1 && number <= max ? number : undefined
}

function send(
  res: ServerResponse,
  contentType: string,
  { status, headers, body }: VendorAnswer,
  always: object,
): void {
  const text = body === null ? '' : JSON.stringify(body)
  res.writeHead(status, { 'content-type': contentType, 'cache-control': 'no-store', ...always, ...headers })
  res.end(text)
}

function withoutRole({ name, email }: { name?: string; email?: string }) {
  return { ...(name === undefined ? {} : { name }), ...(email === undefined ? {} : { email }) }
}

const firstNames =
  'Ada Bela Carmen Dario Edith Farid Greta Hugo Ines Jonas Keiko Leon Mira Nils Olga Pablo Quinn Rosa Sven Tilda Umar Vera Wanda Xenia Yusuf Zoe Amara Bruno Clara Dmitri'.split(
    ' ',
  )
const lastNames =
  'Berg Costa Dubois Ekberg Fischer Gruber Haas Ito Jansen Kovac Lang Moreau Novak Okafor Price Quist Rossi Stein Toth Weber'.split(
    ' ',
  )
