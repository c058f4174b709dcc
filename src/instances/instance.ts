// Instance: one integrated application. Its status is an admin's decision (or ours on a dead token); how its
// last run ended is another field: an instance can be Live and failing, or Inactive with its last run good.
import type { instanceTable } from './table.ts'

export type InstanceStatus = 'live' | 'inactive' | 'deleting' | 'deleted'
/** Why it is Inactive: a person did it, the token is dead, or it lacks a permission. */
export type InactiveReason = 'user' | 'token_inactive' | 'insufficient_permissions'
export type LastOutcome = 'never' | 'succeeded' | 'partial' | 'held' | 'failed'

export type Instance = typeof instanceTable.$inferSelect

/** The moves of status that exist; any other is refused by the store. */
export const statusMoves: Readonly<Record<InstanceStatus, readonly InstanceStatus[]>> = {
  live: ['inactive', 'deleting'],
  inactive: ['live', 'deleting'],
  deleting: ['deleted'],
  deleted: [],
}

/** The words people see. */
export const statusWords: Readonly<Record<InstanceStatus, string>> = {
  live: 'Live',
  inactive: 'Inactive',
  deleting: 'Deleting',
  deleted: 'Deleted',
}

/** The schedules an admin can choose, in hours; the default comes last. */
export const scheduleHoursChoices = [1, 6, 12, 24] as const

/** What the thresholds of a held removal can be: people, and percent of those reported. */
export const removalPeopleLimit = 1_000_000
export const removalPercentLimit = 100
