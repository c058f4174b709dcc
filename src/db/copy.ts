// COPY: rows as text into a table, in one statement that takes all of them or none.
import { once } from 'node:events'
import { finished } from 'node:stream/promises'
import type { Sql } from 'postgres'

/** A COPY under way: its connection answers nothing else before it has ended. */
export interface Copy {
  /** Send rows in COPY's text format; resolves when the connection takes more. Throws what Postgres has said of earlier ones. */
  write(text: string): Promise<void>
  /** Resolves when all rows are in. */
  end(): Promise<void>
  /** Take nothing of it, unless it has ended; throws nothing. */
  cancel(): Promise<void>
}

/** `into` is a table with its columns, `text` rows in COPY's text format. Throws what Postgres says. */
export async function copyRows(sql: Sql, into: string, text: string): Promise<void> {
  const copy = await openCopy(sql, into)
  copy.write(text).catch(() => {})
  await copy.end()
}

/** Begin a COPY into a table with its columns. Throws what Postgres says. */
export async function openCopy(sql: Sql, into: string): Promise<Copy> {
  const query = sql.unsafe(`copy ${into} from stdin`)
  // postgres.js tells nobody of an error after the last row (a constraint, a full disk, a lost connection): it is caught here.
  const refused = new Promise<never>((_, reject) => {
    Object.assign(query, { reject })
  })
  refused.catch(() => {})
  const rows = await Promise.race([query.writable(), refused])
  rows.on('error', () => {})
  const done = finished(rows)
  done.catch(() => {})
  return {
    async write(text) {
      if (rows.write(text)) return
      await Promise.race([once(rows, 'drain'), done, refused])
    },
    async end() {
      rows.end()
      await Promise.race([done, refused])
    },
    async cancel() {
      if (rows.writableEnded || rows.destroyed) return
      rows.destroy(new Error('The rows are not wanted any more'))
      await Promise.race([done, refused]).catch(() => {})
    },
  }
}
