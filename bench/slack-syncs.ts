// The syncs that go on while bench:slack measures: asked for in Slack as a person does, again as soon as each has ended.
import { setTimeout as sleep } from 'node:timers/promises'
import type { Sql } from 'postgres'
import { within } from './within.ts'

export interface Syncing {
  /** Ask for nothing more and let what runs end. Throws when a sync has failed. */
  stop(): Promise<Synced>
}

export interface Synced {
  /** Syncs that have ended. */
  ended: number
  /** How many ran at once, on average, while it was measured. */
  atOnce: number
}

const lookEveryMs = 100
const beginSeconds = 30
const endSeconds = 60

/** Sync these instances from nobody on, until told to stop; resolves when all of them run. `ask` says it to the app. */
export async function startSyncing(
  sql: Sql,
  ids: readonly string[],
  ask: (id: string) => Promise<unknown>,
): Promise<Syncing> {
  // Nothing runs here, so that nothing holds what this waits for; were it otherwise, it is said within 10 s.
  await sql.begin(tx => tx.unsafe("set local lock_timeout = '10s'; truncate account"))
  const [row] = await sql<{ at: Date }[]>`select now() as at`
  const since = row?.at ?? new Date(0)
  let stopped = false
  const seen: number[] = []

  async function keepAsking(begin: () => void): Promise<void> {
    while (!stopped) {
      const open = await statesOf(sql)
      const running = [...open.values()].filter(state => state === 'running').length
      if (running >= ids.length) begin()
      seen.push(running)
      for (const id of ids) if (!open.has(id)) await ask(id)
      await sleep(lookEveryMs)
    }
  }

  let begin = () => {}
  const begun = new Promise<void>(resolve => {
    begin = resolve
  })
  const asking = keepAsking(begin)
  asking.catch(() => {})
  await within(beginSeconds, Promise.race([begun, asking]), 'The syncs did not all begin')
  const from = seen.length
  return {
    async stop() {
      const during = seen.slice(from)
      stopped = true
      await within(endSeconds, asking, 'The last sync was not asked for')
      await untilNoneIsOpen(sql)
      const runs = await sql<{ state: string; fault: unknown }[]>`
        select state, fault from sync_run where requested_at >= ${since} and state <> 'cancelled'`
      const failed = runs.find(run => run.state === 'failed')
      if (failed) throw new Error(`A sync has failed: ${JSON.stringify(failed.fault)}`)
      return { ended: runs.length, atOnce: during.reduce((sum, n) => sum + n, 0) / during.length }
    },
  }
}

/** The instances that have an open run; the state of the one that is further. */
async function statesOf(sql: Sql): Promise<Map<string, string>> {
  const rows = await sql<{ instance_id: string; state: string }[]>`
    select instance_id, max(state) as state from sync_run where state in ('requested', 'running') group by 1`
  return new Map(rows.map(row => [row.instance_id, row.state]))
}

/** What waits is cancelled, as often as it takes: one may have been asked for at the last moment. */
async function untilNoneIsOpen(sql: Sql): Promise<void> {
  const end = performance.now() + endSeconds * 1_000
  for (let quiet = 0; quiet < 3; ) {
    await sql`update sync_run set state = 'cancelled', ended_at = now() where state = 'requested'`
    const open = await statesOf(sql)
    quiet = open.size === 0 ? quiet + 1 : 0
    if (performance.now() > end)
      throw new Error(`Syncs did not end within ${endSeconds} s: ${JSON.stringify([...open])}`)
    await sleep(lookEveryMs)
  }
}
