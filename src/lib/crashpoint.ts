// Crash points: named places where the fault suite ends or stops this very process by a signal. Without a setting they do nothing.
import { writeSync } from 'node:fs'

/** Every place, in the order a run, a telling and a removal pass them. The fault suite hits each of them. */
export const crashPoints = [
  /** The sweep asked for a due run and has not written when the next is due. */
  'run-requested',
  /** A transaction is committed, and nobody has been rung for yet. */
  'committed',
  'run-claimed',
  /** A page is in staging, and the run does not know of it. */
  'page-staged',
  'page-counted',
  /** The vendor's stream ended by itself; nothing is merged. */
  'stream-ended',
  /** Accounts are merged, the run still runs; not committed. */
  'merge-done',
  /** The run's state is written, nothing is told; not committed. */
  'run-settled',
  'failure-settled',
  /** An instance's change is written, its outbox rows are not; not committed. */
  'announce-begun',
  'announce-written',
  'entry-claimed',
  /** The first attempt is written down, the message has not left. */
  'mail-begun',
  /** The mail service has it, the outbox does not know. */
  'mail-sent',
  'post-begun',
  'post-sent',
  'edit-sent',
  /** The rows of a bundle say that they go out in it, and it has not left. */
  'bundle-begun',
  /** A bundle of failures is posted, and none of its rows knows. */
  'bundle-sent',
  'removal-claimed',
  /** A batch of accounts is deleted and not counted; not committed. */
  'batch-removed',
  'batch-committed',
  /** The last batch is counted and its end is told; not committed. */
  'removal-ended',
] as const

export type CrashPoint = (typeof crashPoints)[number]

let armed: { name: CrashPoint; left: number; signal: 'SIGKILL' | 'SIGSTOP' } | undefined

/**
 * Arm one point: `merge-done`, `page-staged:2` for the second time it is reached, `page-staged:2:stop` to stop there until
 * SIGCONT. Throws for a name that is none.
 */
export function armCrashpoint(setting: string): void {
  const [word, times = '1', how] = setting.split(':')
  const name = crashPoints.find(point => point === word)
  const known = /^[1-9]\d{0,3}$/.test(times) && (how === undefined || how === 'stop')
  if (!name || !known) throw new Error(`There is no crash point ${setting}`)
  armed = { name, left: Number(times), signal: how ? 'SIGSTOP' : 'SIGKILL' }
}

/** Ends the process here without a last word, or stops it, when this point is armed and its count is reached. */
export function crashpoint(name: CrashPoint): void {
  if (armed?.name !== name) return
  armed.left -= 1
  if (armed.left !== 0) return
  if (armed.signal === 'SIGSTOP') writeSync(1, `stopped at ${name}\n`)
  process.kill(process.pid, armed.signal)
}
