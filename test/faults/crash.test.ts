// A process that dies at any named place: what it was doing is done by another one, in time, and nothing is half, lost or told twice.
import { expect, test } from 'vitest'
import { type CrashPoint, crashPoints } from '../../src/lib/crashpoint.ts'
import { testDatabase } from '../support/postgres.ts'
import { due, failure, flood, recovery, removal, type Scene, sync } from './scenes.ts'
import { recoveryMs, stageOn, startMaxMs, within } from './stage.ts'

/** Which scene passes which point, and at which times it is hit there. */
const table: Readonly<Record<CrashPoint, readonly [Scene, ...number[]]>> = {
  'run-requested': [due, 1],
  committed: [sync, 1],
  'run-claimed': [sync, 1],
  'page-staged': [sync, 1, 2, 3],
  'page-counted': [sync, 1, 2, 3],
  'stream-ended': [sync, 1],
  'merge-done': [sync, 1],
  'run-settled': [sync, 1],
  'failure-settled': [failure, 1],
  'announce-begun': [sync, 1],
  'announce-written': [failure, 1],
  'entry-claimed': [sync, 1, 2],
  'mail-begun': [sync, 1],
  'mail-sent': [sync, 1],
  'post-begun': [sync, 1],
  'post-sent': [sync, 1],
  'edit-sent': [recovery, 1],
  'bundle-begun': [flood, 1],
  'bundle-sent': [flood, 1],
  'removal-claimed': [removal, 1],
  'batch-removed': [removal, 1, 2, 3],
  'batch-committed': [removal, 1, 2, 3],
  'removal-ended': [removal, 1],
}

const cases = crashPoints.flatMap(point => {
  const [scene, ...times] = table[point]
  return times.map(time => ({ at: `${point}:${time}`, scene }))
})

test.concurrent.each(cases)(
  'killed at $at, another process finishes it within 80 s, whole and told once',
  async ({ at, scene }) => {
    const database = await testDatabase()
    const stage = await stageOn(database.url)
    try {
      const expectDone = await scene(stage)
      const first = await stage.worker({ SAASM_CRASH_AT: at }, false)
      expect(await within(startMaxMs, first.ended, `${at} was never reached:\n${first.log()}`)).toMatchObject(
        {
          signal: 'SIGKILL',
        },
      )
      const diedAt = Date.now()
      await stage.worker()
      await stage.quiet(recoveryMs - (Date.now() - diedAt))
      await expectDone()
      await stage.expectSound()
    } finally {
      await stage.close()
      await database.drop()
    }
  },
)
