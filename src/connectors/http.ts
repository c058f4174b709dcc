// The one HTTP client of the connectors: guarded addresses, no redirects, a cap on the body and on the whole time.
import { Agent, fetch } from 'undici'
import { ProviderError } from './errors.ts'
import { checkedUrl, publicLookup } from './http-guard.ts'

export interface HttpRequest {
  url: string
  method: 'GET' | 'POST'
  headers: Readonly<Record<string, string>>
  body?: string
  /** From the first byte sent to the last byte read. */
  timeoutMs: number
  signal: AbortSignal
  /** Of the body, after decompression. */
  maxBytes: number
}

export interface HttpAnswer {
  status: number
  /** Names in lower case. */
  headers: Record<string, string>
  text: string
}

export interface Http {
  /**
   * Ask once. Throws ProviderError: `settings` for a refused address, an unknown host or a redirect; `broken` when the
   * network or time fails; `unreadable` for a body above `maxBytes`. Throws the signal's reason when aborted.
   */
  request(request: HttpRequest): Promise<HttpAnswer>
  close(): Promise<void>
}

/** Make the client; `allowPrivateNetwork` is the operator's choice, never an admin's. */
export function createHttp(options: { allowPrivateNetwork: boolean }): Http {
  const agent = new Agent({
    connections: 8,
    connect: options.allowPrivateNetwork ? { timeout: 10_000 } : { timeout: 10_000, lookup: publicLookup },
  })
  return {
    async request(request) {
      const url = checkedUrl(request.url, options.allowPrivateNetwork)
      request.signal.throwIfAborted()
      const timeout = AbortSignal.timeout(request.timeoutMs)
      try {
        const res = await fetch(url, {
          method: request.method,
          headers: request.headers,
          body: request.body ?? null,
          redirect: 'manual',
          signal: AbortSignal.any([request.signal, timeout]),
          dispatcher: agent,
        })
        if (res.status >= 300 && res.status < 400 && res.status !== 304) {
          await res.body?.cancel()
          throw new ProviderError('settings', {
            message: 'This address sends us on to another one. Give the final address.',
            detail: `redirect ${res.status}`,
          })
        }
        const text = await cappedText(res.body, request.maxBytes)
        return { status: res.status, headers: Object.fromEntries(res.headers), text }
      } catch (error) {
        request.signal.throwIfAborted()
        throw named(error, timeout.aborted ? request.timeoutMs : null)
      }
    },
    close: () => agent.destroy(),
  }
}

async function cappedText(body: AsyncIterable<Uint8Array> | null, maxBytes: number): Promise<string> {
  const decoder = new TextDecoder()
  let text = ''
  let bytes = 0
  for await (const chunk of body ?? []) {
    bytes += chunk.byteLength
    if (bytes > maxBytes)
      throw new ProviderError('unreadable', {
        message: 'The answer is too large to read.',
        detail: `body above ${maxBytes} bytes`,
      })
    text += decoder.decode(chunk, { stream: true })
  }
  return text + decoder.decode()
}

function named(error: unknown, timedOutMs: number | null): ProviderError {
  for (let at: unknown = error; at instanceof Error; at = at.cause) {
    if (at instanceof ProviderError) return at
    if ('code' in at && at.code === 'ENOTFOUND')
      return new ProviderError('settings', {
        message: 'There is no host of this name. Check the address.',
        detail: 'ENOTFOUND',
        cause: error,
      })
  }
  if (timedOutMs !== null)
    return new ProviderError('broken', {
      message: `No answer within ${Math.round(timedOutMs / 1000)} seconds.`,
      detail: `timed out after ${timedOutMs} ms`,
      cause: error,
    })
  return new ProviderError('broken', {
    message: 'The connection failed.',
    detail: networkCode(error),
    cause: error,
  })
}

function networkCode(error: unknown): string {
  for (let at: unknown = error; at instanceof Error; at = at.cause)
    if ('code' in at && typeof at.code === 'string') return at.code
  return 'network error'
}
