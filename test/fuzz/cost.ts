// What a fuzzed case may cost: this process's own processor time, which other work on the machine does not add to.

/** The bound of the issue: no case hangs. */
export const caseMaxMs = 100

/** Run one case; throws when it took longer than `caseMaxMs` of processor time, twice in a row (the first may be compiled). */
export async function bounded(what: string, run: () => unknown): Promise<void> {
  const first = await costMs(run)
  if (first <= caseMaxMs) return
  const second = await costMs(run)
  if (second > caseMaxMs) throw new Error(`${what} took ${first.toFixed(0)} and ${second.toFixed(0)} ms`)
}

async function costMs(run: () => unknown): Promise<number> {
  const before = process.cpuUsage()
  await run()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1_000
}
