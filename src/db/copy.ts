// COPY: rows as text into a table, in one statement that takes all of them or none.
import { finished } from 'node:stream/promises'
import type { Sql } from 'postgres'

/** `into` is a table with its columns, `text` rows in COPY's text format. Throws what Postgres says. */
export async function copyRows(sql: Sql, into: string, text: string): Promise<void> {
  const query = sql.unsafe(`copy ${into} from stdin`)
  // postgres.js tells nobody of an error after the last row (a constraint, a full disk, a lost connection): it is caught here.
  const refused = new Promise<never>((_, reject) => {
    Object.assign(query, { reject })
  })
  refused.catch(() => {})
  const copy = await Promise.race([query.writable(), refused])
  const done = finished(copy)
  done.catch(() => {})
  copy.end(text)
  await Promise.race([done, refused])
}
