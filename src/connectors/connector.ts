// Connector: one vendor as a value without memory, a declaration that the engine walks. Nothing here talks to a network.
import type { z } from 'zod'
import type { Account } from './account.ts'
import type { ProviderError, ProviderProblem } from './errors.ts'

/** What a person gave for one instance: a key a field of the connector's `credentials`; a blank optional field is ''. */
export type Credentials = Readonly<Record<string, string>>

/** How a field is asked for in Slack; from the `meta` of each entry of `credentials`. */
export interface CredentialMeta {
  /** At most 60 code points. */
  label: string
  /** What to type, and where to find it; at most 300 code points. */
  hint?: string
  /** At most 100 code points. */
  placeholder?: string
  /** Sealed, never shown again, asked anew when a setting changes. */
  secret?: boolean
  /** Several lines, for a key file. */
  multiline?: boolean
  /** A file to upload; the value is its text, or '' for none. Always a secret: it is kept as one. */
  file?: { types: readonly string[]; maxBytes: number }
  /** Closed list of values instead of free text; at most 100. */
  choices?: readonly { value: string; label: string }[]
}

export interface CredentialField extends CredentialMeta {
  key: string
  optional: boolean
}

/** One request as plain data, so that the next one is a cursor that can be stored. Never holds a secret. */
export interface Req {
  /** Path below the base address, or a whole address on the same origin. */
  path: string
  method?: 'GET' | 'POST'
  query?: Readonly<Record<string, string>>
  headers?: Readonly<Record<string, string>>
  body?: unknown
  /** What the pager carries from one request to the next, such as lists not yet read. Never sent. */
  carried?: unknown
}

/** An answer of status 2xx (or any, for error rules); `body` is parsed JSON, or null when there is none. */
export interface Res {
  status: number
  headers: Readonly<Record<string, string>>
  body: unknown
}

/**
 * The next request after this answer; undefined: the listing has ended; `short`: it stopped before the total that it
 * announced, so somebody may be missing. `got` is how many items arrived.
 */
export type Pager = (req: Req, res: Res, got: number) => Req | 'short' | undefined

/** First match wins; what no rule matches falls to the engine's defaults. `ok`: not an error. */
export interface ErrorRule {
  on: number | '*'
  /** Matched against `Connector.errorCode`. */
  code?: RegExp
  is: ProviderProblem | 'ok'
  /** The permissions that this answer says are missing. */
  missing?(res: Res): readonly string[]
  /** The credential field to mend. */
  field?: string
  /** For people, in place of the house's sentence: what is amiss, without any secret. */
  says?(credentials: Credentials): string
}

export type AuthKind =
  | 'none'
  | 'token'
  | 'user and token'
  | 'client credentials'
  | 'JWT bearer'
  | 'refresh token'

/** How a request proves who asks. Made by `auth.ts`. */
export interface Auth<C extends Credentials = Credentials> {
  kind: AuthKind
  /** Made for each request, never stored. `token`: what the grant gave; '' without a grant. */
  headers(credentials: C, token: string): Record<string, string>
  grant?: Grant<C>
}

/** An access token that is asked for, lives a while, and is renewed by the engine. */
export interface Grant<C extends Credentials = Credentials> {
  /** Made anew each time, never stored: it holds secrets. */
  request(
    credentials: C,
    now: Date,
  ): { url: string; form: Readonly<Record<string, string>>; headers?: Readonly<Record<string, string>> }
  /** The credential field of the refresh token: a rotated one is kept there before the new access token is used. */
  rotates?: string
}

/** What a lookup found, by its key. */
export type Looked = ReadonlyMap<string, string>

/** A list that tells more about everybody in one go: read before the listings, and done without where it is refused. */
export interface Lookup<C extends Credentials = Credentials> {
  /** For people, what is not reported without it: `e-mail addresses of SAML sign-on`. */
  name: string
  /** Named when a refusal does not say which permission is missing. */
  scopes: readonly string[]
  /** undefined: there is nothing to ask with these credentials. */
  request(credentials: C): Req | undefined
  items(body: unknown): readonly unknown[] | undefined
  page: Pager
  /** What the listings will look for, and what they find; null: leave it out. Never throws. */
  entry(item: unknown): readonly [key: string, found: string] | null
}

export interface Listing<C extends Credentials = Credentials> {
  /** For people, in the plural: `members`, `outside collaborators`. */
  name: string
  request(credentials: C): Req
  /** The array of items; undefined: the answer is of the wrong shape. */
  items(body: unknown, credentials: C): readonly unknown[] | undefined
  page: Pager
  /** Parse one item, straight into an Account; null: leave it out (a bot). Throws when it cannot be read. */
  account(item: unknown, credentials: C, looked: Looked): Account | null
  /** Without its permission it is skipped with a warning, and the run removes nobody. */
  optional?: boolean
  /** The query key of the page size, halved on timeouts and 5xx. */
  sizeKey?: string
  /** Only who changed since then; such a run removes nobody. */
  changed?(credentials: C, since: Date): Req
  /**
   * A smaller request when this one was refused for want of a licence or permission, and what is not reported then;
   * `fewer`: it lists fewer people, so that the run removes nobody.
   */
  less?(req: Req, refused: ProviderError): { req: Req; unreported: string; fewer?: true } | undefined
}

export interface Connector<C extends Credentials = Credentials> {
  /** `okta`: stored with each instance, never changed. */
  id: string
  /** `Okta`. */
  name: string
  emoji: string
  /** Credentials; each entry carries a CredentialMeta by `.meta()`. All values are strings. */
  credentials: z.ZodObject
  /** For people: the least rights the token needs, one a line. */
  privileges: readonly string[]
  /** For people: where to get the token, one sentence, and the vendor's page for it. */
  tokenFrom: { text: string; url: string }
  /** For people: what is reported (`status, roles, last sign-in`) and what is not. */
  reports: string
  /** https address without a slash at its end. Throws ProviderError `settings` for one that cannot be. */
  base(credentials: C): string
  auth: Auth<C>
  /** The permissions declared, in the vendor's words: named when an answer says only 'forbidden'. */
  scopes: readonly string[]
  /** The permissions an answer (also the one that brought the token) says were granted; undefined: it does not say. */
  granted?(res: Res): readonly string[] | undefined
  /** The declared scopes that `granted` does not cover; default: set difference. */
  lacks?(granted: readonly string[]): readonly string[]
  /** The cheapest request that must fail for a bad token. */
  check(credentials: C): Req
  /** The tenant, from the answer to `check`, or from `tenantRequest` when that is set and answers. */
  tenant(body: unknown, credentials: C): { key: string; name: string | null }
  /** Asked after `check`; when it fails the name is left out, never the connection refused. */
  tenantRequest?(credentials: C): Req
  /** The vendor's own error code in an answer. */
  errorCode?(body: unknown): string | undefined
  rules: readonly ErrorRule[]
  /** Seconds to wait that stand elsewhere than in the usual headers. */
  waitSeconds?(res: Res): number | undefined
  /** Why somebody who is absent may still have an account: then nobody is ever removed. Unset: the listings are complete. */
  incomplete?: string
  /** Where the facts of this declaration come from, and the day they were read: `2026-11-24`. */
  facts: { source: string; on: string }
  /**
   * There is no vendor to ask: every request is answered out of the credentials, which are read once a stream or check.
   * Throws ProviderError for those that cannot be read at all.
   */
  local?(credentials: C): Promise<(req: Req) => Res>
  /** For people: what the answer to `check` says is amiss and does not stand in the way. */
  notice?(body: unknown): string | undefined
  /** For people: a file to start from, to be copied. */
  template?: string
  /** Read before the listings, whose `account` is handed what it found. */
  lookup?: Lookup<C>
  /** Read in order; absence means gone only when all have ended by themselves. */
  listings: readonly Listing<C>[]
}

/** Declare a connector with typed credentials. */
export function defineConnector<S extends z.ZodObject>(
  credentials: S,
  rest: Omit<Connector<z.output<S> & Credentials>, 'credentials'>,
): Connector {
  return { credentials, ...rest } as unknown as Connector
}

/** The fields of a connector's credentials, in the order of their declaration. */
export function fieldsOf(connector: Connector): CredentialField[] {
  return Object.entries(connector.credentials.shape).map(([key, schema]) => ({
    label: key,
    ...metaOf(schema as z.ZodType),
    key,
    optional: (schema as z.ZodType).safeParse('').success,
  }))
}

function metaOf(schema: z.ZodType): CredentialMeta | undefined {
  return schema.meta() as CredentialMeta | undefined
}

export type ReadCredentials =
  | { ok: true; credentials: Credentials }
  /** One sentence a field. */
  | { ok: false; problems: Record<string, string> }

/** Read what a person typed: trimmed, parsed by the connector's schema, with a sentence for each bad field. */
export function readCredentials(
  connector: Connector,
  typed: Readonly<Record<string, string>>,
): ReadCredentials {
  const trimmed = Object.fromEntries(
    // A file's lines are counted from its beginning.
    fieldsOf(connector).map(({ key, file }) => [key, file ? (typed[key] ?? '') : (typed[key] ?? '').trim()]),
  )
  const read = connector.credentials.safeParse(trimmed)
  if (read.success) return { ok: true, credentials: read.data as Credentials }
  const problems: Record<string, string> = {}
  for (const issue of read.error.issues) problems[String(issue.path[0])] ??= issue.message
  return { ok: false, problems }
}

/** Split into what may be shown (`settings`) and what is sealed (`secrets`). */
export function splitCredentials(connector: Connector, credentials: Credentials) {
  const settings: Record<string, string> = {}
  const secrets: Record<string, string> = {}
  for (const [key, schema] of Object.entries(connector.credentials.shape))
    (metaOf(schema as z.ZodType)?.secret ? secrets : settings)[key] = credentials[key] ?? ''
  return { settings, secrets }
}
