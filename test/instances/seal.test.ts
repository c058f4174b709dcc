// What sealing promises: only the right key in the right place opens it, and nothing of the secret shows.
import { expect, test } from 'vitest'
import { createSeal, KeyMissing } from '../../src/instances/seal.ts'

const place = { teamId: 'T1', instanceId: 'i1', field: 'credentials' }
const first = Buffer.alloc(32, 1)
const second = Buffer.alloc(32, 2)

test('what was sealed is opened again, and two seals of one secret differ', () => {
  const seal = createSeal([first])
  const sealed = seal.seal('00-canary', place)
  expect(seal.open(sealed, place)).toBe('00-canary')
  expect(sealed).not.toContain('canary')
  expect(seal.seal('00-canary', place)).not.toBe(sealed)
})

test.each([
  ['another team', { ...place, teamId: 'T2' }],
  ['another instance', { ...place, instanceId: 'i2' }],
  ['another field', { ...place, field: 'other' }],
])('it does not open for %s', (_name, elsewhere) => {
  const seal = createSeal([first])
  expect(() => seal.open(seal.seal('secret', place), elsewhere)).toThrow()
})

test('an altered text does not open', () => {
  const seal = createSeal([first])
  const parts = seal.seal('secret', place).split('.')
  parts[4] = Buffer.from('forged').toString('base64url')
  expect(() => seal.open(parts.join('.'), place)).toThrow()
})

test('an older key still opens, a missing one says so without the secret', () => {
  const old = createSeal([first]).seal('secret', place)
  expect(createSeal([second, first]).open(old, place)).toBe('secret')
  expect(() => createSeal([second]).open(old, place)).toThrow(KeyMissing)
})
