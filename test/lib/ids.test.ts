// Identifiers: the same for the same words, and in the order of the moments they are made of.
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { idAt } from '../../src/lib/ids.ts'

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/

test('an id of a later moment is greater, whatever its words are', () => {
  const moment = fc.date({ min: new Date(0), max: new Date('3000-01-01'), noInvalidDate: true })
  fc.assert(
    fc.property(moment, fc.integer({ min: 1, max: 1e12 }), fc.string(), fc.string(), (at, more, a, b) => {
      const [first, second] = [idAt(at, a), idAt(new Date(at.getTime() + more), b)]
      expect(first < second).toBe(true)
      expect(first).toMatch(uuid)
      expect(idAt(at, a)).toBe(first)
    }),
  )
})

test('other words make another id, at the same moment and at none', () => {
  const at = new Date('2026-03-02')
  expect(idAt(at, 'a', 'b')).not.toBe(idAt(at, 'ab'))
  expect(idAt(new Date(Number.NaN), 'a')).not.toBe(idAt(new Date(Number.NaN), 'b'))
  expect(idAt(new Date(-1), 'a')).toMatch(uuid)
})
