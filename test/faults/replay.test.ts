// One signed request at two real processes, at once and again when its work is done: one effect, a hundred times.
import { expect, test } from 'vitest'
import { recordOutcome } from '../../src/instances/store.ts'
import { testDatabase } from '../support/postgres.ts'
import { seen, stageOn } from './stage.ts'
import { post, requestOf } from './twice.ts'

const times = 100
/** In turns: one person may ask 60 times a minute. */
const people = ['U0ADA', 'U0OLIVIA', 'U0MAX']

test('a press of Sync now that reaches two processes, and both again after its sync, is one sync', async () => {
  const database = await testDatabase()
  const stage = await stageOn(database.url)
  try {
    const operators = { SAASM_OPERATORS: people.join(',') }
    const processes = await Promise.all([stage.worker(operators), stage.worker(operators)])
    const instance = await stage.instance(stage.vendor(3))
    const next = { lastSuccessAt: new Date(), nextSyncAt: new Date(Date.now() + 3_600_000) }
    await stage.db.transaction(tx => recordOutcome(tx, instance.id, { lastOutcome: 'succeeded', ...next }))
    const { signingSecret, channel } = stage.sandbox.settings
    // Nobody answers there: the person is answered by an ephemeral message instead.
    const from = { signingSecret, team: instance.teamId, channel, replyUrl: 'http://127.0.0.1:9/reply' }
    const runs = async () => (await stage.rows('select 1 from sync_run')).length
    for (let n = 0; n < times; n += 1) {
      const action = { actionId: 'sync-now', value: instance.id }
      const request = requestOf(from, people[n % people.length] ?? '', { kind: 'block_actions', action })
      const everywhere = () => Promise.all([...processes, ...processes].map(({ url }) => post(url, request)))
      expect(await runs(), `runs before round ${n}`).toBe(n)
      await everywhere()
      await seen('the run', 60_000, async () => (await runs()) > n)
      await seen('its end', 60_000, async () => {
        const open = await stage.rows("select 1 from sync_run where state in ('requested', 'running')")
        return open.length === 0
      })
      await everywhere()
    }
    await stage.quiet(60_000)
    expect(await runs()).toBe(times)
    expect(await stage.rows("select count(*)::int n from audit where action = 'sync.requested'")).toEqual([
      { n: times },
    ])
    expect(await stage.rows("select count(*)::int n from outbox where medium = 'slack-direct'")).toEqual([
      { n: times },
    ])
    await stage.expectSound()
  } finally {
    await stage.close()
    await database.drop()
  }
})
