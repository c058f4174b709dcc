// COPY: rows into a table, in one statement that takes all of them or none.
import { finished } from 'node:stream/promises'
import type { Sql } from 'postgres'

/** A COPY under way: its connection answers nothing else before it has ended. */
export interface Copy {
  /** Send rows, or a part of them; resolves when they are handed to the network. Throws what Postgres has said of earlier ones. */
  write(rows: string | Uint8Array): Promise<void>
  /** Resolves when all rows are in. What the connection is asked from here on goes out behind them. */
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

/** Begin a COPY into a table with its columns, in the text or the binary format. Throws what Postgres says. */
export async function openCopy(sql: Sql, into: string, format: 'text' | 'binary' = 'text'): Promise<Copy> {
  const query = sql.unsafe(`copy ${into} from stdin (format ${format})`)
  // postgres.js tells nobody of an error after the last row (a constraint, a full disk, a lost connection): it is caught here.
  const refused = new Promise<never>((_, reject) => {
    Object.assign(query, { reject })
  })
  refused.catch(() => {})
  const rows = await Promise.race([query.writable(), refused])
  rows.on('error', () => {})
  // postgres.js says that the COPY failed after one that has ended, too: the next one on the connection would hear it.
  const fail = rows._destroy.bind(rows)
  rows._destroy = (error, heard) => (error ? fail(error, heard) : heard())
  const done = finished(rows)
  done.catch(() => {})
  return {
    async write(some) {
      const written = new Promise<void>((resolve, reject) => {
        rows.write(some, error => (error ? reject(error) : resolve()))
      })
      await Promise.race([written, done, refused])
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
