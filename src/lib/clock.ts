// Time as saasm sees it. Business times (due, shown) come from the Clock handed in; leases use Postgres now().

/** A source of time. `now` is UTC; `sleep` takes milliseconds and rejects with the signal's reason when aborted. */
export interface Clock {
  now(): Date
  sleep(ms: number, signal?: AbortSignal): Promise<void>
}

/** The machine's clock. */
export const systemClock: Clock = {
  now: () => new Date(),
  sleep: realSleep,
}

/** A clock that runs with the machine's but can be moved ahead: the sandbox and the tests move it. */
export interface MovableClock extends Clock {
  /** Move ahead by `ms` milliseconds; sleepers whose time has come wake at once. */
  advance(ms: number): void
  /** How far this clock is ahead of the machine's, in milliseconds. */
  offsetMs(): number
}

/** Make a movable clock, `offsetMs` milliseconds ahead to start with. */
export function movableClock(offsetMs = 0): MovableClock {
  let ahead = offsetMs
  const wakers = new Set<() => void>()
  return {
    now: () => new Date(Date.now() + ahead),
    offsetMs: () => ahead,
    advance(ms) {
      ahead += ms
      for (const wake of wakers) wake()
    },
    async sleep(ms, signal) {
      const until = Date.now() + ahead + ms
      while (Date.now() + ahead < until) {
        const left = until - Date.now() - ahead
        const moved = new AbortController()
        const wake = () => moved.abort()
        wakers.add(wake)
        try {
          await realSleep(left, signal ? AbortSignal.any([signal, moved.signal]) : moved.signal)
        } catch {
          signal?.throwIfAborted()
        } finally {
          wakers.delete(wake)
        }
      }
    },
  }
}

function realSleep(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(signal.reason)
      return
    }
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', onAbort)
      resolve()
    }, ms)
    const onAbort = () => {
      clearTimeout(timer)
      reject(signal?.reason)
    }
    signal?.addEventListener('abort', onAbort, { once: true })
  })
}
