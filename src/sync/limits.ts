// How much runs at once: the caps a process and a vendor host hold to, and from when on a run counts as large.

/** Settings of the scheduler. */
export interface RunLimits {
  /** Runs of one process at once. At most half of them are large, and the last place is kept for small ones. */
  runsAtOnce: number
  /** Runs on one vendor host at once, all processes together. While a large one is there, the last place is kept for small ones. */
  hostRunsAtOnce: number
  /** Runs started on one vendor host in a second, all processes together. */
  hostStartsPerSecond: number
}

export const runLimits: RunLimits = { runsAtOnce: 4, hostRunsAtOnce: 2, hostStartsPerSecond: 5 }

/** A run that read more people is large, the one under way too. */
export const smallPeopleMax = 10_000
/** A run that took longer is large; the time that its vendor put it off is not counted. */
export const smallSecondsMax = 120
