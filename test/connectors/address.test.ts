// The guard of addresses: nothing but https on the public internet is reached, unless the operator opened private networks.
import { afterAll, describe, expect, test, vi } from 'vitest'
import { baseAddress } from '../../src/connectors/address.ts'
import { readCredentials } from '../../src/connectors/connector.ts'
import { createEngine } from '../../src/connectors/engine.ts'
import { createHttp } from '../../src/connectors/http.ts'
import { checkedUrl, isGlobalAddress } from '../../src/connectors/http-guard.ts'
import { okta } from '../../src/connectors/okta/okta.ts'
import { scim } from '../../src/connectors/scim/scim.ts'
import { systemClock } from '../../src/lib/clock.ts'
import { silentLog } from '../../src/lib/log.ts'
import { refusal, serve } from './served.ts'

const names: Record<string, string[]> = {
  'private.example': ['10.1.2.3'],
  'mixed.example': ['1.1.1.1', '127.0.0.1'],
  'mapped.example': ['::ffff:10.1.2.3'],
}

// The names above stand in for a name server; nothing here asks a real one.
vi.mock('node:dns', () => ({
  lookup: (host: string, _: object, done: (error: Error | null, found: object[]) => void) => {
    const found = (names[host] ?? []).map(address => ({ address, family: address.includes(':') ? 6 : 4 }))
    const error = Object.assign(new Error('getaddrinfo'), { code: 'ENOTFOUND' })
    setImmediate(() => done(found.length === 0 ? error : null, found))
  },
}))

const http = createHttp({ allowPrivateNetwork: false })
const engine = createEngine({ clock: systemClock, log: silentLog, allowPrivateNetwork: false })

afterAll(async () => {
  await http.close()
  await engine.close()
})

const ask = (url: string) =>
  http.request({
    url,
    method: 'GET',
    headers: {},
    timeoutMs: 2_000,
    signal: new AbortController().signal,
    maxBytes: 1_000,
  })

test.each([
  'https://127.0.0.1/',
  'https://[::1]/',
  'https://[::ffff:127.0.0.1]/',
  'https://[::ffff:7f00:1]/',
  'https://169.254.169.254/latest/meta-data/',
  'https://[fd00:ec2::254]/',
  'https://[64:ff9b::7f00:1]/',
  'https://[2002:7f00:1::]/',
  'https://10.0.0.1/',
  'https://172.16.0.1/',
  'https://192.168.1.1/',
  'https://100.64.0.1/',
  'https://0.0.0.0/',
  'https://224.0.0.1/',
  'https://2130706433/',
  'https://0x7f.1/',
  'https://localhost/',
  'https://localhost./',
  'https://app.localhost/',
])('%s is refused before anything is sent', async url => {
  const error = await refusal(ask(url))
  expect(error.problem).toBe('settings')
  expect(error.message).toMatch(/^This address is not on the public internet\. /)
})

test.each([
  { url: 'http://example.com/', says: 'This address must start with https://.' },
  { url: 'ftp://example.com/', says: 'This address must start with https://.' },
  { url: 'https://user:pass@example.com/', says: 'Leave the user name and password out of the address.' },
  { url: 'not an address', says: 'This is not a web address. Check it.' },
])('$url is refused with a sentence', async ({ url, says }) => {
  expect(await refusal(ask(url))).toMatchObject({ problem: 'settings', message: says })
})

test.each([
  { host: 'private.example', what: 'a private address' },
  { host: 'mixed.example', what: 'a public and a private address' },
  { host: 'mapped.example', what: 'a private address in IPv6 clothes' },
])('a name that resolves to $what is refused as it is connected to', async ({ host }) => {
  const error = await refusal(ask(`https://${host}/`))
  expect(error).toMatchObject({ problem: 'settings', detail: `address refused: ${host}` })
})

test('a name that nobody has is a setting to mend', async () => {
  expect(await refusal(ask('https://nobody.example/'))).toMatchObject({
    problem: 'settings',
    message: 'There is no host of this name. Check the address.',
  })
})

test('public addresses pass', () => {
  for (const address of ['1.1.1.1', '8.8.8.8', '2606:4700:4700::1111', '::ffff:1.1.1.1'])
    expect(isGlobalAddress(address)).toBe(true)
  expect(checkedUrl('https://1.1.1.1/x', false).href).toBe('https://1.1.1.1/x')
})

test('a private address in the form is refused at its field, without any request', async () => {
  let requests = 0
  const served = await serve((_, res) => {
    requests++
    res.end()
  })
  const port = new URL(served.url).port
  const credentials = { domain: `https://127.0.0.1:${port}`, token: 't' }
  const error = await refusal(engine.verify(okta, credentials, { timeoutMs: 5_000 }))
  expect(error).toMatchObject({ problem: 'settings', field: 'domain' })
  expect(error.message).toMatch(/public internet/)
  expect(requests).toBe(0)
  await served.close()
})

describe('what people type', () => {
  test.each([
    ['acme.okta.com', 'https://acme.okta.com'],
    ['https://acme.okta.com/', 'https://acme.okta.com'],
    ['ACME.okta.com', 'https://acme.okta.com'],
    ['http://127.0.0.1:4000/vendors/okta', 'http://127.0.0.1:4000/vendors/okta'],
    ['app.example.com/scim/v2/', 'https://app.example.com/scim/v2'],
    ['https://app.example.com/scim/v2?x=1#y', 'https://app.example.com/scim/v2'],
  ])('%s is read as %s', (typed, base) => {
    expect(baseAddress(typed, 'domain')).toBe(base)
  })

  test('a field that cannot be is told in a sentence', () => {
    expect(readCredentials(okta, { domain: 'not a domain', token: '' })).toEqual({
      ok: false,
      problems: {
        domain: 'This is not an address. It looks like acme.okta.com.',
        token: 'Give the API token.',
      },
    })
    expect(readCredentials(scim, { address: ' app.example.com ', user: '', token: 'x' })).toMatchObject({
      ok: true,
      credentials: { address: 'app.example.com' },
    })
  })
})
