// Several processes on one Postgres, each with its part; and a start while Postgres is away.
import { expect, test, vi } from 'vitest'
import { testDatabase } from '../support/postgres.ts'
import { ownPostgres } from './own-postgres.ts'
import { ask, freePort, recoveryMs, stageOn } from './stage.ts'

/** A ring from another process is heard long before the next sweep (15 s). */
const rungMs = 10_000

test.concurrent('two processes for chat and two for work: gestures are answered by the first, runs are done by the others, each once', async () => {
  const database = await testDatabase()
  const stage = await stageOn(database.url)
  try {
    const chats = await Promise.all([1, 2].map(() => stage.worker({ SAASM_ROLES: 'chat' })))
    const works = await Promise.all([1, 2].map(() => stage.worker({ SAASM_ROLES: 'work' })))
    const ada = stage.sandbox.slack.as('U0ADA')
    const instances = await Promise.all([1, 2, 3, 4].map(() => stage.instance(stage.vendor(30))))
    for (const [position, instance] of instances.entries()) {
      stage.sandbox.connectTo(chats[position % 2]?.url ?? '')
      const asked = await ada.command(stage.sandbox.settings.channel, `/saasm sync ${instance.name}`)
      expect(asked).toEqual({ ok: true })
    }
    await vi.waitFor(
      async () =>
        expect(await stage.rows("select 1 from sync_run where state = 'succeeded'")).toHaveLength(4),
      { timeout: rungMs, interval: 50 },
    )
    await stage.quiet(recoveryMs)
    for (const instance of instances) {
      expect(await stage.users(instance.id)).toHaveLength(30)
      expect(stage.told(`${instance.name}: initial sync`)).toBe(1)
      expect(stage.mailed(instance.name)).toBe(1)
    }
    // Work is nobody's who only chats: with the workers gone it waits.
    for (const worker of works) worker.signal('SIGTERM')
    for (const worker of works) expect(await worker.ended).toEqual({ code: 0, signal: null })
    const [first] = instances
    await ada.command(stage.sandbox.settings.channel, `/saasm sync ${first?.name}`)
    await vi.waitFor(async () =>
      expect(
        await stage.rows("select 1 from sync_run where state = 'requested' and attempt = 0"),
      ).toHaveLength(1),
    )
    for (const chat of chats) expect(await ask(`${chat.url}/readyz`)).toBe('200 ready')
    await stage.worker({ SAASM_ROLES: 'work' })
    await stage.quiet(recoveryMs)
    await stage.expectSound()
  } finally {
    await stage.close()
    await database.drop()
  }
})

test.concurrent('a Postgres that is down at the start is waited for, /readyz says so, and work is done once it is there', async () => {
  const own = await ownPostgres()
  const stage = await stageOn(own.url)
  try {
    const instance = await stage.instance(stage.vendor(30))
    await stage.ask(instance.id)
    await own.down('fast')
    const port = await freePort()
    const worker = await stage.worker({ PORT: String(port) }, false)
    const health = (path: string) => ask(`http://127.0.0.1:${port}/${path}`)
    await vi.waitFor(async () => expect(await health('readyz')).toBe('503 waiting for database, job store'), {
      timeout: 30_000,
    })
    expect(await health('healthz')).toBe('200 alive')
    await own.up()
    await vi.waitFor(async () => expect(await health('readyz')).toBe('200 ready'), { timeout: 30_000 })
    await stage.quiet(recoveryMs)
    expect(await stage.users(instance.id)).toHaveLength(30)
    expect(stage.told(instance.name)).toBe(1)
    worker.signal('SIGTERM')
    expect(await worker.ended).toEqual({ code: 0, signal: null })
    await stage.expectSound()
  } finally {
    await stage.close()
    await own.stop()
  }
})
