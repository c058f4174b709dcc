// Retention: what has been kept long enough goes, a bounded piece at a time, so that nobody waits for it.
import { purgeProblems } from '../accounts/forget.ts'
import { dropBodies, purgeTold } from '../announce/forget.ts'
import { purgeAudit } from '../audit/store.ts'
import type { Db } from '../db/db.ts'
import type { Clock } from '../lib/clock.ts'
import type { Log } from '../lib/log.ts'
import { purgeHistory } from '../sync/history.ts'

export interface Kept {
  /** Runs, removals, tellings and incidents that have ended, in days. */
  historyDays: number
  /** Audit rows, in days; at least `historyDays`, so that each telling keeps the change it tells of. */
  auditDays: number
}

/** A body can be asked for again while its key lives (24 h); a week is kept to look into what a person says they got. */
const bodyDays = 7
const dayMs = 86_400_000
/** Rows of a kind in one transaction, and pieces in one go: what is left goes next time. */
const pieceMax = 2_000
const piecesMax = 20
const everyMs = 3_600_000

/** Called with each sweep; does something once an hour. */
export function createRetention(
  house: { db: Db; clock: Clock; log: Log },
  kept: Kept,
): (signal: AbortSignal) => Promise<void> {
  let nextAt = 0
  return async signal => {
    const now = house.clock.now()
    if (now.getTime() < nextAt) return
    nextAt = now.getTime() + everyMs
    const { conn } = house.db
    const before = (days: number) => new Date(now.getTime() - days * dayMs)
    const kinds: Record<string, () => Promise<number>> = {
      bodies: () => dropBodies(conn, before(bodyDays), pieceMax),
      tellings: () => purgeTold(conn, before(kept.historyDays), pieceMax),
      runs: () => purgeHistory(conn, before(kept.historyDays), pieceMax),
      problems: () => purgeProblems(conn, pieceMax),
      audit: () => purgeAudit(conn, kept.auditDays, pieceMax),
    }
    for (const [what, purge] of Object.entries(kinds)) {
      let all = 0
      for (let piece = 0; piece < piecesMax && !signal.aborted; piece += 1) {
        const gone = await purge()
        all += gone
        if (gone < pieceMax) break
      }
      if (all > 0) house.log.info({ what, rows: all }, 'Kept long enough: gone')
    }
  }
}
