// Staging: a run's people in batches, compared by hash in Postgres; only the new and the changed are sent, and nobody's before the merge.
import type { Account } from '../connectors/account.ts'
import type { Cursor } from '../connectors/engine.ts'
import { copyRows } from '../db/copy.ts'
import type { Db } from '../db/db.ts'
import { assert, one } from '../lib/assert.ts'
import { arrayText, cellsOf, hashOf, personColumns } from './row.ts'

/** A run under one claim: rows of an older fence are never merged. */
export interface StagingFor {
  runId: string
  fence: number
  /** Set when they went straight into the empty table, in the transaction that merges: how many. */
  loaded?: number
}

/** What the rows of a run are marked with; its pages are of no use to another generation of the instance. */
export interface Reading extends StagingFor {
  instanceId: string
  generation: number
}

export interface Batch {
  accounts: readonly Account[]
  /** Rows that could not be read, of all batches so far. */
  problems: number
  /** Where the vendor's stream goes on; null: it cannot. */
  cursor: Cursor | null
}

export interface Stager {
  /** Begin to stage a batch; resolves when few enough are under way for the next one. */
  write(batch: Batch): Promise<void>
  /** How many pages this claim has, adopted ones and those that were begun. */
  pages(): number
  /** Resolves when every batch is staged; throws what one of them threw. */
  settle(): Promise<void>
}

/** Postgres answers for one batch while Node reads the next; more would only fill memory. */
const underWayMax = 2
/** People looked up by one statement. A larger batch is cut, so that the event loop is free in between. */
export const chunkMax = 1_000

/** Stage for this claim, after the `pages` that it has adopted. */
export function createStager(db: Db, reading: Reading, pages: number): Stager {
  const underWay: Promise<void>[] = []
  let page = pages
  const next = async () => {
    await underWay.shift()
  }
  return {
    async write(batch) {
      for (let from = 0; from === 0 || from < batch.accounts.length; from += chunkMax) {
        const accounts = batch.accounts.slice(from, from + chunkMax)
        // The cursor goes on after the whole batch: a chunk before the last is of use only together with it.
        const cursor = from + chunkMax < batch.accounts.length ? null : batch.cursor
        page += 1
        while (underWay.length >= underWayMax) await next()
        const staging = stageChunk(db, reading, { accounts, cursor, problems: batch.problems, page })
        staging.catch(() => {})
        underWay.push(staging)
      }
    },
    pages: () => page,
    async settle() {
      const ended = await Promise.allSettled(underWay.splice(0))
      const failed = ended.find(one => one.status === 'rejected')
      if (failed) throw failed.reason
    },
  }
}

/** Note the page with whom it saw unchanged, and learn who is not; $2 and $3 are ids and their hashes. */
const probe = `
  with sent as materialized (
    select * from unnest($2::text::text[], $3::text::text[]) with ordinality as s(external_id, hash, at)),
  found as materialized (
    select s.at, a.seq, coalesce(a.hash = s.hash and a.gone_at is null, false) as same
    from sent s left join account a on a.instance_id = $1::uuid and a.external_id = s.external_id),
  noted as (
    insert into account_page (run_id, page, fence, written_by, generation, people, problems, staged, found, same, cursor, at)
    select $4::uuid, $5::int, $6::bigint, $6::bigint, $7::int, count(*), $8::int, count(*) filter (where not same),
      range_agg(int8range(seq, seq + 1)) filter (where seq is not null),
      (select range_agg(int8range(seq, seq + 1)) from found where same and exists (select 1 from found where not same)),
      $9::text::jsonb, now() from found)
  select string_agg(at::text, ',' order by at) as places, string_agg(coalesce(seq::text, ''), ',' order by at) as seqs
  from found where not same`

async function stageChunk(
  db: Db,
  reading: Reading,
  { accounts, page, problems, cursor }: Batch & { page: number },
): Promise<void> {
  const hashes = accounts.map(hashOf)
  const rows = await db.pages.unsafe<{ places: string | null; seqs: string }[]>(
    probe,
    [
      ...[reading.instanceId, arrayText(accounts.map(account => account.externalId)), arrayText(hashes)],
      ...[reading.runId, page, reading.fence, reading.generation, problems],
      cursor && JSON.stringify(cursor),
    ],
    { prepare: true },
  )
  const { places, seqs } = one(rows, 'an aggregate returns a row')
  if (places === null) return
  const known = seqs.split(',')
  const lines = places.split(',').map((place, at) => {
    const account = accounts[Number(place) - 1]
    assert(account, 'a place is one that was sent')
    return `${reading.runId}\t${reading.fence}\t${page}\t${known[at] || '\\N'}\t${cellsOf(account)}\n`
  })
  await copyRows(db.pages, `account_staging (run_id, fence, page, seq, ${personColumns})`, lines.join(''))
}
