// The engine against answers that could hide, double or leak people: each is refused, waited out or told.
import type { IncomingMessage, ServerResponse } from 'node:http'
import { gzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { providerError } from '../../src/connectors/answers.ts'
import type { Engine } from '../../src/connectors/engine.ts'
import { github } from '../../src/connectors/github/github.ts'
import { okta } from '../../src/connectors/okta/okta.ts'
import { scim } from '../../src/connectors/scim/scim.ts'
import { engineOn, listAll, refusal, type Served, type SwiftClock, serve, swiftClock } from './served.ts'

let clock: SwiftClock
let engine: Engine
const open: Served[] = []

beforeEach(() => {
  clock = swiftClock()
  engine = engineOn(clock)
})

afterEach(async () => {
  await engine.close()
  for (const served of open.splice(0)) await served.close()
})

interface Answer {
  status?: number
  headers?: Record<string, string>
  /** JSON, or text sent as it stands. */
  body: unknown
}

/** An Okta whose check passes and whose listing answers as `list` says; `asked` are the listing's addresses. */
async function oddOkta(list: (asked: URL, times: number) => Answer) {
  const asked: URL[] = []
  const served = await serve((req, res) => {
    const url = new URL(req.url ?? '', `http://${req.headers.host}`)
    if (url.searchParams.get('limit') === '1') return answer(res, { body: [person(0)] })
    if (url.pathname === '/api/v1/org') return answer(res, { body: { companyName: 'Acme' } })
    asked.push(url)
    answer(res, list(url, asked.length))
  })
  open.push(served)
  return { asked, credentials: { domain: served.url, token: 'a-secret-token' } }
}

function answer(res: ServerResponse, { status = 200, headers = {}, body }: Answer): void {
  res.writeHead(status, { 'content-type': 'application/json', ...headers })
  res.end(typeof body === 'string' || body instanceof Buffer ? body : JSON.stringify(body))
}

function person(n: number, over: object = {}) {
  return {
    id: `u${n}`,
    status: 'ACTIVE',
    created: '2024-01-01T00:00:00.000Z',
    lastLogin: null,
    profile: { login: `u${n}@acme.example`, firstName: 'U', lastName: String(n) },
    ...over,
  }
}

const next = (address: string | URL) => ({ link: `<${address}>; rel="next"` })

test('two errors of the vendor are waited out with a growing back-off', async () => {
  const { asked, credentials } = await oddOkta((_, times) =>
    times < 3 ? { status: 502, body: '<h1>Bad gateway</h1>' } : { body: [person(1)] },
  )
  expect((await listAll(engine, okta, credentials)).accounts).toHaveLength(1)
  expect(asked).toHaveLength(3)
  expect(clock.waits).toHaveLength(2)
  expect(clock.waits[0]).toBeGreaterThanOrEqual(375)
  expect(clock.waits[0]).toBeLessThanOrEqual(500)
  expect(clock.waits[1]).toBeGreaterThanOrEqual(750)
  expect(clock.waits[1]).toBeLessThanOrEqual(1_000)
  expect(
    asked.map(url => url.searchParams.get('limit')),
    'the page is halved at the third try',
  ).toEqual(['200', '200', '100'])
})

test('a connection that breaks off is tried again', async () => {
  let times = 0
  const served = await serve((req: IncomingMessage, res) => {
    times++
    if (times < 3) req.socket.destroy()
    else answer(res, { body: [person(1)] })
  })
  open.push(served)
  const listed = await listAll(engine, okta, { domain: served.url, token: 't' })
  expect(listed.accounts).toHaveLength(1)
  expect(clock.waits).toHaveLength(2)
})

test.each([
  { what: 'a web page', body: '<html><title>Sign in</title></html>', why: 'not JSON' },
  { what: 'cut-off JSON', body: '[{"id":"u1","status":"ACT', why: 'not JSON' },
  { what: 'an object where a list belongs', body: { users: [] }, why: 'no list of people' },
  { what: 'nothing at all', body: '', why: 'no list of people' },
])('$what with status 200 is unreadable, not an empty list', async ({ body, why }) => {
  const { asked, credentials } = await oddOkta(() => ({ body }))
  const error = await refusal(listAll(engine, okta, credentials))
  expect(error).toMatchObject({
    problem: 'unreadable',
    message: 'Okta answered with something that saasm cannot read. Nothing was changed.',
    detail: `GET /api/v1/users 200 ${why}`,
  })
  expect(asked).toHaveLength(1)
  const inForm = await refusal(engine.verify(okta, credentials, { timeoutMs: 5_000 }))
  expect(inForm).toMatchObject({ problem: 'unreadable', field: 'domain' })
})

test('an error is logged by method, path, status and vendor code, without query or body', async () => {
  const { credentials } = await oddOkta(() => ({
    status: 403,
    body: { errorCode: 'E0000006', errorSummary: 'a private sentence' },
  }))
  const error = await refusal(listAll(engine, okta, credentials))
  expect(error).toMatchObject({
    problem: 'permission',
    detail: 'GET /api/v1/users 403 E0000006',
    missing: ['okta.users.read'],
  })
  expect(error.message).not.toContain('private')
})

describe('paging', () => {
  test('a page that comes twice is refused', async () => {
    const { credentials } = await oddOkta((url, times) => ({
      body: [person(1), person(2)],
      headers: next(new URL(`/api/v1/users?after=${times}`, url)),
    }))
    const error = await refusal(listAll(engine, okta, credentials))
    expect(error).toMatchObject({
      problem: 'unreadable',
      detail: expect.stringContaining('repeated page'),
    })
  })

  test('a next link that was followed before is refused', async () => {
    const { asked, credentials } = await oddOkta((url, times) => ({
      body: [person(times)],
      headers: next(new URL('/api/v1/users?after=same', url)),
    }))
    const error = await refusal(listAll(engine, okta, credentials))
    expect(error).toMatchObject({ problem: 'unreadable', detail: expect.stringContaining('already made') })
    expect(asked).toHaveLength(2)
  })

  test.each(['https://evil.example/api/v1/users', 'http://127.0.0.1:1/x', '@evil.example/', 'http://['])(
    'a next link to %s is refused, and no token goes there',
    async link => {
      const { asked, credentials } = await oddOkta(() => ({ body: [person(1)], headers: next(link) }))
      const error = await refusal(listAll(engine, okta, credentials))
      expect(error).toMatchObject({
        problem: 'unreadable',
        detail: expect.stringContaining('another origin'),
      })
      expect(asked).toHaveLength(1)
    },
  )

  test('somebody who is on two pages is reported once, as first seen', async () => {
    const { credentials } = await oddOkta((url, times) =>
      times === 1
        ? { body: [person(1), person(2)], headers: next(new URL('/api/v1/users?after=u2', url)) }
        : { body: [person(2, { status: 'SUSPENDED' }), person(3)] },
    )
    const { accounts, end } = await listAll(engine, okta, credentials)
    expect(accounts.map(one => `${one.externalId} ${one.status}`)).toEqual([
      'u1 active',
      'u2 active',
      'u3 active',
    ])
    expect(end.complete).toBe(true)
  })

  test('a SCIM list that stops before its own total removes nobody', async () => {
    const served = await serve((req, res) => {
      const from = Number(new URL(req.url ?? '', 'http://x').searchParams.get('startIndex'))
      const Resources = from === 1 ? [{ id: '1', userName: 'a@acme.example' }] : []
      answer(res, { body: { totalResults: 3, Resources } })
    })
    open.push(served)
    const { accounts, end } = await listAll(engine, scim, { address: served.url, user: '', token: 't' })
    expect(accounts).toHaveLength(1)
    expect(end).toEqual({
      warnings: ['Not everybody is reported: the list of people stopped early.'],
      complete: false,
    })
  })
})

describe('rows', () => {
  test('a row that cannot be read is told, and nobody counts as gone', async () => {
    const rows = [person(1), person(2, { status: 'ASTRAL' }), person(3), { ...person(4), id: undefined }]
    const { credentials } = await oddOkta(() => ({ body: rows }))
    const { accounts, pages, end } = await listAll(engine, okta, credentials)
    expect(accounts.map(one => one.externalId)).toEqual(['u1', 'u3'])
    expect(pages[0]?.problems).toEqual([
      { externalId: 'u2', message: 'The field “status” cannot be read.' },
      { externalId: null, message: 'The field “id” cannot be read.' },
    ])
    expect(end.complete).toBe(false)
  })

  test('a page of which more than half cannot be read is refused', async () => {
    const rows = [person(1), person(2, { status: 'ASTRAL' }), person(3, { status: 'LOST' })]
    const { credentials } = await oddOkta(() => ({ body: rows }))
    expect(await refusal(listAll(engine, okta, credentials))).toMatchObject({
      problem: 'unreadable',
      detail: 'GET /api/v1/users 200 2 of 3 rows unreadable',
    })
  })

  test('text, addresses and dates are cleaned, and what is no value becomes nothing', async () => {
    const odd = [
      person(1, {
        id: 'u1',
        created: '+012024-01-01T00:00:00Z',
        lastLogin: 'yesterday',
        profile: { email: 'no address', displayName: 'x'.repeat(400), login: null },
      }),
      person(2, { profile: { email: `${'a'.repeat(260)}@acme.example` } }),
      person(3),
      person(4),
      person(5, { id: 'i'.repeat(256) }),
      person(6, { id: 'u\u00001' }),
      person(7, { created: '0001-01-01T00:00:00Z', lastLogin: '9999-12-31T23:59:59Z' }),
    ]
    const { credentials } = await oddOkta(() => ({ body: odd }))
    const { accounts, pages } = await listAll(engine, okta, credentials)
    expect(accounts[0]).toMatchObject({ externalId: 'u1', email: null, createdAt: null, lastActiveAt: null })
    expect(Array.from(accounts[0]?.name ?? '')).toHaveLength(300)
    expect(accounts[1]?.email).toBeNull()
    expect(pages[0]?.problems.map(({ message }) => message)).toEqual([
      'The account has an id that is too long.',
      'The account has an id with characters that cannot be stored.',
    ])
    expect(accounts.at(-1)).toMatchObject({ externalId: 'u7', createdAt: null, lastActiveAt: null })
  })

  test('an empty list is a complete list of nobody', async () => {
    const { credentials } = await oddOkta(() => ({ body: [] }))
    const { accounts, end } = await listAll(engine, okta, credentials)
    expect(accounts).toEqual([])
    expect(end.complete).toBe(true)
  })
})

describe('waits', () => {
  test.each([
    { what: 'seconds', headers: () => ({ 'retry-after': '7' }), seconds: 7 },
    {
      what: 'a date',
      headers: () => ({ 'retry-after': new Date(clock.now().getTime() + 20_000).toUTCString() }),
      seconds: 20,
    },
    {
      what: 'a moment in milliseconds',
      headers: () => ({ 'x-ratelimit-reset': String(clock.now().getTime() + 9_000) }),
      seconds: 9,
    },
    {
      what: 'the milliseconds of a limit on requests',
      headers: () => ({
        'x-ratelimit-requests-remaining': '0',
        'x-ratelimit-requests-reset': String(clock.now().getTime() + 12_000),
      }),
      seconds: 12,
    },
    { what: 'a day, cut to an hour', headers: () => ({ 'retry-after': '86400' }), seconds: 3_600 },
  ])('a rate limit told in $what is understood', async ({ headers, seconds }) => {
    const { credentials } = await oddOkta((_, times) =>
      times === 1 ? { status: 429, body: {}, headers: headers() } : { body: [person(1)] },
    )
    await listAll(engine, okta, credentials, { patienceMs: 4_000_000 })
    expect(Math.abs((clock.waits[0] ?? 0) / 1000 - seconds)).toBeLessThan(1.5)
  })

  test('a run that is stopped while it waits ends with the reason', async () => {
    const stop = new AbortController()
    const { credentials } = await oddOkta(() => ({ status: 503, body: {} }))
    clock.onWait = () => stop.abort(new Error('shutting down'))
    await expect(listAll(engine, okta, credentials, { signal: stop.signal })).rejects.toThrow('shutting down')
  })

  test('a vendor that answers too late does not hold up the form', async () => {
    const served = await serve(() => {})
    open.push(served)
    const error = await refusal(engine.verify(okta, { domain: served.url, token: 't' }, { timeoutMs: 200 }))
    expect(error).toMatchObject({
      problem: 'broken',
      message: 'Okta does not answer as it should. Check “Okta domain”, or try again in a few minutes.',
      detail: expect.stringContaining('timed out'),
    })
  })
})

test('where nobody types the address, the form does not ask to check one', () => {
  for (const address of [{}, { address: '' }]) {
    const credentials = { organization: 'acme', token: 't', ...address }
    const asked = { connector: github, credentials, place: 'form' as const, what: 'GET /', scopes: [] }
    expect(providerError(asked, 'broken', '').message).toBe(
      'GitHub does not answer as it should. Try again in a few minutes.',
    )
  }
})

test('a redirect is not followed: the address is to be mended', async () => {
  const { credentials } = await oddOkta(() => ({
    status: 302,
    body: '',
    headers: { location: 'https://evil.example/' },
  }))
  expect(await refusal(listAll(engine, okta, credentials))).toMatchObject({
    problem: 'settings',
    field: 'domain',
    message: 'This address sends us on to another one. Give the final address.',
  })
})

test('a body that swells beyond 64 MB when unpacked is cut off', async () => {
  const bomb = gzipSync(Buffer.alloc(65 * 1024 * 1024, ' '))
  const { credentials } = await oddOkta(() => ({ body: bomb, headers: { 'content-encoding': 'gzip' } }))
  expect(await refusal(listAll(engine, okta, credentials))).toMatchObject({
    problem: 'unreadable',
    detail: expect.stringContaining('body above'),
  })
})

test('a tenant name that cannot be had does not refuse the connection', async () => {
  const served = await serve((req, res) => {
    if (req.url === '/api/v1/org') answer(res, { status: 403, body: { errorCode: 'E0000006' } })
    else answer(res, { body: [person(1)] })
  })
  open.push(served)
  const verified = await engine.verify(okta, { domain: served.url, token: 't' }, { timeoutMs: 5_000 })
  expect(verified).toEqual({ tenantKey: new URL(served.url).host, tenantName: null })
})

test('a SCIM user name and password go as basic authentication, a token alone as bearer', async () => {
  const sent: (string | undefined)[] = []
  const served = await serve((req, res) => {
    sent.push(req.headers.authorization)
    answer(res, { body: { totalResults: 0 } })
  })
  open.push(served)
  await listAll(engine, scim, { address: served.url, user: 'jürgen', token: 'pass:word' })
  await listAll(engine, scim, { address: served.url, user: '', token: 'tok' })
  const password = `Basic ${Buffer.from('jürgen:pass:word').toString('base64')}`
  expect(sent).toEqual([password, password, 'Bearer tok', 'Bearer tok'])
})
