// A drain: runs one piece of work at a time, and once more when it was woken meanwhile. No wake is lost, none piles up.

export interface Drain {
  /** Run the work soon; when it runs already, once more after it. */
  wake(): void
  /** Resolves when nothing runs and nothing is to run. */
  idle(): Promise<void>
}

/** `nudge`: told of a wake while the work goes on already, so that it need not come to its end first. */
export function createDrain(
  work: () => Promise<void>,
  failed: (error: unknown) => void,
  nudge: () => void = () => {},
): Drain {
  let running: Promise<void> | undefined
  let again = false

  async function run(): Promise<void> {
    do {
      again = false
      await work().catch(failed)
    } while (again)
    running = undefined
  }

  return {
    wake() {
      if (!running) running = run()
      else {
        again = true
        nudge()
      }
    },
    idle: async () => running,
  }
}
