// Lines in buffers: each is found by its key, whatever came before and after it.
import { randomBytes } from 'node:crypto'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { createLines } from '../../src/accounts/lines.ts'

const keyOf = () => randomBytes(17).toString('base64url').slice(0, 22)

test('a line is found by its key, and others are not, over many blocks', () => {
  const lines = createLines(22)
  expect(lines.find(keyOf())).toBeUndefined()
  const rests = fc.sample(fc.string({ unit: 'grapheme-ascii', maxLength: 1_600 }), {
    numRuns: 3_000,
    seed: 1,
  })
  const wrote = rests.map(rest => ({ key: keyOf(), rest }))
  for (const [at, { key, rest }] of wrote.entries()) {
    expect(lines.push(`${key}${rest}`)).toBe(at)
    // Asked for between two of them, too.
    if (at % 500 === 0) expect(lines.find(key)).toBe(at)
  }
  for (const [at, { key, rest }] of wrote.entries()) {
    expect(lines.find(key)).toBe(at)
    expect(lines.restOf(at)).toBe(rest)
  }
  expect([...lines]).toEqual(wrote.map(({ key, rest }) => key + rest))
  // Keys that share all but their last letter, and the place they are looked for in.
  const [last] = wrote.slice(-1)
  expect(lines.find(`${last?.key.slice(0, 21)}~`)).toBeUndefined()
  expect(lines.find(keyOf())).toBeUndefined()
})

test('many lines at once are numbered on, among those that come one by one', () => {
  const lines = createLines(2)
  lines.push('aa-1')
  lines.pushAll('bb-2\ncc-3')
  lines.push('dd-4')
  lines.pushAll('ee')
  expect([...lines]).toEqual(['aa-1', 'bb-2', 'cc-3', 'dd-4', 'ee'])
  expect(['aa', 'bb', 'cc', 'dd', 'ee', 'ff'].map(key => lines.find(key))).toEqual([0, 1, 2, 3, 4, undefined])
  expect(lines.restOf(4)).toBe('')
})

test('a line longer than most is kept whole', () => {
  const lines = createLines(2)
  for (const key of ['aa', 'bb', 'cc']) lines.push(key + key.repeat(50_000))
  expect(lines.restOf(1)).toBe('bb'.repeat(50_000))
  expect(lines.find('cc')).toBe(2)
})

test('keys that begin alike are told apart', () => {
  const lines = createLines(4)
  const keys = Array.from({ length: 1_000 }, (_, n) => String(n).padStart(4, '0'))
  for (const key of keys) lines.push(`${key}-${key}`)
  expect(keys.map(key => lines.find(key))).toEqual(keys.map((_, at) => at))
  expect(lines.at(7)).toBe('0007-0007')
})

test('a line that is void keeps its number, and is not found', () => {
  const lines = createLines(2)
  lines.push('aa-1')
  lines.pushAll('bb-2\ncc-3\ndd-4', [1])
  expect(['aa', 'bb', 'cc', 'dd'].map(key => lines.find(key))).toEqual([0, 1, undefined, 3])
  expect([0, 1, 2, 3].map(n => lines.isVoid(n))).toEqual([false, false, true, false])
  expect([...lines]).toEqual(['aa-1', 'bb-2', 'dd-4'])
})
