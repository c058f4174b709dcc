// The ways to say who asks: headers made from credentials for each request, and grants that bring an access token first.
import { createSign } from 'node:crypto'
import type { Auth, Credentials, Grant } from './connector.ts'
import { ProviderError } from './errors.ts'

type Headers = Record<string, string>

/** `Authorization: Bearer TOKEN`. */
export function bearer(token: string): Headers {
  return { authorization: `Bearer ${token}` }
}

/** `Authorization: SCHEME TOKEN`, for vendors with a word of their own. */
export function scheme(word: string, token: string): Headers {
  return { authorization: `${word} ${token}` }
}

/** `Authorization: Basic`, of a user name and a password in UTF-8. */
export function basic(user: string, password: string): Headers {
  return { authorization: `Basic ${Buffer.from(`${user}:${password}`, 'utf8').toString('base64')}` }
}

/** A token that a person made, in whatever headers the vendor wants. */
export function token<C extends Credentials>(headers: (credentials: C) => Headers): Auth<C> {
  return { kind: 'token', headers }
}

/** A user name and a secret, in basic authentication. */
export function userAndToken<C extends Credentials>(pair: (credentials: C) => [string, string]): Auth<C> {
  return { kind: 'user and token', headers: credentials => basic(...pair(credentials)) }
}

/** OAuth 2.0 client credentials (RFC 6749, section 4.4), or a vendor's grant that takes only the client's own. */
export function clientCredentials<C extends Credentials>(
  request: Grant<C>['request'],
  headers: Auth<C>['headers'] = (_, access) => bearer(access),
): Auth<C> {
  return { kind: 'client credentials', headers, grant: { request } }
}

/** A refresh token (RFC 6749, section 6); `rotates` is its credential field, where a new one is kept before use. */
export function refreshToken<C extends Credentials>(
  rotates: string,
  request: Grant<C>['request'],
  headers: Auth<C>['headers'] = (_, access) => bearer(access),
): Auth<C> {
  return { kind: 'refresh token', headers, grant: { request, rotates } }
}

export interface Assertion {
  url: string
  /** PEM; its credential field is named when it cannot be read. */
  key: string
  keyField: string
  keyId?: string | undefined
  /** Without `iat` and `exp`, which are now and an hour on. */
  claims: Readonly<Record<string, string>>
}

/** JWT bearer grant (RFC 7523), signed with RS256. */
export function jwtBearer<C extends Credentials>(assertion: (credentials: C) => Assertion): Auth<C> {
  return {
    kind: 'JWT bearer',
    headers: (_, access) => bearer(access),
    grant: {
      request(credentials, now) {
        const asserted = assertion(credentials)
        const grant_type = 'urn:ietf:params:oauth:grant-type:jwt-bearer'
        return { url: asserted.url, form: { grant_type, assertion: signed(asserted, now) } }
      },
    },
  }
}

function signed({ key, keyField, keyId, claims }: Assertion, now: Date): string {
  const iat = Math.floor(now.getTime() / 1000)
  const header = { alg: 'RS256', typ: 'JWT', ...(keyId ? { kid: keyId } : {}) }
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const text = `${part(header)}.${part({ ...claims, iat, exp: iat + 3600 })}`
  try {
    return `${text}.${createSign('RSA-SHA256').update(text).sign(key, 'base64url')}`
  } catch {
    // The cause is left out on purpose: it could show a piece of the key.
    throw new ProviderError('credentials', {
      message: 'The private key cannot be read. Paste it whole, with its first and last line.',
      detail: 'private key unreadable',
      field: keyField,
    })
  }
}
