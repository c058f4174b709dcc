// The turns that the event loop has while something goes on.

/** How many it had, and which share of the time the longest work without one took. */
export async function turnsDuring(work: Promise<unknown>): Promise<{ turns: number; longest: number }> {
  const beganMs = performance.now()
  let [turns, lastMs, longestMs, over] = [0, beganMs, 0, false]
  const count = () => {
    const now = performance.now()
    turns += 1
    longestMs = Math.max(longestMs, now - lastMs)
    lastMs = now
    if (!over) setImmediate(count)
  }
  setImmediate(count)
  await work.finally(() => {
    over = true
  })
  return { turns, longest: Math.max(longestMs, performance.now() - lastMs) / (performance.now() - beganMs) }
}
