// Breath: long work stops for a turn of the event loop, so that timers and what Slack asks go through.

/** Work goes on for so many milliseconds without one. */
const breathMs = 8

let freeAt = performance.now()
const waiting: (() => void)[] = []

/** One at a time: each with a turn of its own, those who work would hold up the event loop as many times as long. */
function letOneGoOn(): void {
  freeAt = performance.now()
  waiting.shift()?.()
  if (waiting.length > 0) setImmediate(letOneGoOn)
}

/** Is it time to `breathe`? For loops in which an await each time would be dear. */
export function isOutOfBreath(): boolean {
  return performance.now() - freeAt >= breathMs
}

/** Resolves at once while there is breath left, else after a turn of the event loop. One for the whole process. */
export async function breathe(): Promise<void> {
  if (!isOutOfBreath()) return
  await new Promise<void>(resolve => {
    if (waiting.push(resolve) === 1) setImmediate(letOneGoOn)
  })
}
