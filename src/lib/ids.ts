// Identifiers: random UUIDs, and short references a person can read out from an error message.
import { randomBytes, randomUUID } from 'node:crypto'

/** A random UUID (v4). */
export function newId(): string {
  return randomUUID()
}

/** A reference such as `E7K2M9QX`: shown to a person and logged with the cause, so that support can find it. */
export function newReference(): string {
  const alphabet = '23456789ABCDEFGHJKMNPQRSTUVWXYZ'
  return `E${Array.from(randomBytes(7), byte => alphabet[byte % alphabet.length]).join('')}`
}
