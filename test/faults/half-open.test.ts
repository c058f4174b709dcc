// A worker whose network to Postgres swallows, resets or delays: its statements end, its leases end, and another one does its work.
import postgres from 'postgres'
import { expect, test, vi } from 'vitest'
import { testDatabase } from '../support/postgres.ts'
import { type ProxyMood, startProxy } from './proxy.ts'
import { askDeletion, populate } from './scenes.ts'
import { ask, recoveryMs, stageOn, waitingIn } from './stage.ts'

const moods: readonly [string, ProxyMood][] = [
  ['swallows everything', { kind: 'swallow' }],
  ['resets every connection', { kind: 'reset' }],
  ['delays each piece by 500 ms', { kind: 'delay', ms: 500 }],
]

test.concurrent.each(moods)(
  'a network that %s in a fetch and a removal: the work is done in time, told once, and the worker lives',
  async (_what, mood) => {
    const database = await testDatabase()
    const proxy = await startProxy({ port: Number(new URL(database.url).port) })
    const stage = await stageOn(database.url)
    const locks = postgres(database.url, { max: 1, onnotice: () => {} })
    try {
      const vendor = stage.vendor()
      const [fetching, removing] = [await stage.instance(vendor), await stage.instance(stage.vendor())]
      await populate(stage, removing, 2_500)
      const lock = await locks.reserve()
      await lock.unsafe('begin; lock table account in share row exclusive mode')
      for (let page = 1; page <= 2; page += 1) vendor.hold().open()
      const third = vendor.hold()
      await stage.ask(fetching.id)
      await askDeletion(stage, removing)
      const cut = await stage.worker({ DATABASE_URL: proxy.through(database.url) })
      await third.reached
      await waitingIn(stage, 'removal')

      proxy.set(mood)
      await lock.unsafe('rollback')
      third.open()
      await stage.worker()
      if (mood.kind !== 'delay')
        expect(await ask(`${cut.url}/readyz`)).toBe('503 waiting for database, job store')
      await stage.quiet(recoveryMs)
      expect(await stage.users(fetching.id)).toHaveLength(450)
      expect(await stage.users(removing.id)).toHaveLength(0)
      expect(await stage.rows('select state, added, removed from sync_run')).toEqual([
        { state: 'succeeded', added: 450, removed: 0 },
      ])
      expect(await stage.rows('select state, removed from removal')).toEqual([
        { state: 'done', removed: 2_500 },
      ])
      for (const name of [fetching.name, `${removing.name} was deleted`]) expect(stage.told(name)).toBe(1)
      for (const { name } of [fetching, removing]) expect(stage.mailed(name)).toBe(1)

      proxy.set({ kind: 'pass' })
      await vi.waitFor(async () => expect(await ask(`${cut.url}/readyz`)).toBe('200 ready'), {
        timeout: 60_000,
        interval: 500,
      })
      expect(await stage.rows('select * from account_staging')).toHaveLength(0)
      await stage.expectSound()
    } finally {
      await stage.close()
      await locks.end({ timeout: 1 })
      await proxy.stop()
      await database.drop()
    }
  },
)
