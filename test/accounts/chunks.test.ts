// What chunks promise: nobody is left out or listed twice, whatever the vendor's pages; a change is felt next to it only.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Chunk, createCutter, digestOfChunk } from '../../src/accounts/chunks.ts'
import type { Account } from '../../src/connectors/account.ts'
import { people } from '../sync/synced.ts'

const list = people(0, 2_000).accounts
const idsOf = ({ accounts }: Chunk) => accounts.map(({ externalId }) => externalId)
const wordsOf = (chunk: Chunk) => idsOf(chunk).map((id, at) => [id, chunk.texts[at]])

function cut(accounts: readonly Account[]): Chunk[] {
  const cutter = createCutter()
  const chunks = accounts.map(account => cutter.push(account))
  return [...chunks, cutter.end()].filter(chunk => chunk !== undefined)
}

/** Of `now`, how many are in no chunk of `before`. */
function strangers(before: readonly Account[], now: readonly Account[]): number {
  const known = new Set(cut(before).map(digestOfChunk))
  const unknown = cut(now).filter(chunk => !known.has(digestOfChunk(chunk)))
  return unknown.reduce((sum, { accounts }) => sum + accounts.length, 0)
}

test('everybody is in one chunk, in the order they came, and no chunk has more than 32 people', () => {
  const same = people(0, 300, { externalId: 'one and the same' }).accounts
  for (const accounts of [list, list.slice(0, 1), [], same]) {
    const chunks = cut(accounts)
    expect(chunks.flatMap(idsOf)).toEqual(accounts.map(({ externalId }) => externalId))
    expect(Math.max(0, ...chunks.map(({ accounts }) => accounts.length))).toBeLessThanOrEqual(32)
  }
  expect(list.length / cut(list).length, 'people in one').toBeGreaterThan(4)
})

test('a change is felt by the people next to it: a dozen, a hundred at most', () => {
  const felt = (change: (at: number) => Account[]) => {
    const all = Array.from({ length: 100 }, (_, n) => strangers(list, change(n * 19 + 7)))
    expect(Math.max(...all)).toBeLessThanOrEqual(100)
    return all.reduce((sum, n) => sum + n, 0) / all.length
  }
  const [more] = people(5_000, 5_001).accounts
  if (!more) throw new Error('There is one')
  expect(felt(at => list.toSpliced(at, 1))).toBeLessThan(16)
  expect(felt(at => list.toSpliced(at, 0, more))).toBeLessThan(16)
  expect(felt(at => list.map((one, n) => (n === at ? { ...one, name: 'Renamed' } : one)))).toBeLessThan(16)
})

const words = fc.oneof(
  fc.constantFrom('', 'a', 'a\tb', 'a\nb', '\\N', '\\'),
  fc.string({ maxLength: 3, unit: 'binary' }),
)
const account = fc.record({
  externalId: words,
  email: fc.option(words),
  name: fc.option(words),
  roles: fc.array(words, { maxLength: 2 }),
  licences: fc.array(words, { maxLength: 2 }),
  lastActiveAt: fc.option(
    fc.date({ noInvalidDate: true, min: new Date('1900-01-01'), max: new Date('2199-12-31') }),
  ),
})

test('two chunks have one digest only if everything that is stored of everybody in them is the same', () => {
  fc.assert(
    fc.property(
      fc.array(account, { minLength: 1, maxLength: 4 }),
      fc.array(account, { minLength: 1, maxLength: 4 }),
      (one, two) => {
        const [a, b] = [one, two].map(facts => cut(facts.flatMap(fact => people(0, 1, fact).accounts)))
        const [first, second] = [a?.[0], b?.[0]]
        if (!first || !second) throw new Error('Each has a chunk')
        const alike = JSON.stringify(wordsOf(first)) === JSON.stringify(wordsOf(second))
        expect(digestOfChunk(first) === digestOfChunk(second)).toBe(alike)
      },
    ),
    {
      numRuns: 500,
      examples: [[[{ externalId: 'a\nb' }], [{ externalId: 'a' }, { externalId: 'b' }]] as never],
    },
  )
})
