// The credentials of an instance: settings as typed, secrets sealed. Opened for a run and a check, and for nobody else.
import { type Connector, type Credentials, splitCredentials } from '../connectors/connector.ts'
import type { Db } from '../db/db.ts'
import type { Instance } from './instance.ts'
import type { Seal, SealedFor } from './seal.ts'
import { lockInstance, replaceSealed } from './store.ts'

type Place = Pick<Instance, 'id' | 'teamId'>

/** What the credentials of an instance are bound to. */
export function placeOf({ id, teamId }: Place): SealedFor {
  return { teamId, instanceId: id, field: 'credentials' }
}

/** The secrets of `credentials`, sealed for this instance. */
export function sealedSecrets(
  seal: Seal,
  instance: Place,
  connector: Connector,
  credentials: Credentials,
): string {
  return seal.seal(JSON.stringify(splitCredentials(connector, credentials).secrets), placeOf(instance))
}

/** Settings and opened secrets of an instance. Throws KeyMissing or SealBroken. */
export function credentialsOf(
  seal: Seal,
  instance: Place & Pick<Instance, 'settings' | 'sealed'>,
): Credentials {
  const secrets = instance.sealed
    ? (JSON.parse(seal.open(instance.sealed, placeOf(instance))) as Record<string, string>)
    : {}
  return { ...instance.settings, ...secrets }
}

/**
 * Keep the credentials that a vendor has put in the place of `before` (a rotated refresh token), if the instance is of the
 * same generation and still has those of before; false: somebody gave it others, and nothing is kept. No fence is asked:
 * whoever rotated it, the old token is dead and the new one is the only one that works. Compared opened and not sealed,
 * since a change of keys seals anew what did not change.
 */
export async function keepCredentials(
  { db, seal }: { db: Db; seal: Seal },
  instance: Pick<Instance, 'id' | 'generation'>,
  rotated: { connector: Connector; before: Credentials; after: Credentials },
): Promise<boolean> {
  return db.transaction(async tx => {
    const now = await lockInstance(tx, instance.id)
    if (!now?.sealed || now.generation !== instance.generation) return false
    const { secrets } = splitCredentials(rotated.connector, credentialsOf(seal, now))
    const before = splitCredentials(rotated.connector, rotated.before).secrets
    if (Object.entries(before).some(([key, value]) => secrets[key] !== value)) return false
    const sealed = sealedSecrets(seal, now, rotated.connector, rotated.after)
    return replaceSealed(tx, { id: now.id, sealed: now.sealed }, sealed)
  })
}
