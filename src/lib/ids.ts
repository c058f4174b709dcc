// Identifiers: random UUIDs, and short references a person can read out from an error message.
import { createHash, randomBytes, randomUUID } from 'node:crypto'

/** A random UUID (v4). */
export function newId(): string {
  return randomUUID()
}

/**
 * The same UUID (v8, RFC 9562) for the same words at the same moment: what is made a second time with it meets itself. It is
 * greater than those of an earlier moment: what is stored under the newest of them stands together at the end of an index,
 * whose pages are filled then. In the middle they are left half empty.
 */
export function idAt(moment: Date, ...words: readonly string[]): string {
  const bytes = createHash('sha256').update(JSON.stringify(words)).digest().subarray(0, 16)
  bytes.writeUIntBE(Math.min(Math.max(0, Math.trunc(moment.getTime()) || 0), momentMax), 0, 6)
  bytes[6] = (bytes.readUInt8(6) & 0x0f) | 0x80
  bytes[8] = (bytes.readUInt8(8) & 0x3f) | 0x80
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}

/** Milliseconds since 1970 in 48 bits, as in a UUID of version 7. */
const momentMax = 2 ** 48 - 1

/** The 16 bytes of a UUID. */
export function bytesOf(id: string): Buffer {
  return Buffer.from(id.replaceAll('-', ''), 'hex')
}

/** A reference such as `E7K2M9QX`: shown to a person and logged with the cause, so that support can find it. */
export function newReference(): string {
  const alphabet = '23456789ABCDEFGHJKMNPQRSTUVWXYZ'
  return `E${Array.from(randomBytes(7), byte => alphabet[byte % alphabet.length]).join('')}`
}
