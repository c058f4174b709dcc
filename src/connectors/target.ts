// Where a request goes: its whole address, and its name for the log.
import type { Connector, Credentials, Req } from './connector.ts'

/** Method and path, without the query: for the log. */
export function named(connector: Connector, credentials: Credentials, req: Req): string {
  return `${req.method ?? 'GET'} ${addressOf(connector.base(credentials), req)?.pathname ?? '?'}`
}

/** The whole address of a request: below `base`, or as given when it is whole; undefined when it is none. */
export function addressOf(base: string, req: Req): URL | undefined {
  const address = /^[a-z][a-z0-9+.-]*:\/\//i.test(req.path) ? req.path : base + req.path
  if (!URL.canParse(address)) return undefined
  const url = new URL(address)
  for (const [key, value] of Object.entries(req.query ?? {})) url.searchParams.set(key, value)
  return url
}
