// Where a connector connects: a table of addresses against a real name server, real sockets and real TLS, all on loopback.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createSecure } from 'node:https'
import type { AddressInfo, Server } from 'node:net'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createEngine } from '../../src/connectors/engine.ts'
import type { ProviderError } from '../../src/connectors/errors.ts'
import { createHttp, type Http } from '../../src/connectors/http.ts'
import type { Network } from '../../src/connectors/http-guard.ts'
import { okta } from '../../src/connectors/okta/okta.ts'
import { silentLog } from '../../src/lib/log.ts'
import { authority, good, key, selfSigned } from './certificates.ts'
import { type NameServer, serveNames } from './name-server.ts'
import { listAll, refusal, swiftClock } from './served.ts'

const [global4, global6] = ['93.184.216.34', '2606:2800:220:1::1']

/** Names, and why each must not be connected to. */
const refused: Record<string, readonly string[] | { cname: string }> = {
  'loopback.example': ['127.0.0.1'],
  'loopback-high.example': ['127.255.255.254'],
  'loopback-6.example': ['::1'],
  'any.example': ['0.0.0.0'],
  'this-network.example': ['0.1.2.3'],
  'any-6.example': ['::'],
  'private-10.example': ['10.1.2.3'],
  'private-172.example': ['172.31.255.255'],
  'private-192.example': ['192.168.0.1'],
  'unique-local.example': ['fd12:3456::1'],
  'link-local.example': ['169.254.1.1'],
  'link-local-6.example': ['fe80::1'],
  'site-local.example': ['fec0::1'],
  'metadata.example': ['169.254.169.254'],
  'metadata-aws-6.example': ['fd00:ec2::254'],
  'metadata-azure.example': ['168.63.129.16'],
  'cgnat.example': ['100.64.0.1'],
  'metadata-alibaba.example': ['100.100.100.200'],
  'multicast.example': ['224.0.0.251'],
  'multicast-6.example': ['ff02::fb'],
  'broadcast.example': ['255.255.255.255'],
  'class-e.example': ['240.0.0.1'],
  'protocol.example': ['192.0.0.170'],
  'documentation.example': ['192.0.2.1', '198.51.100.1', '203.0.113.1'],
  'benchmark.example': ['198.18.0.1'],
  'relay-6to4.example': ['192.88.99.1'],
  'mapped.example': ['::ffff:127.0.0.1'],
  'mapped-private.example': ['::ffff:10.1.2.3'],
  'compatible.example': ['::127.0.0.1'],
  'translated.example': ['::ffff:0:127.0.0.1'],
  'nat64.example': ['64:ff9b::7f00:1'],
  'nat64-local.example': ['64:ff9b:1::a01:203'],
  '6to4.example': ['2002:7f00:1::'],
  'teredo.example': ['2001::1'],
  'documentation-6.example': ['2001:db8::1'],
  'discard.example': ['100::1'],
  'unassigned-6.example': ['4000::1'],
  'one-of-each.example': [global4, '10.1.2.3'],
  'one-of-each-6.example': [global4, '::1'],
  'alias.example': { cname: 'alias-2.example' },
  'alias-2.example': { cname: 'loopback.example' },
}

/** The same, as nothing but an address: never looked up at all. */
const spellings = [
  '127.0.0.1',
  '127.1',
  '2130706433',
  '0x7f000001',
  '0x7f.1',
  '0177.0.0.1',
  '017700000001',
  '127.0.0.1.',
  '①②⑦.0.0.1',
  '127。0。0。1',
  '%31%32%37.0.0.1',
  '0',
  '0.0.0.0',
  '169.254.169.254',
  '2852039166',
  '10.0.0.1',
  '100.64.0.1',
  '224.0.0.1',
  '[::1]',
  '[::]',
  '[::ffff:127.0.0.1]',
  '[::ffff:7f00:1]',
  '[::127.0.0.1]',
  '[64:ff9b::127.0.0.1]',
  '[2002:7f00:1::]',
  '[fd00:ec2::254]',
  '[fe80::1]',
  'localhost',
  'localhost.',
  'localhost..',
  'LOCALHOST',
  'app.localhost',
]

let names: NameServer
let network: Network
let http: Http
let secure: Place
/** How the server behind every address answers. */
let answer: (req: IncomingMessage, res: ServerResponse) => void

interface Place {
  port: number
  /** Sockets that were opened to it, and requests that it heard. */
  seen: { connections: number; requests: IncomingMessage[] }
  close(): Promise<void>
}

/** A server on loopback that counts whatever reaches it. */
async function serveHere(certificate?: string): Promise<Place> {
  const seen: Place['seen'] = { connections: 0, requests: [] }
  const hear = (req: IncomingMessage, res: ServerResponse) => {
    seen.requests.push(req)
    answer(req, res)
  }
  const server: Server = certificate ? createSecure({ cert: certificate, key }, hear) : createServer(hear)
  server.on('connection', () => {
    seen.connections += 1
  })
  // A client that does not trust us says so to the server, too.
  server.on('tlsClientError', () => {})
  await new Promise<void>(done => server.listen(0, '127.0.0.1', done))
  return {
    port: (server.address() as AddressInfo).port,
    seen,
    close: () =>
      new Promise(done => {
        server.close(() => done())
        if ('closeAllConnections' in server) (server as ReturnType<typeof createServer>).closeAllConnections()
      }),
  }
}

beforeAll(async () => {
  names = await serveNames({
    ...refused,
    'public.example': [global4],
    'public-6.example': [global6],
    'both.example': [global4, global6],
    'chain.example': { cname: 'chain-2.example' },
    'chain-2.example': { cname: 'public.example' },
    'rebinding.example': nth => (nth === 1 ? [global4] : ['127.0.0.1']),
    'empty.example': [],
    'other.test': [global4],
  })
  // Every address is reached on loopback: what the guard lets through arrives, whatever it was.
  network = { lookup: names.lookup, reach: () => '127.0.0.1', ca: authority }
  http = createHttp({ allowPrivateNetwork: false, network })
  secure = await serveHere(good)
})
beforeEach(() => {
  answer = (_, res) => void res.end('{"ok":true}')
  Object.assign(secure.seen, { connections: 0, requests: [] })
})
afterAll(async () => {
  await http.close()
  await secure.close()
  await names.close()
})

interface AskOptions {
  by?: Http
  timeoutMs?: number
  maxBytes?: number
}

const ask = (url: string, { by = http, timeoutMs = 5_000, maxBytes = 1_000_000 }: AskOptions = {}) => {
  const { signal } = new AbortController()
  const headers = { authorization: 'Bearer canary' }
  return by.request({ url, method: 'GET', headers, timeoutMs, signal, maxBytes })
}
const at = (host: string, port = secure.port) => `https://${host}:${port}/users`

describe('an address that is not on the public internet is refused, and no socket is opened', () => {
  test.each(Object.keys(refused))('the name %s', async name => {
    const error = await refusal(ask(at(name)))
    expect(error).toMatchObject({ problem: 'settings', detail: `address refused: ${name}` })
    expect(error.message).toMatch(/not on the public internet/)
    expect(secure.seen.connections).toBe(0)
  })

  test.each(spellings)('the address %s', async host => {
    const error = await refusal(ask(at(host)))
    expect(error.problem).toBe('settings')
    expect(secure.seen.connections).toBe(0)
  })

  test.each([
    ['http', `http://public.example`],
    ['ftp', `ftp://public.example`],
    ['file', 'file:///etc/passwd'],
    ['data', 'data:application/json,[]'],
    ['a user name', 'https://user@public.example'],
    ['a user name that looks like the host', 'https://public.example@127.0.0.1'],
    ['a password', 'https://:word@public.example'],
  ])('%s', async (_what, url) => {
    expect(await refusal(ask(url))).toMatchObject({ problem: 'settings' })
    expect(secure.seen.connections).toBe(0)
  })
})

describe('what is public is reached', () => {
  test.each([
    'public.example',
    'public.example.',
    'public-6.example',
    'both.example',
    'chain.example',
    'PUBLIC.example',
  ])('under the name %s', async name => {
    expect(await ask(at(name))).toMatchObject({ status: 200, text: '{"ok":true}' })
    expect(secure.seen.requests).toHaveLength(1)
  })
})

test('a name is looked up once for a connection, and one that answers with a private address later is refused then', async () => {
  const by = createHttp({ allowPrivateNetwork: false, network })
  answer = (_, res) => void res.writeHead(200, { connection: 'close' }).end('{}')
  expect(await ask(at('rebinding.example'), { by })).toMatchObject({ status: 200 })
  expect(names.asked('rebinding.example')).toBe(1)
  expect(await refusal(ask(at('rebinding.example'), { by }))).toMatchObject({ problem: 'settings' })
  expect(names.asked('rebinding.example')).toBe(2)
  expect(secure.seen).toMatchObject({ connections: 1 })
  await by.close()
})

test.each(['nobody.example', 'empty.example'])(
  'the name %s, which has no address, is a setting to mend',
  async name => {
    expect(await refusal(ask(at(name)))).toMatchObject({ problem: 'settings' })
  },
)

describe('the operator opens private networks', () => {
  test('and then names and addresses within are reached, also by http, but never a metadata service or a multicast address', async () => {
    const by = createHttp({ allowPrivateNetwork: true, network })
    const plain = await serveHere()
    for (const host of ['private-10.example', 'loopback-6.example', 'unique-local.example', '127.0.0.1'])
      expect(await ask(`http://${host}:${plain.port}/`, { by }), host).toMatchObject({ status: 200 })
    expect(plain.seen.connections).toBe(4)
    const still = [
      'metadata.example',
      'metadata-aws-6.example',
      'metadata-alibaba.example',
      'metadata-azure.example',
    ]
    for (const host of [
      ...still,
      'link-local-6.example',
      'multicast.example',
      'any.example',
      '169.254.169.254',
      '[::]',
      '0',
    ])
      expect(await refusal(ask(`http://${host}:${plain.port}/`, { by })), host).toMatchObject({
        problem: 'settings',
      })
    expect(plain.seen.connections).toBe(4)
    await plain.close()
    await by.close()
  })
})

describe('the certificate', () => {
  const cases: [what: string, certificate: string, trusted: Partial<Network>, name: string][] = [
    ['that signed itself', selfSigned, {}, 'public.example'],
    ['of another name', good, {}, 'other.test'],
    ['of an authority that nobody trusts', good, { ca: selfSigned }, 'public.example'],
  ]
  test.each(cases)('%s is refused, and nothing is sent', async (_what, certificate, trusted, name) => {
    const place = await serveHere(certificate)
    const by = createHttp({ allowPrivateNetwork: false, network: { ...network, ...trusted } })
    process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0'
    try {
      expect(await refusal(ask(at(name, place.port), { by }))).toMatchObject({ problem: 'broken' })
    } finally {
      delete process.env.NODE_TLS_REJECT_UNAUTHORIZED
    }
    expect(place.seen.requests).toEqual([])
    await by.close()
    await place.close()
  })
})

test.each([301, 302, 303, 307, 308])('a redirect (%i) is refused, and nothing is sent on', async status => {
  const trap = await serveHere(good)
  answer = (req, res) =>
    void res.writeHead(status, { location: `https://both.example:${trap.port}${req.url}?canary` }).end()
  expect(await refusal(ask(at('public.example')))).toMatchObject({
    problem: 'settings',
    detail: `redirect ${status}`,
  })
  expect(secure.seen.requests).toHaveLength(1)
  expect(trap.seen.connections).toBe(0)
  await trap.close()
})

test('proxy variables are not heeded', async () => {
  const proxy = await serveHere()
  const named = ['HTTPS_PROXY', 'https_proxy', 'HTTP_PROXY', 'http_proxy', 'ALL_PROXY', 'NODE_USE_ENV_PROXY']
  const before = new Map(named.map(name => [name, process.env[name]]))
  for (const name of named)
    process.env[name] = name.startsWith('NODE') ? '1' : `http://127.0.0.1:${proxy.port}`
  try {
    const by = createHttp({ allowPrivateNetwork: false, network })
    expect(await ask(at('public.example'), { by })).toMatchObject({ status: 200 })
    await by.close()
  } finally {
    for (const [name, value] of before) {
      if (value === undefined) delete process.env[name]
      else process.env[name] = value
    }
  }
  expect(proxy.seen.connections).toBe(0)
  await proxy.close()
})

// Made before anything is timed.
const bomb = gzipSync(Buffer.alloc(50_000_000))
const bombInBomb = gzipSync(bomb)

describe('an answer that would not end, or not fit', () => {
  const endless = (res: ServerResponse, chunk: Buffer | string, everyMs: number) => {
    const timer = setInterval(() => res.write(chunk), everyMs)
    res.on('close', () => clearInterval(timer))
  }
  const cases: [what: string, problem: ProviderError['problem'], detail: RegExp, as: typeof answer][] = [
    [
      'a body a byte at a time',
      'broken',
      /timed out after 700 ms/,
      (_, res) => endless(res.writeHead(200), 'a', 20),
    ],
    ['headers that never come', 'broken', /timed out after 700 ms/, () => {}],
    [
      'a body that goes on for ever',
      'unreadable',
      /above 1000000 bytes/,
      (_, res) => endless(res, Buffer.alloc(100_000), 1),
    ],
    [
      'a body that swells when unpacked',
      'unreadable',
      /above 1000000 bytes/,
      (_, res) => void res.writeHead(200, { 'content-encoding': 'gzip' }).end(bomb),
    ],
    [
      'a body packed in a packed body',
      'unreadable',
      /above 1000000 bytes/,
      (_, res) => void res.writeHead(200, { 'content-encoding': 'gzip, gzip' }).end(bombInBomb),
    ],
    [
      'a body packed a hundred times',
      'broken',
      /./,
      (_, res) =>
        void res
          .writeHead(200, { 'content-encoding': Array.from({ length: 100 }, () => 'gzip').join(', ') })
          .end('x'),
    ],
    [
      'a length that is a lie',
      'broken',
      /./,
      (_, res) =>
        void res.writeHead(200, { 'content-length': '100' }).write('{}', () => res.socket?.destroy()),
    ],
    [
      'headers larger than 64 kB',
      'broken',
      /HEADERS_OVERFLOW/,
      (_, res) => void res.writeHead(200, { 'x-large': 'a'.repeat(70_000) }).end(),
    ],
  ]
  test.each(cases)('%s ends as %s', async (_what, problem, detail, as) => {
    answer = as
    const by = createHttp({ allowPrivateNetwork: false, network })
    const begun = performance.now()
    const before = process.memoryUsage().rss
    const error = await refusal(ask(at('public.example'), { by, timeoutMs: 700 }))
    expect(error).toMatchObject({ problem, detail: expect.stringMatching(detail) })
    expect(performance.now() - begun).toBeLessThan(3_000)
    expect(process.memoryUsage().rss - before).toBeLessThan(150_000_000)
    await by.close()
  })
})

test('a list whose next page never ends is given up after 20,000 pages, and nobody is held to be gone', async () => {
  let asked = 0
  const engine = createEngine({
    ...{ clock: swiftClock(), log: silentLog, allowPrivateNetwork: false },
    http: {
      async request({ url }) {
        asked += 1
        const headers: Record<string, string> = {
          link: `<https://acme.okta.com/api/v1/users?after=${asked}>; rel="next"`,
        }
        return { status: 200, headers: url.includes('limit=1&') ? {} : headers, text: '[]' }
      },
      close: async () => {},
    },
  })
  const error = await refusal(listAll(engine, okta, { domain: 'acme.okta.com', token: 'canary' }))
  expect(error).toMatchObject({
    problem: 'unreadable',
    detail: expect.stringContaining('more than 20000 pages'),
  })
  expect(asked).toBeLessThan(20_010)
})
