// The two official Agenda backends behind one shape: opened, watched for errors, asked whether they answer, closed.
import {
  getCreateIndexesSQL,
  getCreateTableSQL,
  getUpdateTimestampTriggerSQL,
  PostgresBackend,
} from '@agendajs/postgres-backend'
import type { AgendaBackend } from 'agenda'
import { Pool } from 'pg'
import type { Log } from '../lib/log.ts'

export interface JobStore {
  kind: 'postgres' | 'mongo'
  /** Address of the Postgres database, or of the MongoDB deployment with a database of its own in its path. */
  url: string
}

export interface OpenStore {
  readonly backend: AgendaBackend
  /** Resolves when the store answers; throws when it does not within `storeTimeoutMs`. */
  ping(): Promise<void>
  close(): Promise<void>
}

const storeTimeoutMs = 5_000
const connectionsMax = 4
const table = 'agenda_jobs'
/** The advisory lock under which the job table is made: two starts at once would race in the catalogue. */
const schemaLock = 7_215_002

/** Connect to the store and bring its schema up; throws when it does not answer. */
export async function openStore(store: JobStore, log: Log): Promise<OpenStore> {
  return store.kind === 'mongo' ? openMongo(store.url) : openPostgres(store.url, log)
}

async function openPostgres(url: string, log: Log): Promise<OpenStore> {
  const pool = new Pool({
    connectionString: addressOf(url),
    max: connectionsMax,
    connectionTimeoutMillis: storeTimeoutMs,
    query_timeout: 4 * storeTimeoutMs,
    keepAlive: true,
    application_name: 'saasm-jobs',
  })
  // Unheard, a lost connection would end the process.
  pool.on('error', error => log.warn({ reason: error.message }, 'The job store lost a connection'))
  try {
    if (await mayMake(pool)) await makeTable(pool)
  } catch (error) {
    await pool.end()
    throw error
  }
  const backend = new PostgresBackend({
    pool,
    tableName: table,
    channelName: 'saasm_jobs',
    ensureSchema: false,
  })
  const channel = backend.notificationChannel as
    | { on?(event: 'error', hear: (error: Error) => void): void }
    | undefined
  channel?.on?.('error', error => log.warn({ reason: error.message }, 'The job store lost its notifications'))
  return {
    backend,
    async ping() {
      await pool.query('select 1')
    },
    close: () => pool.end(),
  }
}

/** pg takes `require` for `verify-full`; here it means what it means to postgres.js and to Postgres's own tools. */
function addressOf(url: string): string {
  const address = new URL(url)
  if (!/^(require|prefer)$/.test(address.searchParams.get('sslmode') ?? '')) return url
  address.searchParams.set('uselibpqcompat', 'true')
  return address.href
}

/** Make the job table with a role that may, for workers whose own may not. */
export async function makeJobTable(url: string): Promise<void> {
  const pool = new Pool({ connectionString: addressOf(url), max: 1, connectionTimeoutMillis: storeTimeoutMs })
  pool.on('error', () => {})
  try {
    await makeTable(pool)
  } finally {
    await pool.end()
  }
}

/** False: this role makes nothing, and the table is there. Throws when it is not. */
async function mayMake(pool: Pool): Promise<boolean> {
  const { rows } = await pool.query<{ may: boolean; made: boolean }>(
    `select has_schema_privilege(current_schema(), 'create') as may, to_regclass('${table}') is not null as made`,
  )
  const { may = true, made = false } = rows[0] ?? {}
  if (!may && !made)
    throw new Error(
      'The job table is missing, and the role of DATABASE_URL may not make it: start once with DATABASE_MIGRATION_URL',
    )
  return may
}

async function makeTable(pool: Pool): Promise<void> {
  const client = await pool.connect()
  try {
    await client.query('begin')
    await client.query('select pg_advisory_xact_lock($1)', [schemaLock])
    await client.query(getCreateTableSQL(table))
    for (const statement of getCreateIndexesSQL(table)) await client.query(statement)
    await client.query(getUpdateTimestampTriggerSQL(table))
    await client.query('commit')
  } catch (error) {
    await client.query('rollback').catch(() => {})
    throw error
  } finally {
    client.release()
  }
}

async function openMongo(url: string): Promise<OpenStore> {
  // Loaded only where it is used: it takes a fifth of a start.
  const [{ MongoBackend }, { MongoClient }] = await Promise.all([
    import('@agendajs/mongo-backend'),
    import('mongodb'),
  ])
  const client = new MongoClient(url, {
    serverSelectionTimeoutMS: storeTimeoutMs,
    connectTimeoutMS: storeTimeoutMs,
    maxPoolSize: connectionsMax,
    appName: 'saasm',
  })
  await client.connect()
  // A database of saasm's own unless the address names one: Agenda's purge would reach other apps' jobs.
  const named = new URL(url.replace(/^mongodb(\+srv)?:/, 'http:')).pathname.length > 1
  const db = named ? client.db() : client.db('saasm')
  return {
    backend: new MongoBackend({ mongo: db, collection: table }),
    async ping() {
      await db.command({ ping: 1 }, { timeoutMS: storeTimeoutMs })
    },
    close: () => client.close(),
  }
}
