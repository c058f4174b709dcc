// Whatever a vendor answers: each connector gives clean accounts or a ProviderError, within bounds, and nothing else.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Account } from '../../src/connectors/account.ts'
import { fieldsOf } from '../../src/connectors/connector.ts'
import { createEngine } from '../../src/connectors/engine.ts'
import { ProviderError } from '../../src/connectors/errors.ts'
import type { HttpAnswer } from '../../src/connectors/http.ts'
import { cursor, linkHeader, nextUrl, scimPage } from '../../src/connectors/pagers.ts'
import { connectors } from '../../src/connectors/registry.ts'
import { toldWaitMs } from '../../src/connectors/waits.ts'
import { silentLog } from '../../src/lib/log.ts'
import { swiftClock } from '../connectors/served.ts'
import { bounded } from './cost.ts'

/** Keys and values that vendors use, so that an answer gets past the first look. */
const keys = [
  ...[
    'id',
    'email',
    'name',
    'login',
    'status',
    'profile',
    'Resources',
    'totalResults',
    'startIndex',
    'active',
  ],
  ...[
    'users',
    'members',
    'data',
    'items',
    'results',
    'value',
    'entries',
    'records',
    'attributes',
    'meta',
    'error',
  ],
  ...[
    'errors',
    'message',
    'code',
    'ok',
    'next',
    'links',
    'paging',
    'response_metadata',
    'next_cursor',
    'has_more',
  ],
  ...[
    'access_token',
    'expires_in',
    'scope',
    'organization',
    'userName',
    'emails',
    'roles',
    'pageInfo',
    'nodes',
  ],
  ...['__proto__', 'constructor', 'toString', ''],
]
const odd = [
  '\0',
  '\ud800',
  '👩‍💻',
  '‮txt',
  '<!channel>',
  'https://evil.example/x',
  'ACTIVE',
  'x'.repeat(20_000),
]
const leaf = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 60 }),
  fc.constantFrom<unknown>(...odd, null, true, false, 0, -1, 1e21, 1e-7),
  fc.integer(),
  fc.date({ noInvalidDate: true }).map(date => date.toISOString()),
)
const { json } = fc.letrec<{ json: unknown }>(tie => ({
  json: fc.oneof(
    { maxDepth: 5, withCrossShrink: true },
    leaf,
    fc.array(tie('json'), { maxLength: 6 }),
    fc.dictionary(fc.constantFrom(...keys), tie('json'), { maxKeys: 8 }),
  ),
}))
const headers = fc.dictionary(
  fc.constantFrom(
    'link',
    'retry-after',
    'x-ratelimit-reset',
    'x-ratelimit-remaining',
    'x-oauth-scopes',
    'after-cursor',
  ),
  fc.oneof(
    fc.string({ maxLength: 200 }),
    fc.constantFrom('<https://evil.example/>; rel="next"', '-1', '1e309'),
  ),
  { maxKeys: 3 },
)
const answer: fc.Arbitrary<HttpAnswer> = fc.record({
  status: fc.oneof(
    { weight: 6, arbitrary: fc.constant(200) },
    fc.constantFrom(201, 204, 400, 401, 402, 403, 404, 408, 409, 418, 429, 500, 503),
  ),
  headers,
  text: fc.oneof(
    { weight: 6, arbitrary: json.map(value => JSON.stringify(value) ?? '') },
    { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 500 }) },
    { weight: 1, arbitrary: fc.constantFrom('', '<html>', '{"a":', '['.repeat(5_000), '"'.repeat(3)) },
  ),
})

/** What stands in each field of the form: something that its schema takes, where one of these is. */
const typed = [
  ...['https://acme.example.com', 'acme.example.com', 'acme', 'a@b.example', '12345678', ''],
  ...[
    '-----BEGIN PRIVATE KEY-----\nx\n-----END PRIVATE KEY-----',
    '{"client_email":"a@b.example","private_key":"x"}',
  ],
]

function credentialsFor(connector: (typeof connectors)[number]): Record<string, string> {
  return Object.fromEntries(
    fieldsOf(connector).map(field => {
      const schema = connector.credentials.shape[field.key] as {
        safeParse(given: string): { success: boolean }
      }
      const choices = field.choices?.map(choice => choice.value) ?? typed
      return [field.key, choices.find(text => schema.safeParse(text).success) ?? typed[0] ?? '']
    }),
  )
}

function isClean({ externalId, email, name, roles, licences, lastActiveAt, createdAt }: Account): boolean {
  const texts = [externalId, email ?? '', name ?? '', ...roles, ...licences]
  const dates = [lastActiveAt, createdAt].filter(date => date !== null)
  return (
    externalId !== '' &&
    texts.every(text => text.isWellFormed() && !text.includes('\0') && text.length < 4_000) &&
    dates.every(date => date.getUTCFullYear() >= 1 && date.getUTCFullYear() <= 9999)
  )
}

test.each(connectors.map(one => [one.id, one] as const))(
  'whatever %s answers, its people are clean or the run has one named cause',
  async (_, connector) => {
    const credentials = credentialsFor(connector)
    await fc.assert(
      fc.asyncProperty(fc.array(answer, { minLength: 1, maxLength: 5 }), async answers => {
        let asked = 0
        const http = {
          // After what was made up the vendor is gone, so that every walk ends.
          request: async () => answers[asked++] ?? { status: 410, headers: {}, text: '' },
          close: async () => {},
        }
        const engine = createEngine({ clock: swiftClock(), log: silentLog, allowPrivateNetwork: false, http })
        const options = { signal: AbortSignal.timeout(10_000), patienceMs: 1_000 }
        const walk = async () => {
          asked = 0
          for await (const page of engine.pages(connector, credentials, options))
            for (const account of page.accounts)
              if (!isClean(account)) throw new Error(JSON.stringify(account))
        }
        const prove = async () => {
          asked = 0
          const { tenantKey } = await engine.verify(connector, credentials, { timeoutMs: 1_000 })
          if (typeof tenantKey !== 'string') throw new Error('a tenant without a key')
        }
        const onlyNamed = (error: unknown) => {
          if (!(error instanceof ProviderError)) throw error
        }
        await bounded('a walk', () => walk().catch(onlyNamed))
        await bounded('a proof', () => prove().catch(onlyNamed))
      }),
      { numRuns: 150 },
    )
  },
)

test('headers and next links of any make are read in no time', async () => {
  const piece = fc.constantFrom(
    '<',
    '>',
    ';',
    ' rel=',
    '"next"',
    'next',
    ',',
    'a',
    ' ',
    '"',
    '=',
    '\\',
    'results="false"',
  )
  const header = fc.oneof(
    fc.array(piece, { maxLength: 400 }).map(parts => parts.join('')),
    fc.tuple(fc.array(piece, { minLength: 1, maxLength: 3 }), fc.integer({ min: 1_000, max: 16_000 })).map(
      // As long as the HTTP client takes a header: 16 KiB.
      ([parts, length]) =>
        parts
          .join('')
          .repeat(Math.ceil(length / parts.length))
          .slice(0, 16_000),
    ),
  )
  const req = { path: '/users', query: { page: '1' } }
  await fc.assert(
    fc.asyncProperty(header, json, async (text, body) => {
      await bounded('a header', () => {
        for (const pager of [linkHeader, scimPage, nextUrl(of => of), cursor('c', of => of)])
          pager(req, { status: 200, headers: { link: text }, body }, 3)
        const wait = toldWaitMs({ 'retry-after': text, 'x-ratelimit-reset': text }, new Date())
        if (wait !== undefined) expect(wait).toBeGreaterThanOrEqual(0)
      })
    }),
    { numRuns: 400 },
  )
})
