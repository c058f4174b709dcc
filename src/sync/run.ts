// SyncRun: one attempt to bring an instance up to date; its states and the legal moves.
import type { syncRunTable } from './table.ts'

export type RunTrigger = 'initial' | 'scheduled' | 'manual' | 'reactivated' | 'edited'
export type RunState = 'requested' | 'running' | 'succeeded' | 'partial' | 'held' | 'failed' | 'cancelled'
/** Smallest first. */
export const runSizes = ['small', 'unknown', 'large'] as const
/** What the last run of the instance lets expect; `unknown`: none has ended well yet. */
export type RunSize = (typeof runSizes)[number]
export type SyncRun = typeof syncRunTable.$inferSelect

/** The moves that exist. `running` to `requested` is a lease given back (snooze, shutdown). */
export const runMoves: Readonly<Record<RunState, readonly RunState[]>> = {
  requested: ['running', 'cancelled'],
  running: ['requested', 'succeeded', 'partial', 'held', 'failed', 'cancelled'],
  succeeded: [],
  partial: [],
  held: [],
  failed: [],
  cancelled: [],
}

/** The words people see for a trigger. */
export const triggerWords: Readonly<Record<RunTrigger, string>> = {
  initial: 'Initial sync',
  scheduled: 'Scheduled',
  manual: 'Sync now',
  reactivated: 'Reactivated',
  edited: 'Instance updated',
}
