// Five hundred instances that fall due at once, and two workers, one of which is killed in the middle.
import { expect, test } from 'vitest'
import { testDatabase } from '../support/postgres.ts'
import { recoveryMs, seen, stageOn } from './stage.ts'

const instances = 500
/** The worker is killed once this many runs have ended. */
const killAfter = 200

test('of 500 due instances every one runs once, or twice if it was in flight at the kill, and is told once', async () => {
  const database = await testDatabase()
  const stage = await stageOn(database.url)
  try {
    const vendor = stage.vendor(5)
    const names = Array.from({ length: instances }, (_, n) => `due-${n}`)
    for (const name of names) await stage.instance(vendor, name)
    // All have failed until now, so that each has its recovery to tell: one e-mail and one message.
    await stage.rows(
      "update instance set last_outcome = 'failed', last_fault_code = 'broken', next_sync_at = now() - interval '1 minute'",
    )
    const [killed] = await Promise.all([stage.worker(), stage.worker()])
    const ended = async () =>
      Number((await stage.rows("select count(*)::int n from sync_run where state = 'succeeded'"))[0]?.n)
    await seen('enough ends', 120_000, async () => (await ended()) > killAfter)
    // The worker that is killed holds runs at that moment: looked at in the same breath.
    killed.signal('SIGKILL')
    await killed.ended
    const inFlight = new Set(
      (await stage.rows("select id from sync_run where state = 'running'")).map(row => String(row.id)),
    )
    await stage.quiet(recoveryMs + 60_000)
    const runs = await stage.rows('select id, instance_id, state, attempt from sync_run')
    expect(runs).toHaveLength(instances)
    expect(new Set(runs.map(run => run.instance_id)).size).toBe(instances)
    expect(runs.filter(run => run.state !== 'succeeded')).toEqual([])
    const twice = runs.filter(run => run.attempt !== 1)
    expect(twice.every(run => run.attempt === 2 && inFlight.has(String(run.id)))).toBe(true)
    console.info(`${twice.length} of ${instances} ran twice; ${inFlight.size} were in flight at the kill`)
    const accounts = await stage.rows('select count(*)::int n from account where gone_at is null')
    expect(accounts).toEqual([{ n: instances * 5 }])
    const told = new Map<string, number>()
    for (const { subject } of stage.sandbox.mailbox.mails) told.set(subject, (told.get(subject) ?? 0) + 1)
    expect(told.size).toBe(instances)
    expect([...told.values()].filter(times => times !== 1)).toEqual([])
    const posts = stage.sandbox.slack.channel('saas-sync').messages.map(message => message.text)
    expect(posts).toHaveLength(instances)
    expect(new Set(posts).size).toBe(instances)
    await stage.expectSound()
  } finally {
    await stage.close()
    await database.drop()
  }
})
