// How long to wait before asking a vendor again: its own headers first, else a back-off with jitter.

const hourMs = 3_600_000

/**
 * What the vendor's headers say, in milliseconds from `now`, clamped to one hour; undefined when they say nothing.
 * A number is read by its size: milliseconds or seconds since 1970, else seconds from now.
 */
export function toldWaitMs(headers: Readonly<Record<string, string>>, now: Date): number | undefined {
  const retryAfter = waitMs(headers['retry-after'], now)
  if (retryAfter !== undefined) return retryAfter
  for (const family of ['x-rate-limit', 'x-ratelimit', 'x-ratelimit-requests', 'ratelimit']) {
    const remaining = headers[`${family}-remaining`]
    if (remaining !== undefined && Number(remaining) > 0) continue
    const wait = waitMs(headers[`${family}-reset`], now)
    if (wait !== undefined) return wait
  }
  return undefined
}

/** 0.5 s, doubling to 30 s, less up to a quarter of jitter; `tries` counts from 1. */
export function backOffMs(tries: number): number {
  const full = Math.min(500 * 2 ** (tries - 1), 30_000)
  return Math.round(full * (1 - Math.random() / 4))
}

function waitMs(told: string | undefined, now: Date): number | undefined {
  if (told === undefined || told.trim() === '') return undefined
  const wait = Number.isFinite(Number(told)) ? numberMs(Number(told), now) : Date.parse(told) - now.getTime()
  return Number.isNaN(wait) ? undefined : Math.min(Math.max(Math.ceil(wait), 0), hourMs)
}

function numberMs(told: number, now: Date): number {
  if (told > 1e11) return told - now.getTime()
  if (told > 1e8) return told * 1000 - now.getTime()
  return told * 1000
}
