// Reading an answer's body: a path that breaks off is nothing, never an error.
import { expect, test } from 'vitest'
import { at, listAt, textAt, wordsIn } from '../../src/connectors/bodies.ts'

const body = { users: [{ id: 7, name: '' }], next: { cursor: 'c2' } }

test.each([null, undefined, 'text', 3, [], {}, { users: null }, { users: [null] }])(
  'nothing is found in %j',
  other => {
    expect(at(other, 'users', 0, 'id')).toBeUndefined()
    expect(textAt('users', 0, 'id')(other)).toBeUndefined()
    expect(listAt('next', 'people')(other)).toBeUndefined()
  },
)

test('what is there is found, and a number is read as text', () => {
  expect(listAt('users')(body)).toHaveLength(1)
  expect(listAt()([1, 2])).toEqual([1, 2])
  expect(textAt('users', 0, 'id')(body)).toBe('7')
  expect(textAt('next', 'cursor')(body)).toBe('c2')
  expect(textAt('users', 0, 'name')(body), 'an empty text is none').toBeUndefined()
})

test('scopes come apart by spaces and commas', () => {
  expect(wordsIn('users:read,users:read.email  team:read')).toEqual([
    'users:read',
    'users:read.email',
    'team:read',
  ])
  expect(wordsIn('')).toEqual([])
  expect(wordsIn(undefined)).toBeUndefined()
})
