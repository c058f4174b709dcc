// An answer that lists many people: read in steps with turns of the event loop between them, handed on in portions, and asked for again by who was stopped in it.
import { expect, test } from 'vitest'
import { z } from 'zod'
import { listAt } from '../../src/connectors/bodies.ts'
import { type Connector, defineConnector } from '../../src/connectors/connector.ts'
import { cutList } from '../../src/connectors/cut-list.ts'
import { type Cursor, createEngine, type Known, type Page } from '../../src/connectors/engine.ts'
import { httpJson } from '../../src/connectors/http-json/http-json.ts'
import { silentLog } from '../../src/lib/log.ts'
import { turnsDuring } from '../support/turns.ts'
import { swiftClock } from './served.ts'

const given = {
  ...{ address: 'https://api.example.com/users', check: 'api.example.com/me', auth: 'bearer', keyName: '' },
  ...{ key: 'k', itemsPath: 'users', idPath: 'id', emailPath: 'mail', namePath: '', statusPath: '' },
  ...{ invited: '', suspended: '', deactivated: '', rolesPath: '', licencesPath: '', activePath: '' },
  ...{ createdPath: '', paging: 'next', pageKey: '', nextPath: 'next' },
}
/** Some 600 bytes each. */
const person = (n: number) => ({ id: `id-${n}`, mail: `p${n}@example.com`, about: 'x'.repeat(550) })
const people = (from: number, to: number) => Array.from({ length: to - from }, (_, at) => person(from + at))
const idsOf = (pages: readonly Page[]) =>
  pages.flatMap(({ accounts, chunks = [] }) =>
    [...accounts, ...chunks.flatMap(chunk => chunk.accounts ?? [])].map(({ externalId }) => externalId),
  )

/** A vendor whose answers are these, by path. */
function vendorOf(answers: Readonly<Record<string, unknown>>) {
  const asked: string[] = []
  /** Whose text was asked for, which is parsed in one go. */
  const readWhole: string[] = []
  const bodies = new Map(
    Object.entries(answers).map(([path, body]) => [path, Buffer.from(JSON.stringify(body))]),
  )
  const engine = createEngine({
    ...{ clock: swiftClock(), log: silentLog, allowPrivateNetwork: false, code: 'one' },
    http: {
      async request({ url }) {
        const { pathname } = new URL(url)
        asked.push(pathname)
        const bytes = bodies.get(pathname) ?? Buffer.from('{"users":[]}')
        return {
          ...{ status: 200, headers: {}, bytes },
          get text() {
            readWhole.push(pathname)
            return bytes.toString()
          },
        }
      },
      async close() {},
    },
  })
  return { engine, asked, readWhole }
}

const nobodyKnown = async (): Promise<Known> => () => undefined
const never = new AbortController().signal

/** What a stream hands on, to its end or to its `until`-th page. */
async function pagesOf(
  { engine }: ReturnType<typeof vendorOf>,
  how: { connector?: Connector; known?: typeof nobodyKnown; from?: Cursor | undefined; until?: number } = {},
) {
  const { connector = httpJson, until = Number.POSITIVE_INFINITY, ...options } = how
  const pages: Page[] = []
  const stream = engine.pages(connector, given, { signal: never, patienceMs: 0, ...options })
  for (;;) {
    const next = await stream.next()
    if (next.done) return { pages, end: next.value }
    pages.push(next.value)
    if (pages.length === until)
      return { pages, end: (await stream.return({ warnings: [], complete: false })).value }
  }
}

/** Two listings, and somebody in both. */
const twice = defineConnector(z.object({}), {
  ...httpJson,
  id: 'twice',
  auth: { kind: 'none', headers: () => ({}) },
  base: () => 'https://api.example.com',
  check: () => ({ path: '/me' }),
  tenant: () => ({ key: 'one', name: null }),
  listings: ['/users', '/more'].map(path => ({
    name: 'people',
    request: () => ({ path }),
    items: listAt('users'),
    page: () => undefined,
    account: (item: unknown) => httpJson.listings[0]?.account(item, given, undefined as never) ?? null,
  })),
})

test.each([
  { what: 'where people are known again by the vendor’s bytes', known: nobodyKnown },
  { what: 'where nobody is', known: undefined },
])('the event loop has its turns while 20,000 people of one answer are read, $what', async ({ known }) => {
  const vendor = vendorOf({ '/users': { users: people(0, 20_000) } })
  let pages: Page[] = []
  const { turns } = await turnsDuring(
    pagesOf(vendor, known ? { known } : {}).then(read => {
      pages = read.pages
    }),
  )
  // 12 MB: 70 ms of work on a fast machine, with a turn each 8 ms.
  expect(turns).toBeGreaterThan(5)
  expect(vendor.readWhole).toEqual(['/me'])
  expect(idsOf(pages)).toEqual(people(0, 20_000).map(({ id }) => id))
  const portions = pages.map(page => idsOf([page]).length)
  expect(Math.max(...portions)).toBeLessThan(600)
  expect(pages.map(page => page.more ?? false)).toEqual(portions.map((_, at) => at < portions.length - 1))
})

test('the event loop has its turns while such an answer is cut', async () => {
  const bytes = Buffer.from(JSON.stringify(people(0, 20_000)))
  expect((await turnsDuring(cutList(bytes))).turns).toBeGreaterThan(2)
})

test('the event loop has its turns while a form proves credentials by such an answer, and where that is the check as well', async () => {
  const { engine, readWhole } = vendorOf({ '/users': { users: people(0, 20_000) } })
  const proving = engine.verify(httpJson, { ...given, check: '' }, { timeoutMs: 60_000 })
  expect((await turnsDuring(proving)).turns).toBeGreaterThan(5)
  const stream = engine.pages(httpJson, { ...given, check: '' }, { signal: never, patienceMs: 0 })
  for await (const _ of stream);
  expect(readWhole).toEqual([])
})

test('who is in two long listings is given once', async () => {
  const vendor = vendorOf({
    '/users': { users: people(0, 3_000) },
    '/more': { users: people(2_500, 5_500) },
  })
  const { pages, end } = await pagesOf(vendor, { connector: twice, known: nobodyKnown })
  expect(idsOf(pages)).toEqual(people(0, 5_500).map(({ id }) => id))
  expect(end).toEqual({ warnings: [], complete: true })
})

test('who was stopped in a long answer asks for that one again, and for none before it', async () => {
  const answers = {
    '/users': { users: people(0, 100), next: 'https://api.example.com/second' },
    '/second': { users: people(100, 3_100), next: 'https://api.example.com/third' },
    '/third': { users: people(3_100, 3_200) },
  }
  const stopped = await pagesOf(vendorOf(answers), { known: nobodyKnown, until: 4 })
  expect(stopped.pages.at(-1)?.more).toBe(true)
  const last = stopped.pages.findLast(page => page.cursor)
  expect(idsOf(stopped.pages).length).toBeGreaterThan(1_500)
  const vendor = vendorOf(answers)
  // As it is stored.
  const from = JSON.parse(JSON.stringify(last?.cursor)) as Cursor
  const goneOn = await pagesOf(vendor, { known: nobodyKnown, from })
  expect(vendor.asked).toEqual(['/me', '/second', '/third'])
  expect(idsOf(goneOn.pages)).toEqual(people(100, 3_200).map(({ id }) => id))
  expect(goneOn.end).toEqual({ warnings: [], complete: true })
})
