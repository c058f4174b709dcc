// Whatever a vendor answers, no error and no log line says a secret: every connector against a vendor that sends everything back.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { basic, clientCredentials, jwtBearer, refreshToken } from '../../src/connectors/auth.ts'
import type { Connector, Credentials } from '../../src/connectors/connector.ts'
import { createEngine, type Engine } from '../../src/connectors/engine.ts'
import { okta } from '../../src/connectors/okta/okta.ts'
import { connectors } from '../../src/connectors/registry.ts'
import { createLog } from '../../src/lib/log.ts'
import { leaksIn, saidBy, secretsOf } from './canary.ts'
import { type EchoVendor, echoes, serveEcho } from './echo.ts'
import { vendorPlans } from './plans.ts'
import { listAll, swiftClock } from './served.ts'

const plans = await vendorPlans()
const lines: string[] = []
const log = createLog('debug', { write: line => void lines.push(line) })
let echo: EchoVendor
let engine: Engine

beforeAll(async () => {
  echo = await serveEcho()
  engine = createEngine({ clock: swiftClock(), log, allowPrivateNetwork: true, http: echo.http })
})
afterAll(() => echo.close())

const secret = 'canary-7f3a9c51e2'
const url = 'https://vendor.example/oauth/token'
/** The ways to prove who asks that no connector of the registry may have today. */
const granted: Connector[] = [
  {
    ...okta,
    id: 'okta by client credentials',
    auth: clientCredentials(({ token = '' }) => ({
      url,
      form: { grant_type: 'client_credentials', client_secret: token },
    })),
  },
  {
    ...okta,
    id: 'okta by refresh token',
    auth: refreshToken('token', ({ token = '' }) => ({
      url,
      form: { grant_type: 'refresh_token', refresh_token: token },
      headers: basic('client', token),
    })),
  },
  {
    ...okta,
    id: 'okta by a key file',
    auth: jwtBearer(({ token = '' }) => ({ url, key: JSON.parse(token).key, keyField: 'token', claims: {} })),
  },
  { ...okta, id: 'okta by query', check: ({ token = '' }) => ({ path: `/api/${token}`, query: { token } }) },
]
const cases = [...connectors, ...granted].map(connector => ({
  id: connector.id,
  connector,
  credentials: plans.get(connector.id.split(' ')[0] ?? '')?.credentials({ tenant: 'acme', secret }) ?? {},
}))

/** What every way to ask ends with, as text; a page that was read is no error. */
async function ends(connector: Connector, credentials: Credentials): Promise<string[]> {
  const signal = AbortSignal.timeout(20_000)
  const endOf = (doing: Promise<unknown>) => doing.then(() => '', saidBy)
  return [
    await endOf(engine.verify(connector, credentials, { timeoutMs: 2_000, signal })),
    await endOf(listAll(engine, connector, credentials, { signal, patienceMs: 60_000 })),
  ]
}

describe.each(cases)('$id', ({ connector, credentials }) => {
  test('its secrets are in no error and no log line, whatever the vendor sends back', async () => {
    const secrets = secretsOf(connector, credentials)
    expect(secrets, 'it has a secret').not.toEqual([])
    const before = echo.heard
    for (const as of Object.keys(echoes)) {
      echo.as = as
      lines.length = 0
      const said = await ends(connector, credentials)
      const places = { form: said[0] ?? '', run: said[1] ?? '', log: lines.join('') }
      expect(leaksIn(places, secrets), as).toEqual([])
    }
    if (!connector.id.endsWith('key file') && !connector.local)
      expect(echo.heard - before, 'the vendor was asked').toBeGreaterThanOrEqual(Object.keys(echoes).length)
  })

  test('a secret that cannot be sent, or makes no key, is in no error either', async () => {
    const secrets = secretsOf(connector, credentials)
    echo.as = '401 in flat JSON'
    for (const spoil of [
      (text: string) => `${text}\n☃`,
      (text: string) => `{"a":"${text}`,
      (text: string) => `${text}\0`,
    ]) {
      const spoiled = Object.fromEntries(
        Object.entries(credentials).map(([key, value]) => [
          key,
          secrets.includes(value) || (connector.local && value.length > 100) ? spoil(value) : value,
        ]),
      )
      lines.length = 0
      const said = await ends(connector, spoiled)
      expect(leaksIn({ form: said[0] ?? '', run: said[1] ?? '', log: lines.join('') }, secrets)).toEqual([])
    }
  })
})

test('the look itself finds a secret in each form', () => {
  const places = {
    plain: `x ${secret} y`,
    header: `Basic ${Buffer.from(`user:${secret}`).toString('base64')}`,
    pair: `Basic ${Buffer.from(`ab:${secret}:c`).toString('base64')}`,
    whole: Buffer.from(`abc${secret}`).toString('base64url'),
    address: `?token=${encodeURIComponent('pass"word/ä ö')}`,
    json: JSON.stringify({ a: JSON.stringify({ b: 'pass"word/ä ö' }) }),
    cause: saidBy(
      new Error('outer', { cause: Object.assign(new Error('inner'), { sent: { headers: [secret] } }) }),
    ),
  }
  const found = leaksIn(places, [secret, 'pass"word/ä ö']).map(leak => leak.split(':')[0])
  expect([...new Set(found)].sort()).toEqual(Object.keys(places).sort())
})
