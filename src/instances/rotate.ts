// Rotation of the sealing keys: every sealed text that another key than the first one made is sealed anew, while saasm runs.
import { and, asc, gt, isNotNull, sql } from 'drizzle-orm'
import type { Conn } from '../db/db.ts'
import { count } from '../lib/text.ts'
import { placeOf } from './credentials.ts'
import { KeyMissing, type Seal, SealBroken } from './seal.ts'
import { replaceSealed } from './store.ts'
import { instanceTable } from './table.ts'

export interface Rotation {
  resealed: number
  /** Sealed by the first key already. */
  kept: number
  /** Instances that no key given opens: left as they are. At most `unopenedMax`. */
  unopened: { id: string; name: string; teamId: string; why: string }[]
  /** How many there are in all. */
  unopenedCount: number
  /** How many texts each key opens now, by key id: what a look at all rows at the end found. */
  left: Record<string, number>
}

const batch = 100
const unopenedMax = 100
/** Somebody may seal with an older key while we work: after this many passes they still do. */
const passesMax = 5

/**
 * Seal anew with the seal's first key, in batches by id. A row is written only if it still holds the text that was opened:
 * an edit, a rotated token or a second rotation at the same time wins, and is looked at again in the next pass.
 */
export async function rotateKeys(conn: Conn, seal: Seal): Promise<Rotation> {
  const [first = ''] = seal.keyIds
  let resealed = 0
  let unopened = new Map<string, Rotation['unopened'][number]>()
  for (let pass = 1; pass <= passesMax; pass += 1) {
    let lost = 0
    unopened = new Map()
    for (let after: string | undefined; ; ) {
      const rows = await notSealedBy(conn, first, after)
      for (const row of rows) {
        const opened = openOr(seal, row)
        if (opened.why !== undefined)
          unopened.set(row.id, { id: row.id, name: row.name, teamId: row.teamId, why: opened.why })
        else if (await replaceSealed(conn, row, seal.seal(opened.secret, placeOf(row)))) resealed += 1
        else lost += 1
      }
      after = rows.at(-1)?.id
      if (rows.length < batch) break
    }
    if (lost === 0) break
  }
  const left = await keysLeft(conn)
  return {
    resealed,
    kept: Math.max(0, (left[first] ?? 0) - resealed),
    unopened: [...unopened.values()].slice(0, unopenedMax),
    unopenedCount: unopened.size,
    left,
  }
}

/** The next batch of rows that another key than this one sealed, by id. */
async function notSealedBy(conn: Conn, keyId: string, after: string | undefined) {
  const { id, teamId, name, sealed } = instanceTable
  const rows = await conn
    .select({ id, teamId, name, sealed })
    .from(instanceTable)
    .where(
      and(
        isNotNull(sealed),
        sql`split_part(${sealed}, '.', 2) <> ${keyId}`,
        after === undefined ? undefined : gt(id, after),
      ),
    )
    .orderBy(asc(id))
    .limit(batch)
  return rows.map(row => ({ ...row, sealed: row.sealed ?? '' }))
}

function openOr(seal: Seal, row: { id: string; teamId: string; sealed: string }) {
  try {
    return { secret: seal.open(row.sealed, placeOf(row)) }
  } catch (error) {
    if (error instanceof KeyMissing) return { why: `needs key ${error.keyId}` }
    if (error instanceof SealBroken) return { why: 'was altered: give its credentials anew' }
    throw error
  }
}

/** The data check: how many sealed texts there are of each key, deleted instances included. */
async function keysLeft(conn: Conn): Promise<Record<string, number>> {
  const rows = await conn.execute<{ key: string; n: number }>(
    sql`select split_part(sealed, '.', 2) as key, count(*)::int as n from ${instanceTable} where sealed is not null group by 1`,
  )
  return Object.fromEntries(rows.map(({ key, n }) => [key, n]))
}

/** What was done and what may be taken out of SAASM_SECRET_KEY, for a person; `ok` false: a key is missing or still needed. */
export function rotationReport(seal: Seal, done: Rotation): { ok: boolean; text: string } {
  const [first = '', ...older] = seal.keyIds
  const free = older.filter(id => !done.left[id])
  const busy = older.filter(id => done.left[id])
  const unopened = done.unopened.map(one => `  ${one.name} (${one.id}, team ${one.teamId}) ${one.why}`)
  const more = done.unopenedCount - done.unopened.length
  const lines = [
    `${count(done.resealed, 'instance was', 'instances were')} sealed anew with key ${first}; ${done.kept} had been already.`,
    ...free.map(id => `Key ${id} seals nothing any more: take it out of SAASM_SECRET_KEY and restart.`),
    ...busy.map(
      id =>
        `Key ${id} is needed still (${count(done.left[id] ?? 0, 'instance', 'instances')}): keep it. Restart every process with key ${first} first in SAASM_SECRET_KEY, then run this again.`,
    ),
    ...(done.unopenedCount > 0
      ? [
          `${count(done.unopenedCount, 'instance', 'instances')} could not be opened and ${done.unopenedCount === 1 ? 'was' : 'were'} left as they are:`,
          ...unopened,
          ...(more > 0 ? [`  and ${more} more`] : []),
          'Put the missing keys back into SAASM_SECRET_KEY, after the first, and run this again.',
        ]
      : []),
  ]
  return { ok: busy.length === 0 && done.unopenedCount === 0, text: lines.join('\n') }
}
