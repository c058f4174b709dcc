// One request and the whole answer to it, ended early by who asked, by the time that is over, or by a body above its limit.
import { type Dispatcher, request } from 'undici'
import { ProviderError } from './errors.ts'
import { acceptEncoding, createBody } from './http-body.ts'

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

/** An answer as it came, its body still packed. */
export interface Exchanged {
  status: number
  /** Names in lower case. */
  headers: Record<string, string>
  body: Buffer
}

/** Ask once. Throws ProviderError, the errors of the network, or any error after `signal` has aborted. */
export async function exchange(dispatcher: Dispatcher, url: URL, asked: HttpRequest): Promise<Exchanged> {
  const { method, headers, body, timeoutMs, signal, maxBytes } = asked
  // One of our own for both ends: `AbortSignal.any` and `timeout` cost more than the request.
  const over = new AbortController()
  const timer = setTimeout(() => over.abort(timedOut(timeoutMs)), timeoutMs)
  const stop = () => over.abort(signal.reason)
  signal.addEventListener('abort', stop, { once: true })
  try {
    const res = await request(url, {
      ...{ dispatcher, method, signal: over.signal, body: body ?? null },
      headers: { 'accept-encoding': acceptEncoding, ...headers },
    })
    const status = res.statusCode
    // A body that is not read is destroyed, and would say so to nobody: that ends the process.
    res.body.on('error', () => {})
    try {
      if (status >= 300 && status < 400 && status !== 304) throw redirected(status)
      const found = oneEach(res.headers)
      const gathered = createBody(maxBytes, Number(found['content-length']) || 0)
      for await (const chunk of res.body) gathered.add(chunk)
      return { status, headers: found, body: await gathered.whole() }
    } finally {
      // Does nothing to a body that has been read to its end.
      res.body.destroy()
    }
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', stop)
  }
}

/** One value a name, as RFC 9110 (section 5.3) puts several of them together. */
function oneEach(headers: Readonly<Record<string, string | string[] | undefined>>): Record<string, string> {
  const one: Record<string, string> = {}
  for (const [name, value] of Object.entries(headers))
    if (value !== undefined) one[name] = typeof value === 'string' ? value : value.join(', ')
  return one
}

function redirected(status: number): ProviderError {
  return new ProviderError('settings', {
    message: 'This address sends us on to another one. Give the final address.',
    detail: `redirect ${status}`,
  })
}

function timedOut(timeoutMs: number): ProviderError {
  return new ProviderError('broken', {
    message: `No answer within ${Math.round(timeoutMs / 1000)} seconds.`,
    detail: `timed out after ${timeoutMs} ms`,
  })
}
