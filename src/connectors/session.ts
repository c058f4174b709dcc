// The derived token of one stream or check: asked for once, renewed before its end and after one refusal, never stored.
import { z } from 'zod'
import type { Clock } from '../lib/clock.ts'
import { type Asked, lackingIn, permissionError, problemIn, providerError } from './answers.ts'
import type { Connector, Credentials, Req, Res } from './connector.ts'
import { ProviderError } from './errors.ts'

/** Called with the credentials as they are from now on, before a token that came with them is used. */
export type Keep = (credentials: Credentials) => Promise<void>

export interface Session {
  readonly credentials: Credentials
  /** Headers for the next request; a token is fetched by `fetchToken` when there is none that lives. Throws ProviderError. */
  headers(asked: Asked, fetchToken: FetchToken): Promise<Record<string, string>>
  /** What the credentials themselves answer (`Connector.local`), read once. Throws ProviderError. */
  local(asked: Asked, answer: NonNullable<Connector['local']>, req: Req): Promise<Res>
  /** Forget the token after a refusal; false: there is none, so that asking again would change nothing. */
  forget(): boolean
}

/** Send the form, once; null: the answer was not JSON. */
export type FetchToken = (request: {
  url: string
  body: string
  headers: Readonly<Record<string, string>>
}) => Promise<Res | null>

const answer = z.object({
  access_token: z.string().min(1),
  expires_in: z.coerce.number().positive().optional().catch(undefined),
  refresh_token: z.string().min(1).optional().catch(undefined),
})

/** A token without an end of its own is renewed after this. */
const lifeSeconds = 1_800
const livesFor = 0.9

/** Begin with `credentials`; a rotated refresh token is handed to `keep` first. */
export function createSession(
  connector: Connector,
  credentials: Credentials,
  clock: Clock,
  keep: Keep,
): Session {
  let current = credentials
  let access: { token: string; until: number } | null = null
  let local: ReturnType<NonNullable<Connector['local']>> | undefined
  const { grant } = connector.auth
  /** A declaration's own code on credentials; what it throws could quote them. */
  const unusable = (asked: Asked, error: unknown) =>
    error instanceof ProviderError
      ? error
      : providerError(asked, 'credentials', `${asked.what} credentials cannot be used`)
  const made = <T>(asked: Asked, make: () => T): T => {
    try {
      return make()
    } catch (error) {
      throw unusable(asked, error)
    }
  }
  return {
    get credentials() {
      return current
    },
    async headers(asked, fetchToken) {
      if (!grant) return made(asked, () => connector.auth.headers(current, ''))
      if (!access || clock.now().getTime() >= access.until) {
        const now = clock.now()
        const { url, form, headers } = made(asked, () => grant.request(current, now))
        const what = `POST ${new URL(url).pathname}`
        const body = new URLSearchParams(form).toString()
        const read = readToken({ ...asked, what }, await fetchToken({ url, body, headers: headers ?? {} }))
        const { rotates } = grant
        if (rotates && read.refresh_token && read.refresh_token !== current[rotates]) {
          current = { ...current, [rotates]: read.refresh_token }
          await keep(current)
        }
        const lives = (read.expires_in ?? lifeSeconds) * livesFor * 1000
        access = { token: read.access_token, until: now.getTime() + lives }
      }
      const { token } = access
      return made(asked, () => connector.auth.headers(current, token))
    },
    async local(asked, answer, req) {
      local ??= answer(current)
      try {
        return (await local)(req)
      } catch (error) {
        throw unusable(asked, error)
      }
    },
    forget() {
      const had = access !== null
      access = null
      return had
    },
  }
}

/** Throws ProviderError: what a grant refuses is the credentials' fault unless the connector's rules say otherwise. */
function readToken(asked: Asked, res: Res | null): z.infer<typeof answer> {
  if (!res) throw providerError(asked, 'unreadable', `${asked.what} not JSON`)
  const problem = problemIn({ ...asked, granting: true }, res)
  if (problem) throw problem
  const read = answer.safeParse(res.body)
  if (!read.success) throw providerError(asked, 'unreadable', `${asked.what} ${res.status} no token`)
  const lacking = lackingIn(asked.connector, res)
  if (lacking.length > 0)
    throw permissionError(asked, lacking, `${asked.what} ${res.status} lacks ${lacking}`)
  return read.data
}
