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

/** Rows sent at once: a COPY costs as much as the rows of many a page that hardly changed. */
const rowsAtOnce = 500
/** Rows wait for more of them no longer than this: what a process that is killed takes with it is read again. */
const rowsWaitMs = 1_000

/** Stage for this claim, after the `pages` that it has adopted. A page is whole, and can be gone on after, once its rows are in. */
export function createStager(db: Db, reading: Reading, pages: number): Stager {
  const underWay: Promise<void>[] = []
  let page = pages
  let lines: string[] = []
  let late: NodeJS.Timeout | undefined
  const next = async () => {
    await underWay.shift()
  }
  const begin = (work: Promise<void>) => {
    work.catch(() => {})
    underWay.push(work)
  }
  const send = async () => {
    clearTimeout(late)
    late = undefined
    const rows = lines.join('')
    lines = []
    if (rows !== '')
      await copyRows(db.pages, `account_staging (run_id, fence, page, seq, ${personColumns})`, rows)
  }
  const stageChunk = async (chunk: Batch & { page: number }) => {
    for (const line of await probeFor(db, reading, chunk)) lines.push(line)
    if (lines.length >= rowsAtOnce) await send()
    else if (lines.length > 0) late ??= setTimeout(() => begin(send()), rowsWaitMs)
  }
  return {
    async write(batch) {
      for (let from = 0; from === 0 || from < batch.accounts.length; from += chunkMax) {
        const accounts = batch.accounts.slice(from, from + chunkMax)
        // The cursor goes on after the whole batch: a chunk before the last is of use only together with it.
        const cursor = from + chunkMax < batch.accounts.length ? null : batch.cursor
        page += 1
        while (underWay.length >= underWayMax) await next()
        begin(stageChunk({ accounts, cursor, problems: batch.problems, page }))
      }
    },
    pages: () => page,
    async settle() {
      const ended: PromiseSettledResult<void>[] = []
      // More than once: rows that have waited long enough set out meanwhile.
      while (underWay.length > 0) ended.push(...(await Promise.allSettled(underWay.splice(0))))
      clearTimeout(late)
      late = undefined
      const failed = ended.find(one => one.status === 'rejected')
      if (failed) throw failed.reason
      await send()
    },
  }
}

/** Note the page with whom it saw unchanged, and learn who is not; $2 and $3 are ids and their hashes. */
const probe = `
  with found as materialized (
    select s.at, a.seq, coalesce(a.hash = s.hash and a.gone_at is null, false) as same
    from unnest($2::text::text[], $3::text::text[]) with ordinality as s(external_id, hash, at)
    left join account a on a.instance_id = $1::uuid and a.external_id = s.external_id),
  sums as materialized (
    select count(*) as people, count(*) filter (where not same) as staged,
      count(distinct seq) as known, min(seq) as first, max(seq) as last from found),
  noted as (
    insert into account_page (run_id, page, fence, written_by, generation, people, problems, staged, found, same, cursor, at)
    select $4::uuid, $5::int, $6::bigint, $6::bigint, $7::int, people, $8::int, staged,
      case when last - first + 1 = known then int8multirange(int8range(first, last + 1))
        else (select range_agg(int8range(seq, seq + 1)) from found where seq is not null) end,
      case when staged > 0 then (select range_agg(int8range(seq, seq + 1)) from found where same) end,
      $9::text::jsonb, now() from sums)
  select string_agg(at::text, ',' order by at) as places, string_agg(coalesce(seq::text, ''), ',' order by at) as seqs
  from found where not same`

/** The rows that this page has for the staging, in COPY's text format. */
async function probeFor(
  db: Db,
  reading: Reading,
  { accounts, page, problems, cursor }: Batch & { page: number },
): Promise<string[]> {
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
  if (places === null) return []
  const known = seqs.split(',')
  return places.split(',').map((place, at) => {
    const account = accounts[Number(place) - 1]
    assert(account, 'a place is one that was sent')
    return `${reading.runId}\t${reading.fence}\t${page}\t${known[at] || '\\N'}\t${cellsOf(account)}\n`
  })
}
