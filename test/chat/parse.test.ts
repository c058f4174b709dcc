// What people may type after /saasm: anything at all. It is read in no time, and a slip of one letter is understood.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { nearest, parseWords } from '../../src/chat/parse.ts'

const words = ['connect', 'manage', 'sync', 'history', 'recipients', 'integrations', 'audit', 'help']
const anything = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 4_000 }),
  fc.string({ unit: 'grapheme', maxLength: 500 }),
  fc
    .constantFrom('sync', '\u0000', '“', '"', ' ', '\t\n', '👩‍💻', 'ﷺ')
    .chain(part => fc.integer({ min: 0, max: 3_000 }).map(times => part.repeat(times))),
)
/** Far above what it takes, and far below what a person would notice: of this process’s own time, each. */
const boundMs = 10

/** The processor’s milliseconds that `work` took on average over `runs`. */
function costMs(runs: number, work: () => void): number {
  const before = process.cpuUsage()
  work()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1_000 / runs
}

test('whatever is typed is read without a fault and within bounds', () => {
  const numRuns = 500
  const cost = costMs(numRuns, () =>
    fc.assert(
      fc.property(anything, typed => {
        const { word, rest } = parseWords(typed)
        expect(Array.from(`${word}${rest}`).length).toBeLessThanOrEqual(2 * 255)
        expect(word).not.toMatch(/\s/)
        expect(rest).toBe(rest.replace(/\s+/g, ' '))
      }),
      { numRuns },
    ),
  )
  expect(cost).toBeLessThan(boundMs)
})

test('the nearest words to anything are found without a fault and within bounds', () => {
  const numRuns = 300
  const cost = costMs(numRuns, () =>
    fc.assert(
      fc.property(anything, fc.array(anything, { maxLength: 5 }), (typed, more) => {
        const known = [...words, ...more.map(one => one.slice(0, 80))]
        expect(nearest(typed, known).length).toBeLessThanOrEqual(3)
      }),
      { numRuns },
    ),
  )
  expect(cost).toBeLessThan(boundMs)
})

/** Every way to slip by one letter: one left out, doubled, swapped with its neighbour, or another in its place. */
function slips(word: string): string[] {
  return Array.from(word).flatMap((letter, at) => {
    const [head, tail] = [word.slice(0, at), word.slice(at + 1)]
    const swapped = tail === '' ? [] : [`${head}${tail[0]}${letter}${tail.slice(1)}`]
    return [`${head}${tail}`, `${head}${letter}${letter}${tail}`, `${head}x${tail}`, ...swapped]
  })
}

test.each(words)('a slip of one letter in “%s” is understood', word => {
  for (const typed of slips(word)) expect(nearest(typed, words)[0], typed).toBe(word)
})

test('a command is the first word, whatever its case and the spaces around it', () => {
  expect(parseWords('  SYNC   okta   prod ')).toEqual({ word: 'sync', rest: 'okta prod' })
  expect(parseWords('manage “Okta Prod”')).toEqual({ word: 'manage', rest: 'Okta Prod' })
  expect(parseWords('')).toEqual({ word: '', rest: '' })
})

test('what is like no command finds none', () => {
  expect(nearest('zzzzzzzzzzzzzzzz', words)).toEqual([])
})
