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
  /** `spent`: the attempt counts. `tell`: the admins hear why it waits. `broke`: who took how long to say nothing. */
  | {
      kind: 'wait'
      afterMs: number
      reason: string
      spent: boolean
      tell?: true
      restsDestination?: boolean
      broke?: { who: 'slack' | 'mail'; ms: number }
    }
  /** `unsent`: it is certain that nothing of it has arrived. */
  | { kind: 'refused'; reason: string; tell: boolean; unsent: boolean }

export interface Backoff {
  firstMs: number
  maxMs: number
}
const unlessTold: Backoff = { firstMs: 5_000, maxMs: 600_000 }
/** Slack often answers again at once, and what it may have stored is found; after an outage the news is two minutes late. */
export const slackBackoff: Backoff = { firstMs: 2_000, maxMs: 120_000 }
const jitterShare = 0.2

/** Milliseconds before the next attempt: 5 s, doubling to 10 minutes, unless told otherwise; with jitter. */
export function backoffOf(attempt: number, { firstMs, maxMs }: Backoff = unlessTold): number {
  const full = Math.min(firstMs * 2 ** Math.max(0, attempt - 1), maxMs)
  return full * (1 - jitterShare * Math.random())
}
