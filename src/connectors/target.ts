// Where a request goes: its whole address, and its name for the log.
import { type Connector, type Credentials, type Req, splitCredentials } from './connector.ts'
import { unsaid } from './unsaid.ts'

/** Method and path, without the query and without a secret that some vendors want in a path: for the log. */
export function named(connector: Connector, credentials: Credentials, req: Req): string {
  const path = addressOf(connector.base(credentials), req)?.pathname ?? '?'
  const { secrets } = splitCredentials(connector, credentials)
  return `${req.method ?? 'GET'} ${unsaid(path, Object.values(secrets))}`
}

/** The whole address of a request: below `base`, or as given when it is whole; undefined when it is none. */
export function addressOf(base: string, req: Req): URL | undefined {
  const address = /^[a-z][a-z0-9+.-]*:\/\//i.test(req.path) ? req.path : base + req.path
  if (!URL.canParse(address)) return undefined
  const url = new URL(address)
  for (const [key, value] of Object.entries(req.query ?? {})) url.searchParams.set(key, value)
  return url
}
