// How much one person may ask of saasm in a minute: more is refused before anything is looked up.
import type { Clock } from '../lib/clock.ts'
import type { Who } from '../slack/turn.ts'

const minuteMs = 60_000
/** People remembered at once; beyond it the minute begins anew for everybody. */
const peopleMax = 10_000

/** True while this person is within `perMinute` requests; each question counts as one. */
export function createLimit(clock: Clock, perMinute: number): (who: Who) => boolean {
  const asked = new Map<string, number>()
  let since = clock.now().getTime()
  return ({ teamId, userId }) => {
    const now = clock.now().getTime()
    if (now - since >= minuteMs || asked.size >= peopleMax) {
      asked.clear()
      since = now
    }
    const key = `${teamId}/${userId}`
    const times = (asked.get(key) ?? 0) + 1
    asked.set(key, times)
    return times <= perMinute
  }
}
