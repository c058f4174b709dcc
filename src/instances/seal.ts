// Sealing: credentials at rest. AES-256-GCM, a random nonce each, bound to the team, the instance and the field.
import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto'

/** What a sealed text is bound to: opened anywhere else it fails. */
export interface SealedFor {
  teamId: string
  instanceId: string
  field: string
}

export interface Seal {
  /** The ids of the keys in the order given: the first seals, all open. */
  readonly keyIds: readonly string[]
  /** `v1.<key id>.<nonce>.<tag>.<ciphertext>`, base64url. */
  seal(secret: string, place: SealedFor): string
  /** Throws KeyMissing or SealBroken; neither carries any part of the secret. */
  open(sealed: string, place: SealedFor): string
}

/** The key that sealed it is not among SAASM_SECRET_KEY's. */
export class KeyMissing extends Error {
  readonly keyId: string
  constructor(keyId: string) {
    // What stands there may be anything: a key's id has eight characters.
    super(`No key ${keyId.slice(0, 8)} in SAASM_SECRET_KEY opens these credentials`)
    this.name = 'KeyMissing'
    this.keyId = keyId
  }
}

/** The key is there, and the text is not what it sealed for this place: altered, cut, or moved here from elsewhere. */
export class SealBroken extends Error {
  constructor() {
    super('Sealed credentials were altered, or belong to another instance')
    this.name = 'SealBroken'
  }
}

/** Seal with the first of `keys` (32 bytes each), open with any. */
export function createSeal(keys: readonly Buffer[]): Seal {
  const ring = new Map(keys.map(key => [keyIdOf(key), key]))
  const [first] = keys
  if (!first || keys.some(key => key.length !== 32))
    throw new Error('SAASM_SECRET_KEY needs 32 bytes, base64')
  return {
    keyIds: [...ring.keys()],
    seal(secret, place) {
      // 96 bits, as NIST SP 800-38D recommends for random nonces.
      const nonce = randomBytes(12)
      const cipher = createCipheriv('aes-256-gcm', first, nonce)
      cipher.setAAD(boundTo(place))
      const body = Buffer.concat([cipher.update(secret, 'utf8'), cipher.final()])
      const parts = [nonce, cipher.getAuthTag(), body].map(part => part.toString('base64url'))
      return ['v1', keyIdOf(first), ...parts].join('.')
    },
    open(sealed, place) {
      const [version, keyId = '', nonce = '', tag = '', body = ''] = sealed.split('.')
      if (version !== 'v1') throw new SealBroken()
      const key = ring.get(keyId)
      if (!key) throw new KeyMissing(keyId)
      try {
        const bytes = (part: string) => Buffer.from(part, 'base64url')
        const decipher = createDecipheriv('aes-256-gcm', key, bytes(nonce), { authTagLength: 16 })
        decipher.setAAD(boundTo(place))
        decipher.setAuthTag(bytes(tag))
        return Buffer.concat([decipher.update(bytes(body)), decipher.final()]).toString('utf8')
      } catch {
        throw new SealBroken()
      }
    },
  }
}

function boundTo(place: SealedFor): Buffer {
  return Buffer.from(JSON.stringify(['saasm', place.teamId, place.instanceId, place.field]))
}

function keyIdOf(key: Buffer): string {
  return createHash('sha256').update(key).digest('base64url').slice(0, 8)
}
