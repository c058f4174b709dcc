// The ways to say who asks: headers made from credentials for each request, never stored.
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
