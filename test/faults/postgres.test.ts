// Postgres stops in each of its ways, in the middle of everything at once, and comes back: the same process finishes all of it.
import postgres from 'postgres'
import { expect, test } from 'vitest'
import { ownPostgres, type StopKind } from './own-postgres.ts'
import { askDeletion, populate, tell } from './scenes.ts'
import { recoveryMs, type Stage, stageOn, waitingIn } from './stage.ts'

/** How long Postgres is away. */
const downMs = 4_000
/** Slack's answer to the post that is under way comes while Postgres is away. */
const answerMs = 2_500

test.concurrent.each<StopKind>(['fast', 'immediate', 'killed'])(
  'Postgres restarts (%s) during a fetch, a staging, a merge, a removal and a delivery: the process lives, and all of it is done once',
  async how => {
    const own = await ownPostgres()
    const stage = await stageOn(own.url)
    try {
      const [fetched, staged, merged] = [stage.vendor(), stage.vendor(), stage.vendor()]
      const fetching = await stage.instance(fetched, 'okta-fetching')
      const staging = await stage.instance(staged, 'okta-staging')
      const merging = await stage.instance(merged, 'okta-merging')
      const removing = await stage.instance(stage.vendor(), 'okta-removing')
      await populate(stage, removing, 2_500)
      // Two pages are staged, and the third one is waited for.
      for (const vendor of [fetched, merged]) for (let page = 1; page <= 2; page += 1) vendor.hold().open()
      staged.hold().open()
      const [third, second, last] = [fetched.hold(), staged.hold(), merged.hold()]
      await stage.know(fetching, fetched)
      await stage.know(staging, staged)
      await stage.know(merging, merged)
      for (const one of [fetching, staging, merging]) await stage.ask(one.id)
      const worker = await stage.worker()
      await Promise.all([third.reached, second.reached, last.reached])

      const locks = postgres(own.url, { max: 2, onnotice: () => {} })
      const [accounts, pages] = [await locks.reserve(), await locks.reserve()]
      await accounts.unsafe('begin; lock table account in share row exclusive mode')
      last.open()
      await waitingIn(stage, 'merge')
      const posted = nextPost(stage)
      const told = await tell(stage, ['failed'])
      await askDeletion(stage, removing)
      await waitingIn(stage, 'removal')
      await posted
      await pages.unsafe('begin; lock table account_staging in share row exclusive mode')
      second.open()
      await waitingIn(stage, 'staging')

      await own.restart(how, downMs)
      third.open()
      await stage.quiet(recoveryMs)
      void locks.end({ timeout: 0 }).catch(() => {})

      for (const instance of [fetching, staging, merging]) {
        expect(await stage.users(instance.id), instance.name).toHaveLength(450)
        expect(stage.told(instance.name), instance.name).toBe(1)
        expect(stage.mailed(instance.name), instance.name).toBe(1)
      }
      expect(await stage.rows('select state, added, changed, removed from sync_run')).toEqual(
        Array.from({ length: 3 }, () => ({ state: 'succeeded', added: 449, changed: 1, removed: 0 })),
      )
      expect(await stage.rows('select state, removed from removal')).toEqual([
        { state: 'done', removed: 2_500 },
      ])
      expect(await stage.users(removing.id)).toHaveLength(0)
      expect(stage.told(`${removing.name} was deleted`)).toBe(1)
      expect(stage.told(told)).toBe(1)
      expect(stage.mailed(told)).toBe(1)
      expect(worker.log()).not.toMatch(/saasm did not start|the process ends/)
      expect(await fetch(`${worker.url}/readyz`).then(answer => answer.text())).toBe('ready\n')
      await stage.expectSound()
    } finally {
      await stage.close()
      await own.stop()
    }
  },
)

/** Resolves when Slack has a post that it will answer `answerMs` later. */
function nextPost(stage: Stage): Promise<void> {
  return new Promise(arrived => {
    stage.sandbox.slack.faults.each(method => {
      if (method !== 'chat.postMessage') return undefined
      stage.sandbox.slack.faults.each(() => undefined)
      arrived()
      return { kind: 'delay', ms: answerMs }
    })
  })
}
