// The job store in Postgres as it is in companies: behind TLS by any certificate, and with rights that are not enough at first.
import { createServer, connect as dial, type Server, type Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openDb } from '../../src/db/db.ts'
import { makeJobTable } from '../../src/jobs/backend.ts'
import { createJobs, type Jobs } from '../../src/jobs/jobs.ts'
import { newId } from '../../src/lib/ids.ts'
import { type Log, silentLog } from '../../src/lib/log.ts'
import { key, selfSigned } from '../connectors/certificates.ts'
import { restrictedDatabase, type TestDatabase, testDatabase } from '../support/postgres.ts'

const soon = { timeout: 15_000, interval: 20 }
let database: TestDatabase
beforeAll(async () => {
  database = await testDatabase()
})
afterAll(() => database.drop())

function worker(url: string, log: Log = silentLog): Jobs {
  const nothing = async () => {}
  return createJobs({
    store: { kind: 'postgres', url },
    log,
    name: newId(),
    sweepEveryMs: 200,
    handlers: { sweep: nothing, sync: nothing, removal: nothing, deliver: nothing },
  })
}

/** A Postgres that speaks TLS only, by a certificate that signed itself: the server of the tests behind a door. */
async function behindTls(url: string): Promise<{ url: URL; server: Server; sockets: Set<Socket> }> {
  const real = new URL(url)
  const sockets = new Set<Socket>()
  const server = createServer(socket => {
    socket.on('error', () => socket.destroy())
    socket.once('data', () => {
      socket.write('S')
      const safe = new TLSSocket(socket, { isServer: true, cert: selfSigned, key })
      const to = dial(Number(real.port), real.hostname)
      for (const one of [safe, to]) {
        sockets.add(one)
        one.on('error', () => one.destroy())
        one.on('close', () => [safe, to].forEach(each => void each.destroy()))
      }
      safe.pipe(to).pipe(safe)
    })
  })
  await new Promise<void>(done => server.listen(0, '127.0.0.1', done))
  const address = server.address()
  const through = new URL(url)
  through.port = String(typeof address === 'object' && address?.port)
  return { url: through, server, sockets }
}

test('with sslmode=require a certificate that nobody has signed is taken by the job store as it is by the database', async () => {
  const { url, server, sockets } = await behindTls(database.url)
  url.searchParams.set('sslmode', 'require')
  const db = openDb(url.href)
  expect(await db.sql`select 1 as one`).toEqual([{ one: 1 }])
  const jobs = worker(url.href)
  await jobs.start()
  expect(await jobs.ready()).toBe(true)
  await jobs.stop(1_000)
  await db.close(1)
  for (const socket of sockets) socket.destroy()
  server.close()
})

test('a store that refuses is tried again over as many connections as before, and is there once it does not', async () => {
  const restricted = await restrictedDatabase()
  await makeJobTable(restricted.ownerUrl)
  const role = new URL(restricted.appUrl).username
  const { sql } = restricted.db
  await sql.unsafe(`revoke insert on agenda_jobs from ${role}`)
  const refused: string[] = []
  const jobs = worker(restricted.appUrl, { ...silentLog, warn: (_facts, said) => void refused.push(said) })
  await jobs.start()
  const open = async () => {
    const [row] = await sql`select count(*)::int as n from pg_stat_activity
      where application_name = 'saasm-jobs' and datname = current_database()`
    return Number(row?.n)
  }
  const first = refused.length
  await expect.poll(() => refused.length, soon).toBeGreaterThan(first + 2)
  expect(await open()).toBeLessThanOrEqual(4)
  await sql.unsafe(`grant insert on agenda_jobs to ${role}`)
  await expect.poll(() => jobs.ready(), soon).toBe(true)
  await jobs.stop(1_000)
  await expect.poll(open, soon).toBe(0)
  await restricted.drop()
}, 40_000)
