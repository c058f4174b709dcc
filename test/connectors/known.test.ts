// Known again by a vendor's own bytes: who is not read is counted, and nobody is known by what would be read otherwise today.
import { beforeEach, describe, expect, test } from 'vitest'
import type { Connector } from '../../src/connectors/connector.ts'
import { createEngine, type Known, type Page } from '../../src/connectors/engine.ts'
import { ProviderError } from '../../src/connectors/errors.ts'
import { httpJson } from '../../src/connectors/http-json/http-json.ts'
import { peopleOf } from '../../src/connectors/seen.ts'
import { silentLog } from '../../src/lib/log.ts'
import { swiftClock } from './served.ts'

const size = 100
const given = {
  ...{ address: `https://api.example.com/users?limit=${size}`, check: 'api.example.com/me', auth: 'bearer' },
  ...{
    keyName: '',
    key: 'k',
    itemsPath: 'users',
    idPath: 'id',
    emailPath: 'mail',
    namePath: '',
    statusPath: '',
  },
  ...{ invited: '', suspended: '', deactivated: '', rolesPath: '', licencesPath: '', activePath: '' },
  ...{ createdPath: '', paging: 'offset', pageKey: 'skip', nextPath: '' },
}

type Item = Record<string, unknown>
const people = (from: number, to: number): Item[] =>
  Array.from({ length: to - from }, (_, at) => ({
    ...{ id: `id-${from + at}`, mail: `p${from + at}@example.com`, other: `o${from + at}@example.com` },
  }))

/** What the vendor lists. */
let vendor: Item[]
/** What its pages are, when they are not by hundreds. */
let paging: (skip: number) => Item[]
beforeEach(() => {
  vendor = people(0, 500)
  paging = skip => vendor.slice(skip, skip + size)
})

function engineOf(code?: string) {
  return createEngine({
    ...{ clock: swiftClock(), log: silentLog, allowPrivateNetwork: false, ...(code ? { code } : {}) },
    http: {
      async request({ url }) {
        const { pathname, searchParams } = new URL(url)
        const users = pathname === '/me' ? [] : paging(Number(searchParams.get('skip') ?? 0))
        const bytes = Buffer.from(JSON.stringify({ users }))
        return { status: 200, headers: {}, bytes, text: bytes.toString() }
      },
      async close() {},
    },
  })
}

/** Everything that one who stores people would know after these pages. */
const learned = new Map<string, number>()
const asked: string[] = []
const known = async (): Promise<Known> => {
  asked.push('asked')
  return digest => {
    const people = learned.get(digest)
    return people === undefined ? undefined : { people, digest }
  }
}
beforeEach(() => {
  learned.clear()
  asked.length = 0
})

interface How {
  connector?: Connector
  settings?: Partial<typeof given>
  code?: string
}

/** One stream to its end, from which it is learned. */
async function read({ connector = httpJson, settings = {}, code = 'one' }: How = {}) {
  const pages: Page[] = []
  const signal = new AbortController().signal
  const stream = engineOf(code).pages(
    connector,
    { ...given, ...settings },
    { signal, patienceMs: 1_000, known },
  )
  for await (const page of stream) pages.push(page)
  const chunks = pages.flatMap(page => page.chunks ?? [])
  const accounts = pages.flatMap(page => [
    ...page.accounts,
    ...(page.chunks ?? []).flatMap(one => one.accounts ?? []),
  ])
  for (const { digest, accounts } of chunks) if (digest) learned.set(digest, accounts.length)
  return {
    ids: accounts.map(one => one.externalId),
    people: pages.reduce((sum, page) => sum + peopleOf(page), 0),
    known: chunks.reduce((sum, chunk) => sum + (chunk.known?.people ?? 0), 0),
    cursors: pages.map(page => page.cursor),
  }
}

const allIds = () => vendor.map(one => one.id)

test('who is known again is not read, is counted, and the pages go on as they do for who reads them', async () => {
  const first = await read()
  expect(first).toMatchObject({ people: 500, known: 0 })
  expect(first.ids.toSorted()).toEqual(allIds().toSorted())
  const second = await read()
  expect(second).toMatchObject({ people: 500, known: 400 })
  expect(second.ids, 'the first page is read in any case').toEqual(allIds().slice(0, size))
  expect(second.cursors).toEqual(first.cursors)
  expect(asked, 'once a stream').toHaveLength(2)
})

test('of a changed list only who stands next to a change is read', async () => {
  await read()
  vendor = vendor.toSpliced(333, 1).with(250, { ...vendor[250], mail: 'new@example.com' })
  const { people, known, ids } = await read()
  expect(people).toBe(499)
  expect(ids).toContain('id-250')
  expect(known).toBeGreaterThan(150)
  expect(known + ids.length, 'nobody is left out').toBe(499)
})

describe('nobody is known by what would be read otherwise', () => {
  const listing = httpJson.listings[0]
  if (!listing) throw new Error('It has one')
  test.each<[string, How, number]>([
    ['another mapping', { settings: { emailPath: 'other' } }, 0],
    ['another code', { code: 'two' }, 0],
    ['another application', { connector: { ...httpJson, id: 'other' } }, 0],
    ['no print of the code', { code: '' }, 0],
    [
      'a second list, of which somebody may be in the first',
      { connector: { ...httpJson, listings: [listing, listing] } },
      0,
    ],
    [
      'a declaration that makes a list of its own',
      {
        connector: {
          ...httpJson,
          listings: [{ ...listing, items: (body, all) => listing.items(body, all)?.toReversed() }],
        },
      },
      0,
    ],
    ['a renewed key alters nothing', { settings: { key: 'another' } }, 400],
  ])('%s', async (_what, how, wanted) => {
    await read()
    const { known, people } = await read(how)
    expect(known).toBe(wanted)
    expect(people).toBe(500)
  })
})

test('a chunk with somebody who cannot be read, or was left out, is not known again', async () => {
  vendor[222] = { ...vendor[222], id: '' }
  const { problems } = await once()
  expect(problems).toHaveLength(1)
  const again = await once()
  expect(again.problems, 'told in each run').toEqual(problems)

  async function once() {
    const stream = engineOf('one').pages(httpJson, given, {
      ...{ signal: new AbortController().signal, patienceMs: 1_000, known },
    })
    const problems: unknown[] = []
    for await (const page of stream) {
      problems.push(...page.problems)
      for (const { digest, accounts } of page.chunks ?? []) if (digest) learned.set(digest, accounts.length)
    }
    return { problems }
  }
})

test('who comes again with the next page is given once, and their chunk is not known by so many', async () => {
  const twice = [...vendor.slice(0, 300), ...vendor.slice(299)]
  paging = skip => twice.slice(skip, skip + size)
  const first = await read()
  expect(first.ids.toSorted()).toEqual(allIds().toSorted())
  paging = skip => vendor.slice(skip, skip + size)
  const second = await read()
  expect(second.people).toBe(500)
  expect(second.ids.length + second.known).toBe(500)
})

test('a page that comes again is refused, be its people read or known', async () => {
  await read()
  paging = skip => vendor.slice(skip < 200 ? skip : 200, (skip < 200 ? skip : 200) + size)
  for (const round of ['known', 'known still']) {
    const error = await read().catch((error: unknown) => error)
    expect(error, round).toBeInstanceOf(ProviderError)
    expect(error).toMatchObject({ problem: 'unreadable' })
  }
})

test('a small directory is not asked about, and a large one in one answer is', async () => {
  vendor = people(0, 90)
  await read()
  expect(asked).toEqual([])
  vendor = people(0, 9_000)
  paging = skip => vendor.slice(skip)
  const settings = { paging: 'none', pageKey: '' }
  await read({ settings })
  expect(await read({ settings })).toMatchObject({ people: 9_000, known: 9_000, ids: [] })
})
