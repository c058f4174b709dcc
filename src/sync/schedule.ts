// When the next run is due: the chosen hours, with jitter, so that a company's instances do not meet at one second.
import type { Instance } from '../instances/instance.ts'

/** Up to this share of the interval is taken off, at random. */
const jitterShare = 0.05
const hourMs = 3_600_000

/** The next scheduled sync after one that ended at `now`; `random` is from 0 to 1. */
export function nextSyncAt(
  instance: Pick<Instance, 'scheduleHours'>,
  now: Date,
  random: number = Math.random(),
): Date {
  const intervalMs = instance.scheduleHours * hourMs
  return new Date(now.getTime() + intervalMs * (1 - jitterShare * random))
}
