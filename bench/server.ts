// A Postgres of the benchmark's own, and what it costs: CPU of all its processes, and the WAL it wrote.
import { readdirSync, readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import postgres from 'postgres'
import { startEmbedded } from '../src/db/embedded.ts'
import { migrate } from '../src/db/migrate.ts'

export interface Server {
  readonly url: string
  readonly sql: postgres.Sql
  /** CPU seconds of the server and all of its processes so far, ended ones too. */
  cpuSeconds(): number
  /** Bytes of WAL written so far. */
  walBytes(): Promise<number>
  stop(): Promise<void>
}

/** Linux counts CPU time in hundredths of a second. */
const ticksPerSecond = 100

/**
 * Start it, migrated. It keeps what it says it commits (fsync and synchronous_commit are on). Checkpoints and autovacuum
 * are off, since they would hit one design and miss the next.
 */
export async function startServer(): Promise<Server> {
  const folder = await mkdtemp(join(tmpdir(), 'saasm-bench-'))
  const embedded = await startEmbedded(folder)
  await migrate(embedded.url, 'drizzle/migrations')
  const sql = postgres(embedded.url, { max: 2, onnotice: () => {} })
  for (const setting of ["max_wal_size = '40GB'", "checkpoint_timeout = '1d'", 'autovacuum = off'])
    await sql.unsafe(`alter system set ${setting}`)
  await sql`select pg_reload_conf()`
  const pid = Number(readFileSync(join(folder, 'data', 'postmaster.pid'), 'utf8').split('\n')[0])
  return {
    url: embedded.url,
    sql,
    cpuSeconds: () => cpuOf(pid),
    async walBytes() {
      const rows = await sql<{ n: string }[]>`select pg_current_wal_insert_lsn() - '0/0'::pg_lsn as n`
      return Number(rows[0]?.n)
    },
    async stop() {
      await sql.end()
      await embedded.stop()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** The postmaster's own time, that of its children which have ended, and that of those which live. */
function cpuOf(postmaster: number): number {
  let ticks = 0
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue
    const fields = statOf(name)
    if (!fields) continue
    const [parent, own, ended] = [fields[1], sum(fields, 11, 12), sum(fields, 13, 14)]
    if (Number(name) === postmaster) ticks += own + ended
    else if (Number(parent) === postmaster) ticks += own + ended
  }
  return ticks / ticksPerSecond
}

/** The fields of /proc/PID/stat after the command's name, which may hold spaces. */
function statOf(pid: string): string[] | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return text.slice(text.lastIndexOf(')') + 2).split(' ')
  } catch {
    return undefined
  }
}

function sum(fields: readonly string[], ...places: number[]): number {
  return places.reduce((total, place) => total + Number(fields[place] ?? 0), 0)
}
