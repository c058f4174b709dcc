// What every way of delivering is handed, what can become of a send, and how long is waited before the next.
import type { Db } from '../db/db.ts'
import type { Clock } from '../lib/clock.ts'
import type { Log } from '../lib/log.ts'
import type { SlackClient, SlackPerson } from '../slack/post.ts'
import type { Mailer } from './mailer.ts'

export interface Delivery {
  db: Db
  clock: Clock
  log: Log
  slack: SlackClient
  mailer: Mailer
  /** Names this process in leases. */
  owner: string
  admins: () => Promise<SlackPerson[]>
}

/** What became of one send; `sent` entries are settled by who sent them. */
export type Sent =
  | { kind: 'done' }
  | { kind: 'wait'; afterMs: number; reason: string; spent: boolean; restsDestination?: boolean }
  /** `unsent`: it is certain that nothing of it has arrived. */
  | { kind: 'refused'; reason: string; tell: boolean; unsent: boolean }

const backoffMs = { first: 5_000, max: 600_000, jitterShare: 0.2 }

/** 5 s, doubling to 10 minutes, with jitter. */
export function backoffOf(attempt: number, random: number = Math.random()): number {
  const full = Math.min(backoffMs.first * 2 ** Math.max(0, attempt - 1), backoffMs.max)
  return full * (1 - backoffMs.jitterShare * random)
}
