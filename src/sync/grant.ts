// What a vendor is asked with in a run: another one once a token was rotated, also for a stream that begins again.
import type { Connector, Credentials } from '../connectors/connector.ts'
import { keepCredentials } from '../instances/credentials.ts'
import type { Instance } from '../instances/instance.ts'
import { ClaimLost } from './store.ts'
import type { Work } from './work.ts'

export interface Grant {
  credentials: Credentials
}

/** Keeps what the vendor has put in place of the grant, before it is used. It throws ClaimLost when the instance is another one by now. */
export function keeperOf(
  work: Work,
  instance: Instance,
  { connector, grant }: { connector: Connector; grant: Grant },
): (after: Credentials) => Promise<void> {
  return async after => {
    const rotated = { connector, before: grant.credentials, after }
    if (!(await keepCredentials(work, instance, rotated))) throw new ClaimLost()
    grant.credentials = after
  }
}
