// Postgres: the connection pool, transactions with afterCommit, and the types every store takes.
import { type ExtractTablesWithRelations, sql } from 'drizzle-orm'
import type { PgDatabase } from 'drizzle-orm/pg-core'
import { drizzle, type PostgresJsQueryResultHKT } from 'drizzle-orm/postgres-js'
import postgres from 'postgres'
import { crashpoint } from '../lib/crashpoint.ts'
import { openSocket } from './socket.ts'

type NoSchema = Record<string, never>

/** What a store reads and writes through: the pool or a transaction. */
export type Conn = PgDatabase<PostgresJsQueryResultHKT, NoSchema, ExtractTablesWithRelations<NoSchema>>

/** A transaction. What `afterCommit` is given runs once the commit is known to have happened, never after a rollback. */
export interface Tx extends Conn {
  afterCommit(ring: () => void): void
  /** Its raw connection: only accounts/ uses it, for COPY. */
  readonly sql: postgres.Sql
}

export interface Db {
  /** Reads, and single statements that need no transaction. */
  readonly conn: Conn
  readonly sql: postgres.Sql
  /**
   * Connections for a run's pages, opened when first asked for. Only accounts/ uses them. Their plans do not depend on
   * statistics: they look people up by key, in tables that have grown a hundredfold since they were last analysed.
   */
  readonly pages: postgres.Sql
  /**
   * Run `work` in one transaction; it commits when `work` resolves and rolls back when it throws. `patient`: its statements
   * may take up to `patientStatementMs` (a merge), on a connection of a small pool of their own.
   */
  transaction<T>(work: (tx: Tx) => Promise<T>, options?: { patient?: boolean }): Promise<T>
  /** Close the pool, waiting at most `timeoutSeconds` for queries under way. */
  close(timeoutSeconds?: number): Promise<void>
}

const statementMs = 30_000
const patientStatementMs = 30 * 60_000
const patientConnectionsMax = 8
const pageConnectionsMax = 8
const byKeyAlways = {
  enable_seqscan: 'off',
  enable_hashjoin: 'off',
  enable_mergejoin: 'off',
  enable_material: 'off',
  enable_bitmapscan: 'off',
  plan_cache_mode: 'force_generic_plan',
}
/** Statements with more parameters are not kept prepared: a list makes as many texts as it has lengths, and each connection keeps them all. */
const preparedParametersMax = 50
/** A transaction that its client has left open holds locks: Postgres ends it after this. */
const idleInTransactionMs = 60_000
/** A connection on which nothing has moved this long after the longest statement is half-open: Postgres is not there any more. */
const quietBeyondMs = 10_000
/** Unused connections are closed, before their silence could be taken for a half-open one. */
const idleSeconds = 20

/** Open a pool on `url`. No statement runs longer than `statementTimeoutMs` (30 s unless told). */
export function openDb(
  url: string,
  options: { connectionsMax?: number; statementTimeoutMs?: number } = {},
): Db {
  const sql = openPool(url, options.connectionsMax ?? 10, options.statementTimeoutMs ?? statementMs)
  const conn = drizzle(preparing(sql)) as Conn
  let patient: { sql: postgres.Sql; conn: Conn } | undefined
  const patientConn = () => {
    if (!patient) {
      const pool = openPool(url, patientConnectionsMax, patientStatementMs)
      patient = { sql: pool, conn: drizzle(preparing(pool)) as Conn }
    }
    return patient.conn
  }
  let pages: postgres.Sql | undefined
  return {
    conn,
    sql,
    get pages() {
      pages ??= openPool(url, pageConnectionsMax, statementMs, byKeyAlways)
      return pages
    },
    async transaction(work, wanted = {}) {
      const rings: (() => void)[] = []
      const running = (wanted.patient ? patientConn() : conn).transaction(async tx => {
        const afterCommit = (ring: () => void) => void rings.push(ring)
        try {
          return await work(Object.assign(tx, { afterCommit, sql: rawOf(tx) }))
        } catch (error) {
          // A lost connection has ended the transaction already. postgres.js would send its rollback to nobody, and throw
          // where no one can catch it: then this never ends, and nobody waits for it.
          await new Promise(resolve => setImmediate(resolve))
          if (over) await new Promise(() => {})
          throw error
        }
      })
      let over = false
      running.catch(() => {
        over = true
      })
      const result = await running
      crashpoint('committed')
      for (const ring of rings) ring()
      return result
    },
    async close(timeoutSeconds = 5) {
      const pools = [sql, patient?.sql, pages]
      await Promise.all(pools.map(pool => pool?.end({ timeout: timeoutSeconds })))
    },
  }
}

/** The connection that a transaction of drizzle's runs on; drizzle keeps it in the session. */
function rawOf(tx: Conn): postgres.Sql {
  return (tx as unknown as { session: { client: postgres.Sql } }).session.client
}

/**
 * drizzle lets Postgres describe each statement before it sends the parameters: two round trips, and nothing else may follow
 * on the connection meanwhile. A statement that is prepared takes one, and those of a transaction that do not wait for each
 * other go out together.
 */
function preparing(sql: postgres.Sql): postgres.Sql {
  prepareIn(sql)
  const { begin } = sql
  sql.begin = ((work: (tx: postgres.TransactionSql) => unknown) =>
    begin(tx => {
      prepareIn(tx)
      return work(tx)
    })) as postgres.Sql['begin']
  return sql
}

function prepareIn(sql: Pick<postgres.Sql, 'unsafe'>): void {
  const { unsafe } = sql
  sql.unsafe = ((text: string, parameters: never[] = [], how: object = {}) =>
    unsafe(text, parameters, {
      ...how,
      // Whatever drizzle says: it asks for none.
      prepare: parameters.length <= preparedParametersMax,
    })) as postgres.Sql['unsafe']
}

function openPool(
  url: string,
  max: number,
  statementTimeoutMs: number,
  settings: Record<string, string> = {},
): postgres.Sql {
  const address = new URL(url)
  return postgres(url, {
    max,
    connect_timeout: 10,
    idle_timeout: idleSeconds,
    onnotice: () => {},
    connection: {
      application_name: 'saasm',
      statement_timeout: statementTimeoutMs,
      idle_in_transaction_session_timeout: idleInTransactionMs,
      // A client that is not there any more gives up its locks within two minutes, in the middle of a COPY too.
      tcp_keepalives_idle: 30,
      tcp_keepalives_interval: 10,
      tcp_keepalives_count: 6,
      // Compiling a merge takes longer than running it.
      jit: 'off',
      // A prepared statement is planned for what it is asked and for the tables as they are now, as one that is not would be.
      plan_cache_mode: 'force_custom_plan',
      ...settings,
    },
    // With TLS postgres.js opens the socket itself.
    ...(address.searchParams.has('sslmode')
      ? {}
      : { socket: () => openSocket(address, statementTimeoutMs + quietBeyondMs) }),
  } as postgres.Options<Record<string, never>>)
}

/**
 * In a transaction before, or in, a statement that writes many rows: the check of a foreign key is a prepared statement, too,
 * and planned anew for each row it made a first load take twice as long. `checkAnew` is what holds otherwise.
 */
export const checkByOnePlan = sql`set_config('plan_cache_mode', 'auto', true)`
export const checkAnew = sql`set_config('plan_cache_mode', 'force_custom_plan', true)`
/**
 * In a transaction whose statements read a few rows by a key and come again and again, however large the tables and whatever
 * their statistics: each keeps one plan, by index.
 */
export const byKeyAndOnePlan = sql`set_config('plan_cache_mode', 'force_generic_plan', true), set_config('enable_seqscan', 'off', true)`

/** Postgres says 23505; drizzle wraps it. */
export function isUniqueViolation(error: unknown): boolean {
  const thrown = (error ?? {}) as { cause?: { code?: string }; code?: string }
  return thrown.code === '23505' || thrown.cause?.code === '23505'
}

/** Postgres says 55P03: it was not waited for longer than `lock_timeout`. */
export function isLockTimeout(error: unknown): boolean {
  const thrown = (error ?? {}) as { cause?: { code?: string }; code?: string }
  return thrown.code === '55P03' || thrown.cause?.code === '55P03'
}

/**
 * Nobody listens, the name is unknown, the connection broke, the server is starting or stopping, or it takes no more
 * clients: waiting may help.
 */
const unreachable =
  /^(ECONN|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|ETIMEDOUT|EPIPE|CONNECT_TIMEOUT|CONNECTION_|57P0|08|53300|25P03)/

/** The job store's driver gives no code to a connection that ends under it, nor to one that is waited for too long. */
const codeless = /^(Connection terminated|timeout exceeded when trying to connect|Query read timeout)/

/** Is Postgres not there just now? drizzle wraps the driver's error. */
export function isUnreachable(error: unknown): boolean {
  const thrown = (error ?? {}) as { cause?: { code?: string }; code?: string; message?: string }
  if (codeless.test(thrown.message ?? '')) return true
  return unreachable.test(thrown.code ?? thrown.cause?.code ?? '')
}
