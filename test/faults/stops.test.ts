// A worker that is stopped past its lease and continued: another one has finished its work, and nothing that it still writes lands.
import { expect, test, vi } from 'vitest'
import type { CrashPoint } from '../../src/lib/crashpoint.ts'
import { testDatabase } from '../support/postgres.ts'
import { flood, recovery, removal, removalOf, type Scene, sync } from './scenes.ts'
import { recoveryMs, type Stage, stageOn, stoppedAt, type Worker } from './stage.ts'

/** What a worker is stopped in, at which point, and in which scene. */
const points: readonly [what: string, at: `${CrashPoint}${'' | ':2'}`, scene: Scene][] = [
  ['staging', 'page-staged:2', sync],
  ['counting a page', 'page-counted:2', sync],
  ['front of the merge', 'stream-ended', sync],
  ['the merge', 'merge-done', sync],
  ['the end of a run', 'announce-written', sync],
  ['a removal batch', 'batch-removed:2', removal],
  ['between two removal batches', 'batch-committed', removal],
  ['the end of a removal', 'removal-ended', removal],
  ['a delivery that has not begun', 'entry-claimed', sync],
  ['front of an e-mail', 'mail-begun', sync],
  ['an e-mail that is not settled', 'mail-sent', sync],
  ['front of a post', 'post-begun', sync],
  ['a post that is not settled', 'post-sent', sync],
  ['an edit that is not settled', 'edit-sent', recovery],
  ['front of a bundle', 'bundle-begun', flood],
  ['a bundle that is not settled', 'bundle-sent', flood],
]

test.concurrent.each(points)(
  'stopped in %s (%s) and continued after another process has finished: none of its writes land',
  async (_what, at, scene) => {
    await staged(async stage => {
      const expectDone = await scene(stage)
      const zombie = await stage.worker(
        {
          SAASM_CRASH_AT: at.includes(':') ? `${at}:stop` : `${at}:1:stop`,
        },
        false,
      )
      await stoppedAt(zombie)
      const other = await stage.worker()
      await stage.quiet(recoveryMs)
      await expectDone()
      await expectNothingLands(stage, zombie, other)
    })
  },
)

test.concurrent('stopped in a fetch and continued after another process has finished: none of its writes land', async () => {
  await staged(async stage => {
    const vendor = stage.vendor()
    const instance = await stage.instance(vendor)
    await stage.ask(instance.id)
    const first = vendor.hold()
    const zombie = await stage.worker({}, false)
    await first.reached
    zombie.signal('SIGSTOP')
    const other = await stage.worker()
    await stage.quiet(recoveryMs)
    expect(await stage.users(instance.id)).toHaveLength(450)
    // The page that it asked for is waiting for it.
    first.open()
    await expectNothingLands(stage, zombie, other)
  })
})

/**
 * Continue the stopped worker, and give it new work that nobody else is there to do: once that is done it is past what it was
 * stopped in. What was there before must be there as it was, in Postgres, in Slack and in the mailbox.
 */
async function expectNothingLands(stage: Stage, zombie: Worker, other: Worker): Promise<void> {
  const instances = (await stage.rows('select id, name from instance')) as { id: string; name: string }[]
  other.signal('SIGTERM')
  await other.ended
  const before = await everything(stage, instances)
  zombie.signal('SIGCONT')
  const [fresh, doomed] = [await stage.instance(stage.vendor(30)), await stage.instance(stage.vendor(30))]
  await stage.ask(fresh.id)
  await removalOf(stage, doomed, 1_500)
  await stage.quiet(recoveryMs)
  expect(stage.told(fresh.name)).toBe(1)
  await vi.waitFor(async () => expect(await everything(stage, instances)).toEqual(before), {
    timeout: 60_000,
    interval: 250,
  })
  await stage.expectSound()
}

/** All rows about these instances, fences and all, and what was told of them. */
async function everything(
  stage: Stage,
  instances: readonly { id: string; name: string }[],
): Promise<unknown> {
  const list = instances.map(instance => `'${instance.id}'`).join(',')
  const rowsOf = (table: string, column = 'instance_id') =>
    stage.rows(`select to_jsonb(t) as row from ${table} t where ${column} in (${list}) order by 1`)
  const told = stage.sandbox.slack.stateFor('U0ADA').channels.flatMap(channel => channel.messages)
  const about = (one: unknown) => instances.some(instance => JSON.stringify(one).includes(instance.name))
  return {
    instances: await rowsOf('instance', 'id'),
    runs: await rowsOf('sync_run'),
    removals: await rowsOf('removal'),
    accounts: await rowsOf('account'),
    outbox: await rowsOf('outbox'),
    audit: await rowsOf('audit'),
    staging: await stage.rows(
      `select run_id, fence, count(*)::int from account_staging where run_id in (select id from sync_run where instance_id in (${list})) group by 1, 2`,
    ),
    messages: told.filter(about).map(message => JSON.stringify(message)),
    mails: stage.sandbox.mailbox.mails.filter(about).length,
  }
}

async function staged(play: (stage: Stage) => Promise<void>): Promise<void> {
  const database = await testDatabase()
  const stage = await stageOn(database.url)
  try {
    await play(stage)
  } finally {
    await stage.close()
    await database.drop()
  }
}
