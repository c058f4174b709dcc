// Trigger ids: what lets an app open a view, for three seconds and once.
import { limits } from './limits.ts'
import { Refusal } from './refusal.ts'

/** Trigger ids: 3 s, once. */
export interface Triggers {
  issue(userId: string): string
  /** The person whose gesture it was; throws Refusal `expired_trigger_id`, `exchanged_trigger_id`, `invalid_trigger_id`. */
  use(triggerId: unknown): string
}

export function createTriggers(nowMs: () => number): Triggers {
  const live = new Map<string, { userId: string; at: number; used: boolean }>()
  let sequence = 0
  return {
    issue(userId) {
      sequence += 1
      const id = `${Math.round(nowMs())}.${sequence}.${userId.toLowerCase()}`
      live.set(id, { userId, at: nowMs(), used: false })
      for (const [old, { at }] of live) if (nowMs() - at > 60 * limits.triggerMs) live.delete(old)
      return id
    },
    use(triggerId) {
      const trigger = live.get(String(triggerId))
      if (!trigger) throw new Refusal('invalid_trigger_id')
      if (trigger.used) throw new Refusal('exchanged_trigger_id')
      if (nowMs() - trigger.at > limits.triggerMs) throw new Refusal('expired_trigger_id')
      trigger.used = true
      return trigger.userId
    },
  }
}
