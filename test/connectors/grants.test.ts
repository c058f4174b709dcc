// Derived tokens: asked for once, renewed before their end, and a rotated refresh token is kept before anything uses it.
import { generateKeyPairSync, verify as verifySignature } from 'node:crypto'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { z } from 'zod'
import { accountOf } from '../../src/connectors/account.ts'
import {
  bearer,
  clientCredentials,
  jwtBearer,
  refreshToken,
  userAndToken,
} from '../../src/connectors/auth.ts'
import { type Auth, type Credentials, defineConnector } from '../../src/connectors/connector.ts'
import type { Engine } from '../../src/connectors/engine.ts'
import { addressField, choiceField, keyField, secretField, wordField } from '../../src/connectors/fields.ts'
import { cursor } from '../../src/connectors/pagers.ts'
import { engineOn, listAll, refusal, type Served, type SwiftClock, serve, swiftClock } from './served.ts'

let clock: SwiftClock
let engine: Engine
let served: Served
const asked: { path: string; body: string; authorization: string }[] = []
let tokenAnswer: (times: number) => { status?: number; body: unknown }
let onList: () => void

beforeEach(async () => {
  clock = swiftClock()
  engine = engineOn(clock)
  asked.length = 0
  onList = () => {}
  tokenAnswer = times => ({ body: { access_token: `access-${times}`, expires_in: 3600 } })
  served = await serve(async (req, res) => {
    let body = ''
    for await (const chunk of req) body += chunk
    const url = new URL(req.url ?? '', 'http://x')
    asked.push({ path: url.pathname, body, authorization: req.headers.authorization ?? '' })
    const token = url.pathname === '/token'
    if (url.pathname === '/users') onList()
    const { status = 200, body: said } = token
      ? tokenAnswer(asked.filter(one => one.path === '/token').length)
      : {
          body: {
            people: [{ id: `u${url.searchParams.get('at') ?? '0'}` }],
            next: url.searchParams.has('at') ? '' : '1',
          },
        }
    res.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(said))
  })
})

afterEach(async () => {
  await engine.close()
  await served.close()
})

const item = z.object({ id: z.string() })
const body = z.object({ people: z.array(z.unknown()), next: z.string() })

function vendor<C extends Credentials>(
  auth: Auth<C>,
  credentials: z.ZodObject = z.object({ token: secretField({ label: 'Token' }) }),
) {
  return defineConnector(credentials, {
    id: 'vendor',
    name: 'Vendor',
    emoji: ':gear:',
    privileges: [],
    tokenFrom: { text: '', url: 'https://example.com' },
    reports: '',
    base: () => served.url,
    auth: auth as unknown as Auth,
    scopes: [],
    check: () => ({ path: '/me' }),
    tenant: () => ({ key: 'vendor', name: null }),
    rules: [],
    facts: { source: 'https://example.com', on: '2026-11-24' },
    listings: [
      {
        name: 'people',
        request: () => ({ path: '/users' }),
        items: said => body.safeParse(said).data?.people,
        page: cursor('at', said => body.safeParse(said).data?.next),
        account: one => accountOf({ externalId: item.parse(one).id, status: 'active' }),
      },
    ],
  })
}

const client = clientCredentials<{ token: string }>(given => ({
  url: `${served.url}/token`,
  form: { grant_type: 'client_credentials', client_secret: given.token },
}))

test('one token serves a whole stream', async () => {
  expect((await listAll(engine, vendor(client), { token: 's' })).accounts).toHaveLength(2)
  expect(asked.map(one => one.path)).toEqual(['/token', '/me', '/users', '/users'])
  expect(asked[0]?.body).toBe('grant_type=client_credentials&client_secret=s')
  expect(asked[3]?.authorization).toBe('Bearer access-1')
})

test('a token is renewed when nine tenths of its life are over', async () => {
  onList = () => clock.sleep(3_300_000)
  await listAll(engine, vendor(client), { token: 's' })
  expect(asked.map(one => one.path)).toEqual(['/token', '/me', '/users', '/token', '/users'])
})

test('what a grant refuses is the credentials’ fault, and its words are not shown', async () => {
  tokenAnswer = () => ({
    status: 400,
    body: { error: 'invalid_client', error_description: 'secret s is wrong' },
  })
  const error = await refusal(engine.verify(vendor(client), { token: 's' }, { timeoutMs: 5_000 }))
  expect(error).toMatchObject({ problem: 'credentials', field: 'token' })
  expect(error.detail).toBe('POST /token 400 invalid_client')
  expect(error.message).not.toContain('wrong')
})

test('a grant that answers with no token is unreadable', async () => {
  tokenAnswer = () => ({ body: { ok: true } })
  expect(await refusal(listAll(engine, vendor(client), { token: 's' }))).toMatchObject({
    problem: 'unreadable',
  })
})

test('a rotated refresh token is kept before the new access token is used', async () => {
  tokenAnswer = times => ({ body: { access_token: `access-${times}`, refresh_token: `refresh-${times}` } })
  const rotating = vendor(
    refreshToken<{ token: string }>('token', given => ({
      url: `${served.url}/token`,
      form: { grant_type: 'refresh_token', refresh_token: given.token },
    })),
  )
  const kept: string[] = []
  const stream = engine.pages(
    rotating,
    { token: 'refresh-0' },
    {
      signal: new AbortController().signal,
      patienceMs: 1_000,
      keep: async now => void kept.push(`${now.token} after ${asked.length} requests`),
    },
  )
  for await (const _ of stream);
  expect(kept).toEqual(['refresh-1 after 1 requests'])
  const verified = await engine.verify(rotating, { token: 'refresh-0' }, { timeoutMs: 5_000 })
  expect(verified.rotated).toEqual({ token: 'refresh-2' })
})

test('a refresh token that cannot be kept is not used', async () => {
  tokenAnswer = () => ({ body: { access_token: 'access', refresh_token: 'refresh-1' } })
  const rotating = vendor(
    refreshToken<{ token: string }>('token', given => ({
      url: `${served.url}/token`,
      form: { refresh_token: given.token },
    })),
  )
  const stream = engine.pages(
    rotating,
    { token: 'refresh-0' },
    {
      signal: new AbortController().signal,
      patienceMs: 1_000,
      keep: () => Promise.reject(new Error('the database is away')),
    },
  )
  await expect(stream.next()).rejects.toThrow('the database is away')
  expect(asked.map(one => one.path)).toEqual(['/token'])
})

test('a JWT is signed with the key, and lives an hour', async () => {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  })
  const auth = jwtBearer<{ key: string }>(given => ({
    url: `${served.url}/token`,
    key: given.key,
    keyField: 'key',
    keyId: 'k1',
    claims: { iss: 'robot' },
  }))
  const signing = vendor(auth, z.object({ key: keyField({ label: 'Key' }) }))
  await listAll(engine, signing, { key: privateKey })
  const form = new URLSearchParams(asked[0]?.body)
  const [head = '', claims = '', signature = ''] = (form.get('assertion') ?? '').split('.')
  const read = (part: string) =>
    JSON.parse(Buffer.from(part, 'base64url').toString()) as Record<string, unknown>
  expect(read(head)).toEqual({ alg: 'RS256', typ: 'JWT', kid: 'k1' })
  const { iat, exp, iss } = read(claims)
  expect([iss, Number(exp) - Number(iat)]).toEqual(['robot', 3600])
  const text = Buffer.from(`${head}.${claims}`)
  expect(verifySignature('RSA-SHA256', text, publicKey, Buffer.from(signature, 'base64url'))).toBe(true)
  expect(await refusal(listAll(engine, signing, { key: 'not a key' }))).toMatchObject({
    problem: 'credentials',
    field: 'key',
    message: 'The private key cannot be read. Paste it whole, with its first and last line.',
  })
})

test('a user name and a token make basic authentication', () => {
  const auth = userAndToken<{ user: string; token: string }>(given => [given.user, given.token])
  expect(auth.headers({ user: 'a', token: 'b' }, '')).toEqual({ authorization: 'Basic YTpi' })
  expect(bearer('t')).toEqual({ authorization: 'Bearer t' })
})

test('fields say in a sentence what is wrong', () => {
  const says = (field: z.ZodType, given: string) => field.safeParse(given).error?.issues[0]?.message
  expect(says(secretField({ label: 'API token' }), '')).toBe('Give the API token.')
  expect(says(secretField({ label: 'API token' }), 'two words')).toBe(
    'There is a space or a special letter in it. Copy it anew.',
  )
  expect(says(addressField({ label: 'Okta domain', named: true }), '')).toBe('Give the Okta domain.')
  expect(says(wordField({ label: 'Group' }), 'a/b')).toBe('Only letters, digits and . _ @ + - can be in it.')
  expect(says(choiceField({ label: 'Region' }, [['eu', 'Europe']]), 'moon')).toBe('Choose the region.')
})
