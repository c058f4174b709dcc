// The probe: whom of a page Postgres finds as they are listed, noted with the page in one statement; the others are to be staged.
import type { Cursor } from '../connectors/engine.ts'
import type { Db } from '../db/db.ts'
import { one } from '../lib/assert.ts'
import type { Memory } from './memory.ts'
import { arrayText, cellsOf } from './row.ts'
import type { Reading } from './stage.ts'

/** People of a run, to be noted together. */
export interface Page {
  people: number
  /** Those known again: sets of `seq` without their braces. */
  known: string[]
  /** Those to be asked about. */
  unknown: Unknown[]
  problems: number
  /** Null where a chunk goes on after it. */
  cursor: Cursor | null
}

/** The people of a chunk as they wait for their answer: their accounts are not held on to. */
export interface Unknown {
  ids: string[]
  texts: string[]
  /** Of all of them, and of each. */
  digest: string
  hashes: string[]
}

/** Note the page with whom it saw unchanged, and learn who is not; $2 and $3 are ids and their hashes, $10 those known again. */
const probe = `
  with found as materialized (
    select s.at, a.seq, coalesce(a.hash = s.hash and a.gone_at is null, false) as same
    from unnest($2::text::text[], $3::text::text[]) with ordinality as s(external_id, hash, at)
    left join account a on a.instance_id = $1::uuid and a.external_id = s.external_id),
  sums as materialized (
    select count(*) filter (where not same) as staged,
      count(distinct seq) as known, min(seq) as first, max(seq) as last from found),
  noted as (
    insert into account_page (run_id, page, fence, written_by, generation, people, problems, staged, found, same, cursor, at)
    select $4::uuid, $5::int, $6::bigint, $6::bigint, $7::int, $11::int, $8::int, staged,
      $10::text::int8multirange + case when last - first + 1 = known then int8multirange(int8range(first, last + 1))
        else coalesce((select range_agg(int8range(seq, seq + 1)) from found where seq is not null), '{}') end,
      case when staged > 0 then $10::text::int8multirange
        + coalesce((select range_agg(int8range(seq, seq + 1)) from found where same), '{}') end,
      $9::text::jsonb, now() from sums)
  select string_agg(at::text, ',' order by at) filter (where not same) as places,
    string_agg(coalesce(seq::text, ''), ',' order by at) as seqs
  from found`

/** The rows that this page has for the staging, in COPY's text format; chunks that are as they are stored are learned. */
export async function probeFor(
  db: Db,
  reading: Reading,
  memory: Memory,
  { page, people, known, unknown, problems, cursor }: Page & { page: number },
): Promise<string[]> {
  const ids = unknown.flatMap(chunk => chunk.ids)
  const hashes = unknown.flatMap(chunk => chunk.hashes)
  const rows = await db.pages.unsafe<{ places: string | null; seqs: string | null }[]>(
    probe,
    [
      ...[reading.instanceId, arrayText(ids), arrayText(hashes)],
      ...[reading.runId, page, reading.fence, reading.generation, problems],
      ...[cursor && JSON.stringify(cursor), `{${known.join(',')}}`, people],
    ],
    { prepare: true },
  )
  const { places, seqs } = one(rows, 'an aggregate returns a row')
  const seqOf = seqs?.split(',') ?? []
  // In order, as the people are.
  const differs = places?.split(',') ?? []
  const lines: string[] = []
  let [from, next] = [0, 0]
  for (const { ids, texts, hashes, digest } of unknown) {
    const end = from + ids.length
    const first = next
    let fresh = false
    for (let place = Number(differs[next]) - 1; place < end; place = Number(differs[next]) - 1) {
      const at = place - from
      const seq = seqOf[place]
      if (!seq) fresh = true
      const cells = cellsOf(ids[at] ?? '', texts[at] ?? '', hashes[at])
      lines.push(`${reading.runId}\t${reading.fence}\t${page}\t${seq || '\\N'}\t${cells}\n`)
      next += 1
    }
    // Where somebody new will be is not known before the merge.
    if (!fresh) memory.learn(digest, rangesOf(seqOf, from, end), next === first ? 'same' : 'changed')
    from = end
  }
  return lines
}

/** These numbers as a multirange without its braces, from one place to before another. */
function rangesOf(seqs: readonly string[], from: number, to: number): string {
  let ranges = ''
  let first = Number(seqs[from])
  let last = first
  for (let at = from + 1; at < to; at += 1) {
    const seq = Number(seqs[at])
    if (seq !== last + 1) {
      ranges += `[${first},${last + 1}),`
      first = seq
    }
    last = seq
  }
  return `${ranges}[${first},${last + 1})`
}
