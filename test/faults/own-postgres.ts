// A Postgres of a test's own, which can be stopped in each of Postgres's ways, and is started anew under the same address.
import { readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { vi } from 'vitest'
import { startEmbedded } from '../../src/db/embedded.ts'
import { migrate } from '../../src/db/migrate.ts'

/** `fast`: transactions are rolled back. `immediate`: no clean-up, recovery at the start. `killed`: SIGKILL of the postmaster. */
export type StopKind = 'fast' | 'immediate' | 'killed'

const signals = { fast: 'SIGINT', immediate: 'SIGQUIT', killed: 'SIGKILL' } as const

export interface OwnPostgres {
  readonly url: string
  /** Stop the server, leave it down for `downMs`, start it again; resolves when it takes connections. */
  restart(how: StopKind, downMs: number): Promise<void>
  down(how: StopKind): Promise<void>
  up(): Promise<void>
  stop(): Promise<void>
}

/** Start one, migrated. Commits are waited for here: what a server has said to be committed must be there after its death. */
export async function ownPostgres(): Promise<OwnPostgres> {
  const folder = await mkdtemp(join(tmpdir(), 'saasm-own-'))
  let server = await startEmbedded(folder)
  const { url } = server
  const port = Number(new URL(url).port)
  await migrate(url, 'drizzle/migrations')

  const down = async (how: StopKind) => {
    const pid = Number(readFileSync(join(folder, 'data', 'postmaster.pid'), 'utf8').split('\n')[0])
    process.kill(pid, signals[how])
    await vi.waitFor(() => gone(pid), { timeout: 30_000, interval: 20 })
  }
  const up = async () => {
    // The children of a killed postmaster hold on to its memory for a moment, and a new one refuses to start meanwhile.
    server = await vi.waitFor(() => startEmbedded(folder, { port }), { timeout: 30_000, interval: 200 })
  }
  return {
    url,
    down,
    up,
    async restart(how, downMs) {
      await down(how)
      await wait(downMs)
      await up()
    },
    async stop() {
      await server.stop()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

function gone(pid: number): void {
  try {
    process.kill(pid, 0)
  } catch {
    return
  }
  throw new Error(`Process ${pid} is still there`)
}
