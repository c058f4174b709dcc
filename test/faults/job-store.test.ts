// The job store is emptied again and again, and it is gone for a minute: no work is lost, nothing is told twice, gestures answer.
import { randomBytes } from 'node:crypto'
import { setTimeout as wait } from 'node:timers/promises'
import { MongoClient } from 'mongodb'
import { expect, test, vi } from 'vitest'
import { testDatabase } from '../support/postgres.ts'
import { startProxy } from './proxy.ts'
import { removalOf } from './scenes.ts'
import { ask, freePort, recoveryMs, type Stage, stageOn } from './stage.ts'

const lastsMs = 60_000
const table = 'agenda_jobs'
/** How a connection to the job store introduces itself to Postgres. */
const jobStoreName = 'saasm-jobs'
const mongo = process.env.SAASM_TEST_MONGODB_URI

test.concurrent('the job store is emptied every 2 s for 60 s under load: all work is done, and told once', async () => {
  const database = await testDatabase()
  const store = mongo ? ownMongo(mongo) : undefined
  const stage = await stageOn(database.url, store ? { env: { MONGODB_URI: store.url } } : {})
  try {
    await Promise.all([stage.worker(), stage.worker()])
    let emptied = 0
    const load = loadOn(stage)
    for (const until = Date.now() + lastsMs; Date.now() < until; await wait(2_000)) {
      if (store) await store.empty()
      else await stage.rows(`truncate ${table}`)
      emptied += 1
      await load.more()
    }
    await stage.quiet(recoveryMs)
    expect(emptied).toBeGreaterThan(8)
    await load.expectDone()
    await stage.expectSound()
  } finally {
    await stage.close()
    await store?.drop()
    await database.drop()
  }
})

test.concurrent('the job store is gone for a minute: gestures answer, work goes on by the rows, and nothing is told twice', async () => {
  const database = await testDatabase()
  const store = mongo ? ownMongo(mongo) : undefined
  const there = store ? store.url : database.url
  const proxy = await startProxy({ port: Number(new URL(there).port) })
  const stage = await stageOn(
    database.url,
    store ? { env: { MONGODB_URI: proxy.through(store.url) } } : { workerUrl: proxy.through(database.url) },
  )
  try {
    const workers = await Promise.all([stage.worker(), stage.worker()])
    const [chat] = workers
    stage.sandbox.connectTo(chat?.url ?? '')
    const asked = await stage.instance(stage.vendor(30), 'okta-asked')
    const load = loadOn(stage)
    proxy.set({ kind: 'reset' }, store ? undefined : jobStoreName)
    const backAt = Date.now() + lastsMs
    expect(
      await stage.sandbox.slack.as('U0ADA').command(stage.sandbox.settings.channel, '/saasm sync okta-asked'),
    ).toEqual({ ok: true })
    await vi.waitFor(async () => expect(await ask(`${chat?.url}/readyz`)).toBe('503 waiting for job store'), {
      timeout: 20_000,
      interval: 500,
    })
    while (Date.now() < backAt) {
      await load.more()
      await wait(2_000)
    }
    expect(await stage.users(asked.id), 'work goes on without the job store').toHaveLength(30)
    proxy.set({ kind: 'pass' })
    await stage.quiet(recoveryMs)
    await load.expectDone()
    for (const worker of workers)
      await vi.waitFor(async () => expect(await ask(`${worker.url}/readyz`)).toBe('200 ready'), {
        timeout: 20_000,
      })
    await stage.expectSound()
  } finally {
    await stage.close()
    await proxy.stop()
    await store?.drop()
    await database.drop()
  }
})

test.concurrent('a job store that is down at the start is waited for, /readyz says so, and work is done once it is there', async () => {
  const database = await testDatabase()
  const store = mongo ? ownMongo(mongo) : undefined
  const proxy = await startProxy({ port: Number(new URL(store ? store.url : database.url).port) })
  const stage = await stageOn(
    database.url,
    store ? { env: { MONGODB_URI: proxy.through(store.url) } } : { workerUrl: proxy.through(database.url) },
  )
  try {
    proxy.set({ kind: 'reset' }, store ? undefined : jobStoreName)
    const port = await freePort()
    const instance = await stage.instance(stage.vendor(30))
    await stage.ask(instance.id)
    await stage.worker({ PORT: String(port) }, false)
    const health = (path: string) => ask(`http://127.0.0.1:${port}/${path}`)
    await vi.waitFor(async () => expect(await health('readyz')).toBe('503 waiting for job store'), {
      timeout: 30_000,
    })
    expect(await health('healthz')).toBe('200 alive')
    proxy.set({ kind: 'pass' })
    await vi.waitFor(async () => expect(await health('readyz')).toBe('200 ready'), { timeout: 30_000 })
    await stage.quiet(recoveryMs)
    expect(await stage.users(instance.id)).toHaveLength(30)
    expect(stage.told(instance.name)).toBe(1)
    await stage.expectSound()
  } finally {
    await stage.close()
    await proxy.stop()
    await store?.drop()
    await database.drop()
  }
})

/** Work that comes piece by piece: a run, a removal, or an instance that is due. */
function loadOn(stage: Stage) {
  const synced: { id: string; name: string }[] = []
  const removed: { id: string; name: string }[] = []
  return {
    async more() {
      const instance = await stage.instance(stage.vendor(30))
      if ((synced.length + removed.length) % 3 === 2) {
        removed.push(instance)
        return removalOf(stage, instance, 1_500)
      }
      synced.push(instance)
      await stage.ask(instance.id)
    },
    async expectDone() {
      expect(synced.length).toBeGreaterThan(5)
      for (const { id, name } of synced) {
        expect(await stage.users(id), name).toHaveLength(30)
        expect(stage.told(name), name).toBe(1)
        expect(stage.mailed(name), name).toBe(1)
      }
      for (const { id, name } of removed) {
        expect(await stage.users(id), name).toHaveLength(0)
        expect(stage.told(`${name} was deleted`), name).toBe(1)
        expect(stage.mailed(name), name).toBe(1)
      }
      expect(await stage.rows("select state from sync_run where state <> 'succeeded'")).toEqual([])
    },
  }
}

/** A MongoDB database of this test's own. */
function ownMongo(base: string) {
  const url = new URL(base)
  url.pathname = `/f_${randomBytes(6).toString('hex')}`
  const client = new MongoClient(url.href)
  return {
    url: url.href,
    empty: async () => void (await client.db().collection(table).deleteMany({})),
    async drop() {
      await client.db().dropDatabase()
      await client.close()
    },
  }
}
