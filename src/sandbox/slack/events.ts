// Events: sent again when they are not acknowledged; at once, after a minute, after five more. Then they are given up.
import type { Clock } from '../../lib/clock.ts'
import type { Acknowledgement } from './deliveries.ts'

type Send = (headers?: Record<string, string>) => Promise<Acknowledgement>

const laterRetries = [
  { number: 2, afterMs: 60_000 },
  { number: 3, afterMs: 300_000 },
] as const

/** Send an event; resolves after the first retry, the later ones go on by themselves until `stopped`. */
export async function sendEvent(send: Send, clock: Clock, stopped: AbortSignal): Promise<Acknowledgement> {
  const first = await send()
  if (first.ok) return first
  const again = await send(retryHeaders(1, first.reason))
  if (!again.ok) void retryLater(send, clock, stopped, again.reason)
  return again
}

async function retryLater(send: Send, clock: Clock, stopped: AbortSignal, reason: string): Promise<void> {
  let last = reason
  for (const { number, afterMs } of laterRetries) {
    const waited = await clock.sleep(afterMs, stopped).then(
      () => true,
      () => false,
    )
    const ack = waited ? await send(retryHeaders(number, last)) : undefined
    if (!ack || ack.ok) return
    last = ack.reason
  }
}

function retryHeaders(number: number, reason: string): Record<string, string> {
  return {
    'x-slack-retry-num': String(number),
    'x-slack-retry-reason': reason === 'operation_timeout' ? 'http_timeout' : 'http_error',
  }
}
