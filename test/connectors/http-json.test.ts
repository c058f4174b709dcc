// HTTP JSON: every way of paging and proving, what its paths find, and what its form refuses.
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { readCredentials } from '../../src/connectors/connector.ts'
import { createEngine, type Engine } from '../../src/connectors/engine.ts'
import { httpJson } from '../../src/connectors/http-json/http-json.ts'
import { silentLog } from '../../src/lib/log.ts'
import { listAll, refusal, swiftClock } from './served.ts'

let engine: Engine
let answer: (url: URL) => { body: unknown; link?: string }
const asked: { url: URL; headers: Readonly<Record<string, string>> }[] = []

beforeEach(() => {
  asked.length = 0
  engine = createEngine({
    clock: swiftClock(),
    log: silentLog,
    allowPrivateNetwork: false,
    http: {
      async request({ url, headers }) {
        asked.push({ url: new URL(url), headers })
        const { body, link } = answer(new URL(url))
        return { status: 200, headers: link ? { link } : {}, text: JSON.stringify(body) }
      },
      async close() {},
    },
  })
})
afterEach(() => engine.close())

const given = {
  ...{ address: 'https://api.example.com/users?limit=2', check: 'api.example.com/me', auth: 'bearer' },
  ...{ keyName: '', key: 'k', itemsPath: 'users', idPath: 'id', emailPath: '', namePath: '', statusPath: '' },
  ...{ invited: '', suspended: '', deactivated: '', rolesPath: '', licencesPath: '', activePath: '' },
  ...{ createdPath: '', paging: 'none', pageKey: '', nextPath: '' },
}

const all = [1, 2, 3, 4, 5].map(id => ({ id }))
const ids = async (more: Partial<typeof given>) =>
  (await listAll(engine, httpJson, { ...given, ...more })).accounts.map(one => one.externalId)

describe('everybody is read', () => {
  const place = (url: URL, key: string, first: number, step: number) =>
    (Number(url.searchParams.get(key) ?? first) - first) * step
  const page = (from: number) => all.slice(from, from + 2)

  test.each([
    {
      paging: 'page',
      pageKey: 'p',
      serve: (url: URL) => ({ body: { users: page(place(url, 'p', 1, 2)) } }),
    },
    {
      paging: 'offset',
      pageKey: 'skip',
      serve: (url: URL) => ({ body: { users: page(place(url, 'skip', 0, 1)) } }),
    },
    {
      paging: 'cursor',
      pageKey: 'after',
      nextPath: 'meta.next',
      serve: (url: URL) => {
        const from = place(url, 'after', 0, 1)
        return { body: { users: page(from), meta: from + 2 < all.length ? { next: from + 2 } : {} } }
      },
    },
    {
      paging: 'next',
      nextPath: '$.next',
      serve: (url: URL) => {
        const from = place(url, 'from', 0, 1)
        return { body: { users: page(from), next: from + 2 < all.length ? `/users?from=${from + 2}` : null } }
      },
    },
    {
      paging: 'link',
      serve: (url: URL) => {
        const from = place(url, 'from', 0, 1)
        const link = `<https://api.example.com/users?from=${from + 2}>; rel="next"`
        return { body: { users: page(from) }, ...(from + 2 < all.length ? { link } : {}) }
      },
    },
  ])('by $paging', async ({ serve, ...more }) => {
    answer = serve
    expect(await ids(more)).toEqual(['1', '2', '3', '4', '5'])
    expect(asked.every(({ headers }) => headers.authorization === 'Bearer k')).toBe(true)
  })

  test('a page number that the address begins with is where the pages begin', async () => {
    answer = url => ({ body: { users: page(place(url, 'p', 0, 2)) } })
    const address = 'https://api.example.com/users?limit=2&p=0'
    expect(await ids({ address, paging: 'page', pageKey: 'p' })).toHaveLength(5)
    expect(asked.slice(1).map(({ url }) => url.search)).toEqual([0, 1, 2, 3].map(n => `?limit=2&p=${n}`))
  })

  test('a vendor that does not know the page number is refused, and nobody is doubled', async () => {
    answer = () => ({ body: { users: page(0) } })
    const pages = listAll(engine, httpJson, { ...given, paging: 'page', pageKey: 'p' })
    expect(await refusal(pages)).toMatchObject({ problem: 'unreadable' })
  })
})

test('paths find what is nested, chosen or at odd keys, and dates of every kind', async () => {
  answer = () => ({
    body: [
      {
        'user id': 7,
        mails: [{ value: 'old@acme.example' }, { value: 'ada@acme.example', primary: true }],
        enabled: false,
        groups: [{ name: 'a' }, { name: 'b' }],
        plan: 'pro',
        seen: 1763625600,
        born: '2024-01-02T03:04:05Z',
      },
    ],
  })
  const { accounts } = await listAll(engine, httpJson, {
    ...given,
    ...{ itemsPath: '', idPath: "$['user id']", emailPath: '$.mails[?@.primary == true].value' },
    ...{ statusPath: 'enabled', deactivated: 'FALSE', rolesPath: '$.groups[*].name', licencesPath: 'plan' },
    ...{ activePath: 'seen', createdPath: 'born' },
  })
  expect(accounts).toEqual([
    expect.objectContaining({
      externalId: '7',
      email: 'ada@acme.example',
      name: null,
      status: 'deactivated',
      roles: ['a', 'b'],
      licences: ['pro'],
      lastActiveAt: new Date('2025-11-20T08:00:00Z'),
      createdAt: new Date('2024-01-02T03:04:05Z'),
    }),
  ])
})

test('a row without its id, or with a status that is missing, is told and not guessed', async () => {
  answer = () => ({
    body: { users: [{ id: 1, s: 'on' }, { id: 2, s: 'off' }, { id: 3 }, { id: 4, s: 'on' }] },
  })
  const listed = await listAll(engine, httpJson, { ...given, statusPath: 's', suspended: 'off' })
  expect(listed.accounts.map(one => one.status)).toEqual(['active', 'suspended', 'active'])
  expect(listed.end.complete).toBe(false)
  answer = () => ({ body: { people: [] } })
  expect(await refusal(listAll(engine, httpJson, given))).toMatchObject({ problem: 'unreadable' })
})

test('a key goes into the header that is named, or is a password', async () => {
  answer = () => ({ body: { users: [] } })
  await listAll(engine, httpJson, { ...given, auth: 'header', keyName: 'X-Api-Key' })
  await listAll(engine, httpJson, { ...given, auth: 'basic', keyName: 'ada' })
  expect(asked[0]?.headers).toMatchObject({ 'x-api-key': 'k' })
  expect(asked.at(-1)?.headers.authorization).toBe('Basic YWRhOms=')
})

test('a key is never sent to another host than the list’s', async () => {
  answer = () => ({ body: { users: [] } })
  const elsewhere = { ...given, check: 'https://evil.example/me' }
  const verify = engine.verify(httpJson, elsewhere, { timeoutMs: 5_000 })
  expect(await refusal(verify)).toMatchObject({ problem: 'settings', field: 'check' })
  expect(asked).toEqual([])
})

test.each([
  { more: { idPath: '' }, problems: { idPath: 'Give the path.' } },
  {
    more: { emailPath: '$.[' },
    problems: { emailPath: 'This is not a path. It looks like profile.email or $.emails[0].value.' },
  },
  {
    more: { emailPath: "$[?match(@.a, '(a+)+')]" },
    problems: { emailPath: 'This is not a path. It looks like profile.email or $.emails[0].value.' },
  },
  { more: { paging: 'cursor', pageKey: 'c' }, problems: { nextPath: 'Give the path.' } },
  { more: { paging: 'page' }, problems: { pageKey: 'Give the name in the query.' } },
  { more: { auth: 'basic' }, problems: { keyName: 'Give the header’s name or the user name.' } },
  {
    more: { auth: 'header', keyName: 'a b' },
    problems: { keyName: 'It has letters that cannot be there.' },
  },
])('$more is refused in a sentence', ({ more, problems }) => {
  expect(readCredentials(httpJson, { ...given, ...more })).toEqual({ ok: false, problems })
})
