// What cutting a list promises: it is read as JSON.parse reads it, whatever came; and a change is felt next to it only.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { listAt } from '../../src/connectors/bodies.ts'
import { type CutAnswer, cutList, type KnownChunk, type Recall } from '../../src/connectors/cut-list.ts'

const of = 'A'.repeat(43)
const nobody: Recall = { of, chunk: () => undefined }

/** Who learns, from answers, which items a digest stands for; `every`: and remembers only each so-manieth of them. */
function createLearner(every = 1) {
  const learned = new Map<string, readonly unknown[]>()
  let seen = 0
  return {
    recall: {
      of,
      chunk(digest: string): KnownChunk | undefined {
        const items = learned.get(digest)
        return items && { people: items.length, digest }
      },
    },
    learn(cut: CutAnswer | undefined) {
      for (const chunk of cut?.chunks ?? []) {
        seen += 1
        if (chunk.digest !== undefined && seen % every === 0) learned.set(chunk.digest, chunk.items())
      }
    },
    itemsOf: ({ chunks }: CutAnswer) =>
      chunks.flatMap(chunk => (chunk.known ? (learned.get(chunk.known.digest) ?? []) : chunk.items())),
  }
}

const bytesOf = (value: unknown, space?: string) => Buffer.from(JSON.stringify(value, undefined, space))
const person = (n: number, more: object = {}) => ({
  id: `00u${String(n).padStart(8, '0')}x`,
  profile: { login: `p${n}@example.com`, name: `Person ${n} [{"id": "no"}, {"id":"list"}]` },
  ...more,
})
const people = (from: number, to: number) => Array.from({ length: to - from }, (_, at) => person(from + at))

describe('the lists of vendors are cut', () => {
  const list = people(0, 200)
  const odd = list.map(one => ({ ...one, name: 'Zoë 李 🙂 \u2028 "]}' }))
  test.each<{ name: string; list: unknown[]; body: unknown; space?: string }>([
    { name: 'a list alone', list, body: list },
    { name: 'indented', list, body: list, space: '  ' },
    {
      name: 'with what is around it',
      list,
      body: { ok: true, data: list, links: { next: null }, page: [1, 2] },
    },
    { name: 'deep in it', list, body: { data: { users: { nodes: list, pageInfo: { endCursor: 'x' } } } } },
    { name: 'with letters of every kind', list: odd, body: odd },
  ])('$name', async ({ list, body, space }) => {
    const cut = await cutList(bytesOf(body, space), nobody)
    expect(cut?.chunks.length).toBeGreaterThan(10)
    expect(cut && createLearner().itemsOf(cut)).toEqual(list)
    expect(cut?.body).toEqual(body)
  })
})

test('a list is where the answer has it, and is read whole when it is looked into', async () => {
  const bytes = bytesOf({ users: people(0, 50), next: 'x' })
  const cut = await cutList(bytes, nobody)
  const users = listAt('users')(cut?.body) ?? []
  expect(users).toBe(cut?.list)
  expect(Array.isArray(users)).toBe(true)
  expect(Reflect.get(users, 'errorCode')).toBeUndefined()
  expect(users.length).toBe(50)
  expect(users.at(-1)).toEqual(person(49))
  expect([...users]).toEqual(people(0, 50))
  expect(JSON.parse(JSON.stringify(cut?.body))).toEqual(JSON.parse(bytes.toString()))
})

test('the same bytes are known again, and read otherwise they are somebody else', async () => {
  const bytes = bytesOf(people(0, 200))
  const learner = createLearner()
  learner.learn(await cutList(bytes, learner.recall))
  const again = await cutList(bytes, learner.recall)
  expect(again?.chunks.every(chunk => chunk.known)).toBe(true)
  expect(again?.chunks.reduce((sum, chunk) => sum + (chunk.known?.people ?? 0), 0)).toBe(200)
  expect(again?.list, 'is there for who looks').toEqual(people(0, 200))
  const other = await cutList(bytes, { ...learner.recall, of: `B${of.slice(1)}` })
  expect(other?.chunks.some(chunk => chunk.known)).toBe(false)
})

test('no letter of a list is another one without somebody being a stranger', async () => {
  const bytes = bytesOf(people(0, 40))
  const learner = createLearner()
  learner.learn(await cutList(bytes, learner.recall))
  for (const [at, byte] of [...bytes].entries()) {
    bytes[at] = byte === 120 ? 121 : 120
    const chunks = (await cutList(bytes, learner.recall))?.chunks ?? []
    expect(chunks.length === 0 || chunks.some(chunk => !chunk.known), `letter ${at}`).toBe(true)
    bytes[at] = byte
  }
})

test('a change is felt by the people next to it: a dozen, a hundred at most, wherever pages end', async () => {
  const list = people(0, 2_000)
  const pagesOf = (all: unknown[]) =>
    Array.from({ length: Math.ceil(all.length / 200) }, (_, at) =>
      bytesOf(all.slice(at * 200, at * 200 + 200)),
    )
  const learner = createLearner()
  for (const page of pagesOf(list)) learner.learn(await cutList(page, learner.recall))
  const strangers = async (all: unknown[]) => {
    const cuts = await Promise.all(pagesOf(all).map(page => cutList(page, learner.recall)))
    return cuts
      .flatMap(cut => cut?.chunks ?? [])
      .reduce((sum, chunk) => sum + (chunk.items?.().length ?? 0), 0)
  }
  const felt = await Promise.all(
    Array.from({ length: 100 }, (_, n) =>
      strangers(list.with(n * 19 + 7, person(n * 19 + 7, { name: 'Renamed' }))),
    ),
  )
  expect(Math.max(...felt)).toBeLessThanOrEqual(64)
  expect(felt.reduce((sum, n) => sum + n, 0) / felt.length).toBeLessThan(16)
  // Everybody behind stands one place further on: each page's ends are cut anew.
  const moved = await strangers(list.toSpliced(3, 0, person(9_999)))
  expect(moved / 10, 'people a page').toBeLessThan(40)
})

const text = fc.oneof(
  fc.constantFrom('', 'id', '},{"id":', '[{', '}]', '\\"', '"', '\\', 'Zoë', '\u2028', '🙂', 'x'.repeat(30)),
  fc.string({ maxLength: 6, unit: 'binary' }),
)
const value = fc.letrec<{ any: unknown; object: object }>(tie => ({
  any: fc.oneof(
    { depthSize: 'small' },
    fc.oneof(text, fc.integer(), fc.boolean(), fc.constant(null)),
    fc.array(tie('object'), { maxLength: 3 }),
    fc.array(tie('any'), { maxLength: 2 }),
    tie('object'),
  ),
  object: fc
    .tuple(
      fc.dictionary(fc.constantFrom('id', 'a', 'emails', '__proto__', ''), tie('any'), { maxKeys: 3 }),
      tie('any'),
    )
    .map(([rest, id]) => ({ id, ...rest })),
}))
/** Spaces as a vendor's printer may put them, the same everywhere. */
const spaces = fc.constantFrom(undefined, '', ' ', '\t')
const around = fc.constantFrom<(list: unknown[], other: unknown) => unknown>(
  list => list,
  list => ({ data: list }),
  (list, other) => ({ before: other, data: list, after: other }),
  (list, other) => ({ data: list, included: [other, other] }),
  (list, other) => ({ data: list, data2: list, other }),
  (list, other) => [list, other],
)
const answer = fc
  .tuple(fc.array(value.object, { maxLength: 30 }), value.any, around, spaces)
  .map(([list, other, build, space]) => bytesOf(build(list, other), space))

/** What JSON.parse says, or that it does not. */
function whole(bytes: Buffer): { body: unknown } | undefined {
  try {
    return { body: JSON.parse(bytes.toString()) }
  } catch {
    return undefined
  }
}

test('whatever is listed and however it is written, what is cut is what JSON.parse gives', async () => {
  let cuts = 0
  await fc.assert(
    fc.asyncProperty(answer, fc.integer({ min: 1, max: 3 }), async (bytes, every) => {
      const learner = createLearner(every)
      learner.learn(await cutList(bytes, learner.recall))
      const cut = await cutList(bytes, learner.recall)
      if (!cut) return
      cuts += 1
      expect(learner.itemsOf(cut)).toEqual([...cut.list])
      expect(cut.body).toEqual(whole(bytes)?.body)
    }),
    { numRuns: 3_000 },
  )
  expect(cuts, 'answers that were cut').toBeGreaterThan(500)
})

test('an answer that was spoilt on its way is read as JSON.parse reads it, or not cut, also by who knows the right one', async () => {
  const spoilt = fc.record({
    at: fc.nat(),
    to: fc.constantFrom(...'"\\{}[],:x 1'),
  })
  await fc.assert(
    fc.asyncProperty(answer, fc.array(spoilt, { minLength: 1, maxLength: 3 }), async (bytes, changes) => {
      const learner = createLearner()
      learner.learn(await cutList(bytes, learner.recall))
      for (const { at, to } of changes) bytes[at % bytes.length] = to.charCodeAt(0)
      const cut = await cutList(bytes, learner.recall)
      if (!cut) return
      expect(whole(bytes), 'it is no JSON').toBeDefined()
      expect(cut.body).toEqual(whole(bytes)?.body)
      learner.learn(cut)
      expect(learner.itemsOf(cut)).toEqual([...cut.list])
    }),
    { numRuns: 3_000 },
  )
})
