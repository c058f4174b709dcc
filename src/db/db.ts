// Postgres: the connection pool, transactions with afterCommit, and the types every store takes.
import { connect } from 'node:net'
import type { ExtractTablesWithRelations } from 'drizzle-orm'
import type { PgDatabase } from 'drizzle-orm/pg-core'
import { drizzle, type PostgresJsQueryResultHKT } from 'drizzle-orm/postgres-js'
import postgres from 'postgres'

type NoSchema = Record<string, never>

/** What a store reads and writes through: the pool or a transaction. */
export type Conn = PgDatabase<PostgresJsQueryResultHKT, NoSchema, ExtractTablesWithRelations<NoSchema>>

/** A transaction. What `afterCommit` is given runs once the commit is known to have happened, never after a rollback. */
export interface Tx extends Conn {
  afterCommit(ring: () => void): void
}

export interface Db {
  /** Reads, and single statements that need no transaction. */
  readonly conn: Conn
  /** The raw client: only accounts/stage uses it beside this room (COPY). */
  readonly sql: postgres.Sql
  /** Run `work` in one transaction; it commits when `work` resolves and rolls back when it throws. */
  transaction<T>(work: (tx: Tx) => Promise<T>): Promise<T>
  /** Close the pool, waiting at most `timeoutSeconds` for queries under way. */
  close(timeoutSeconds?: number): Promise<void>
}

/** Open a pool on `url`. No query runs longer than `statementTimeoutMs` (default 60 s; a merge sets its own). */
export function openDb(
  url: string,
  options: { connectionsMax?: number; statementTimeoutMs?: number } = {},
): Db {
  const address = new URL(url)
  const sql = postgres(url, {
    max: options.connectionsMax ?? 10,
    connect_timeout: 10,
    idle_timeout: 60,
    onnotice: () => {},
    connection: { application_name: 'saasm', statement_timeout: options.statementTimeoutMs ?? 60_000 },
    // postgres.js leaves Nagle's algorithm on, which made COPY four times slower when measured.
    ...(address.searchParams.has('sslmode') ? {} : { socket: () => openSocket(address) }),
  } as postgres.Options<Record<string, never>>)
  const conn = drizzle(sql) as Conn
  return {
    conn,
    sql,
    async transaction(work) {
      const rings: (() => void)[] = []
      const result = await conn.transaction(tx =>
        work(Object.assign(tx, { afterCommit: (ring: () => void) => void rings.push(ring) })),
      )
      for (const ring of rings) ring()
      return result
    },
    close: timeoutSeconds => sql.end({ timeout: timeoutSeconds ?? 5 }),
  }
}

function openSocket(address: URL) {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: address.hostname, port: Number(address.port || 5432) })
    socket.setNoDelay(true)
    socket.setKeepAlive(true, 30_000)
    socket.setTimeout(10_000, () => socket.destroy(new Error('Postgres did not answer in 10 s')))
    socket.once('error', reject)
    socket.once('connect', () => {
      socket.setTimeout(0)
      socket.off('error', reject)
      resolve(socket)
    })
  })
}

/** Postgres says 23505; drizzle wraps it. */
export function isUniqueViolation(error: unknown): boolean {
  const thrown = (error ?? {}) as { cause?: { code?: string }; code?: string }
  return thrown.code === '23505' || thrown.cause?.code === '23505'
}
