// Whether a list says what is reported already: then there is nothing to stage and nothing to merge.
import type { Account } from '../connectors/account.ts'
import type { Db } from '../db/db.ts'
import { one } from '../lib/assert.ts'
import { arrayText, hashOf } from './row.ts'

/** $2 is everybody listed, as id and hash, $3 how many. Both sides are sorted by Postgres, so that no spelling sorts two ways. */
const sameAs = `
  select count(*) = $3::int and bool_and(missing_run_id is null) and array_agg(person order by person collate "C") = (
    select array_agg(person order by person collate "C") from unnest($2::text::text[]) as person) as same
  from (
    select external_id || chr(9) || hash as person, missing_run_id from account
    where instance_id = $1::uuid and gone_at is null limit $3::int + 1) reported`

/** Does this list name everybody who is reported, each as they are stored, and nobody else, with none held back? Writes nothing. */
export async function isUnchanged(
  db: Db,
  instanceId: string,
  accounts: readonly Account[],
): Promise<boolean> {
  const people = accounts.map(account => `${account.externalId}\t${hashOf(account)}`)
  const rows = await db.pages.unsafe<{ same: boolean | null }[]>(
    sameAs,
    [instanceId, arrayText(people), people.length],
    { prepare: true },
  )
  return one(rows, 'an aggregate returns a row').same === true
}
