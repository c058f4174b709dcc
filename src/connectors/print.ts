// A print of everything beside a vendor's bytes that decides how they are read: another one, and nobody is known by them.
import { hash } from 'node:crypto'
import { type Connector, type Credentials, type Looked, splitCredentials } from './connector.ts'

/** SHA-256 in base64url. `code` is the print of what reads; secrets are left out, since a renewed one alters nobody. */
export function readingPrint(
  code: string,
  connector: Connector,
  { credentials, looked }: { credentials: Credentials; looked: Looked },
): string {
  const { settings } = splitCredentials(connector, credentials)
  return hash('sha256', JSON.stringify([code, connector.id, settings, [...looked]]), 'base64url')
}
