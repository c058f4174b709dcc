// The guard of addresses: nothing but https on the public internet is reached, unless the operator opened private networks.
import { afterAll, describe, expect, test } from 'vitest'
import { baseAddress, isBaseAddress } from '../../src/connectors/address.ts'
import { readCredentials } from '../../src/connectors/connector.ts'
import { createEngine } from '../../src/connectors/engine.ts'
import { createHttp } from '../../src/connectors/http.ts'
import { checkedUrl, isGlobalAddress } from '../../src/connectors/http-guard.ts'
import { okta } from '../../src/connectors/okta/okta.ts'
import { connectors } from '../../src/connectors/registry.ts'
import { scim } from '../../src/connectors/scim/scim.ts'
import { systemClock } from '../../src/lib/clock.ts'
import { silentLog } from '../../src/lib/log.ts'
import { refusal, serve } from './served.ts'

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
  { url: 'http://example.com/', says: 'This address must start with https://.' },
  { url: 'ftp://example.com/', says: 'This address must start with https://.' },
  { url: 'https://user:pass@example.com/', says: 'Leave the user name and password out of the address.' },
  { url: 'not an address', says: 'This is not a web address. Check it.' },
])('$url is refused with a sentence', async ({ url, says }) => {
  expect(await refusal(ask(url))).toMatchObject({ problem: 'settings', message: says })
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

  test.each([
    'http:/127.0.0.1:4000/vendors/okta',
    'https:/acme.okta.com',
    'http//acme.okta.com',
    'acme:/okta',
  ])('%s is no address: its scheme is not taken for a host', typed => {
    expect(isBaseAddress(typed)).toBe(false)
    expect(() => baseAddress(typed, 'domain')).toThrow('This is not a web address. Check it.')
  })

  test('no name in a label loses its capital in a sentence', () => {
    const sentences = connectors.flatMap(connector => {
      const read = readCredentials(connector, {})
      return read.ok ? [] : Object.values(read.problems)
    })
    expect(sentences.length).toBeGreaterThan(40)
    const names = connectors.map(({ name }) => name).filter(name => name !== name.toLowerCase())
    const small = names.map(name => name.charAt(0).toLowerCase() + name.slice(1))
    expect(sentences.filter(said => small.some(name => said.includes(` the ${name} `)))).toEqual([])
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
