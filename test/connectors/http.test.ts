// What the connectors' HTTP client promises of an answer: unpacked as far as it goes, read as UTF-8, and let go when it is not wanted.
import type { IncomingMessage, ServerResponse } from 'node:http'
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from 'node:zlib'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createHttp, type Http } from '../../src/connectors/http.ts'
import { checkedUrl } from '../../src/connectors/http-guard.ts'
import { refusal, type Served, serve } from './served.ts'

let answer: (req: IncomingMessage, res: ServerResponse) => unknown = () => {}
let served: Served
let http: Http
beforeAll(async () => {
  served = await serve((req, res) => answer(req, res))
  http = createHttp({ allowPrivateNetwork: true })
})
afterAll(async () => {
  await http.close()
  await served.close()
})

const never = new AbortController().signal
const ask = (options: { signal?: AbortSignal; timeoutMs?: number } = {}) =>
  http.request({
    ...{ url: served.url, method: 'GET', headers: {}, maxBytes: 100_000, timeoutMs: 5_000, signal: never },
    ...options,
  })
const packed = (coding: string, body: Buffer, status = 200) => {
  answer = (_, res) => res.writeHead(status, { 'content-encoding': coding }).end(body)
}

const text = JSON.stringify({ name: 'Zoë Ångström 🦊', long: 'x'.repeat(2_000) })

test.each([
  ['gzip', gzipSync(text)],
  ['x-gzip', gzipSync(text)],
  ['GZIP', gzipSync(text)],
  ['deflate', deflateSync(text)],
  ['deflate', deflateRawSync(text)],
  ['br', brotliCompressSync(text)],
  ['deflate, gzip', gzipSync(deflateSync(text))],
  ['identity', Buffer.from(text)],
])('a body packed as %s is read as the text that it was', async (coding, body) => {
  packed(coding, body)
  expect((await ask()).text).toBe(text)
})

test('a refusal that is packed is unpacked, too, so that its reason can be read', async () => {
  packed('gzip', gzipSync('{"error":"missing_scope"}'), 403)
  expect(await ask()).toMatchObject({ status: 403, text: '{"error":"missing_scope"}' })
})

test('a packed body that ends too early is read as far as it goes', async () => {
  const words = Array.from({ length: 20_000 }, (_, n) => String(n * 7_919)).join(' ')
  const whole = gzipSync(words.slice(0, 90_000))
  packed('gzip', whole.subarray(0, whole.length / 2))
  const { text: half } = await ask()
  expect(half.length).toBeGreaterThan(1_000)
  expect(words.startsWith(half)).toBe(true)
})

test('a body that is not what its packing says is a broken answer', async () => {
  packed('gzip', Buffer.from('this is no gzip'))
  expect(await refusal(ask())).toMatchObject({ problem: 'broken' })
})

test('text is UTF-8 without its byte order mark, and a letter cut between two pieces is one letter', async () => {
  const bytes = Buffer.from('\uFEFF{"name":"🦊"}')
  answer = async (_, res) => {
    res.writeHead(200, { 'content-type': 'application/json' })
    for (const byte of bytes) await new Promise(done => res.write(Buffer.from([byte]), done))
    res.end()
  }
  expect((await ask()).text).toBe('{"name":"🦊"}')
})

test('a hint before the answer is passed over, and headers of one name are put together', async () => {
  answer = (_, res) => {
    res.writeEarlyHints({ link: '</style.css>; rel=preload' })
    res.writeHead(200, [
      ...['Link', '<https://a.example/?page=2>; rel="next"', 'Link', '<https://a.example/>; rel="self"'],
    ])
    res.end('[]')
  }
  const { status, headers } = await ask()
  expect(status).toBe(200)
  expect(headers.link).toBe('<https://a.example/?page=2>; rel="next", <https://a.example/>; rel="self"')
})

/** Sends a beginning and nothing more; resolves once the other side has let go. */
function beginning(status = 200, begun = () => {}): Promise<void> {
  return new Promise(resolve => {
    answer = (_, res) => {
      res.on('close', resolve)
      begun()
      res.writeHead(status, { location: 'https://elsewhere.example/' }).write('[')
    }
  })
}

test('a stop in the middle of a body lets go of the connection, and the stop is what is thrown', async () => {
  const stop = new AbortController()
  const gone = beginning(200, () => setImmediate(() => stop.abort(new Error('Enough'))))
  await expect(ask({ signal: stop.signal })).rejects.toThrow('Enough')
  await gone
})

test('the time limit is over the whole answer, its body included', async () => {
  const gone = beginning()
  expect(await refusal(ask({ timeoutMs: 200 }))).toMatchObject({
    problem: 'broken',
    detail: 'timed out after 200 ms',
  })
  await gone
})

test('a redirect is refused, and its endless body is let go', async () => {
  const gone = beginning(302)
  expect(await refusal(ask())).toMatchObject({ problem: 'settings', detail: 'redirect 302' })
  await gone
})

test('a length that promises gigabytes takes no memory before they come', async () => {
  answer = (_, res) => {
    res.writeHead(200, { 'content-length': String(8 * 1024 ** 3) }).write('[]', () => res.destroy())
  }
  const before = process.memoryUsage().rss
  expect(await refusal(ask())).toMatchObject({ problem: 'broken' })
  expect(process.memoryUsage().rss - before).toBeLessThan(50_000_000)
})

test.each(['22', '25', '6667', '10080'])('port %s, where something else listens, is refused', port => {
  const url = `https://acme.example:${port}/`
  expect(() => checkedUrl(url, true)).toThrow(
    expect.objectContaining({ detail: `address refused: port ${port}` }),
  )
})
