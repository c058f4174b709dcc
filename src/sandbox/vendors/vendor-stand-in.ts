// What every vendor stand-in is: a small stateful copy of a vendor's user API that pages, authenticates, checks scopes and fails.
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { VendorPerson } from './vendor-person.ts'

export type { VendorPerson }

/**
 * How it answers: as usual; after 3 s; with 429 and the vendor's own headers; with 503; with every second person only, as
 * to a token whose scope hides the others.
 */
export type Mood = 'normal' | 'slow' | 'rate-limited' | 'broken' | 'half-hidden'

/** What is kept in the sandbox's folder between two starts: plain JSON. */
export interface VendorSnapshot {
  people: VendorPerson[]
  token: string
  tokenLives: boolean
  scopeGiven: boolean
}

export interface VendorStandIn {
  readonly id: 'okta' | 'github' | 'scim'
  readonly name: string
  /** What to type in the connect form beside the token, by field key; `address` is where it is mounted. */
  fields(address: string): Readonly<Record<string, string>>
  /** Serve one request whose `url` has the mount prefix stripped; false when the vendor has no such path (then nothing was sent). */
  handle: (req: IncomingMessage, res: ServerResponse) => Promise<boolean>
  /** The token that works while `tokenLives`. */
  token(): string
  tokenLives(): boolean
  scopeGiven(): boolean
  mood(): Mood
  /** All that a full listing gives, in its order. */
  people(): readonly VendorPerson[]
  add(person: { name: string; email: string }): VendorPerson
  change(id: string, change: { name?: string; email?: string; role?: string }): void
  suspend(id: string): void
  remove(id: string): void
  revokeToken(): void
  /** A new token that works; the old one does not. */
  renewToken(): string
  takeScope(): void
  giveScope(): void
  setMood(mood: Mood): void
  /** Returns the way to unsubscribe. */
  onChange(listener: () => void): () => void
  snapshot(): VendorSnapshot
  restore(snapshot: VendorSnapshot): void
  /** The newest 1,000 requests, oldest first. */
  readonly requests: readonly { method: string; path: string; status: number }[]
}
