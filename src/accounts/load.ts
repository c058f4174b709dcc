// The first load of an instance that has nobody: straight into the final table, seen by nobody before its transaction commits.
import { sql } from 'drizzle-orm'
import type { Cursor } from '../connectors/engine.ts'
import { createBinaryRows } from '../db/binary.ts'
import { createCopies } from '../db/copies.ts'
import { type Conn, checkByOnePlan, type Tx } from '../db/db.ts'
import { one } from '../lib/assert.ts'
import { bytesOf } from '../lib/ids.ts'
import { type Chunk, chunkOf, createCutter, digestOfChunk } from './chunks.ts'
import type { Memory } from './memory.ts'
import { digestOf, personCells, personColumns, writeCells } from './row.ts'
import type { Listed, Reading } from './stage.ts'

export interface Load {
  /** Postgres takes people; until then they only fill memory, within a bound. Throws as `write` does. */
  opened(): Promise<void>
  /** Begin to write a batch; resolves when the one before it is on its way. Throws what Postgres says of earlier ones, 23505 for somebody listed twice. */
  write(listed: Listed): Promise<void>
  /** Everything is in: how many. The transaction can be used for something else from here on. Throws as `write` does. */
  end(): Promise<number>
  /** Nothing more comes, and the transaction is rolled back: nothing else is heard on its connection while it waits for rows. */
  cancel(): Promise<void>
  /** Take everybody out again and into staging, as one page of the run, so that the load can go on there after this transaction. */
  demote(last: { problems: number; cursor: Cursor | null }): Promise<void>
}

/** Rows handed on at once, in bytes: what fits into a buffer of theirs. */
const bytesAtOnce = 100_000
/**
 * A load numbers its people itself, upwards from here, so that it knows where each of them is: an instance has at most one
 * load that is left, and everybody who comes later has a number of the sequence, which begins at 1.
 */
const firstSeq = -1_000_000_000

/** Names the connection of a load in Postgres, at most 63 bytes. */
const nameOf = (runId: string) => `saasm load ${runId}`

/** End what an earlier claim of the run may still hold open: its uncommitted people would keep ours waiting. */
export async function endOlderLoads(conn: Conn, runId: string): Promise<void> {
  await conn.execute(sql`
    select pg_terminate_backend(pid, 5000) from pg_stat_activity
    where application_name = ${nameOf(runId)} and usename = current_user and pid <> pg_backend_pid()`)
}

/** Load in this transaction, whose rollback takes everybody out again. Chunks are learned as they are written. */
export async function beginLoad(
  tx: Tx,
  reading: Reading,
  { now, memory }: { now: Date; memory: Memory },
): Promise<Load> {
  await tx.execute(
    sql`select set_config('application_name', ${nameOf(reading.runId)}, true), ${checkByOnePlan}`,
  )
  const into = `account (instance_id, seq, ${personColumns}, first_seen_at)`
  const cutter = createCutter()
  const rows = createBinaryRows()
  const copies = createCopies(tx.sql, into, rows)
  const instanceId = bytesOf(reading.instanceId)
  let seq = firstSeq
  const take = ({ accounts, texts }: Chunk, digest: string) => {
    const first = seq
    for (const account of accounts) {
      rows.row(personCells + 3)
      rows.raw(instanceId)
      rows.bigint(seq)
      writeCells(rows, account, digestOf(texts[seq - first] ?? ''))
      rows.moment(now)
      seq += 1
    }
    memory.learn(digest, `[${first},${seq})`, 'same')
  }
  const takeCut = (chunk: Chunk | undefined) => {
    if (chunk) take(chunk, digestOfChunk(chunk))
  }
  const end = async () => {
    takeCut(cutter.end())
    await copies.end()
  }
  return {
    opened: copies.opened,
    async write({ accounts, chunks }) {
      for (const account of accounts) {
        takeCut(cutter.push(account))
        if (rows.length >= bytesAtOnce) await copies.send()
      }
      for (const chunk of chunks) {
        // The instance has nobody, who could be known.
        if (chunk.known) throw new Error('Somebody is known where nobody is')
        take(chunkOf(chunk.accounts), chunk.digest)
        if (rows.length >= bytesAtOnce) await copies.send()
      }
      await copies.send()
    },
    async end() {
      await end()
      return seq - firstSeq
    },
    cancel: copies.cancel,
    async demote({ problems, cursor }) {
      await end()
      const { runId, fence, instanceId, generation } = reading
      const moved = await tx.execute<{ n: number }>(sql`
        with out as (
          delete from account where instance_id = ${instanceId} returning *),
        staged as (
          insert into account_staging (run_id, fence, page, seq, ${sql.raw(personColumns)})
          select ${runId}, ${fence}::bigint, 1, null, ${sql.raw(personColumns)} from out returning 1)
        select count(*)::int as n from staged`)
      const { n } = one(moved, 'a count returns a row')
      await tx.execute(sql`
        insert into account_page (run_id, page, fence, written_by, generation, people, problems, staged, cursor, at)
        values (${runId}, 1, ${fence}, ${fence}, ${generation}, ${n}, ${problems}, ${n}, ${cursor && JSON.stringify(cursor)}::jsonb, now())`)
    },
  }
}
