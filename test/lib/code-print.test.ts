// A print of the code is another one for other rooms, and the same for the same.
import { expect, test } from 'vitest'
import { codePrint } from '../../src/lib/code-print.ts'

test('the same rooms have the same print, and others another one', () => {
  const print = codePrint(['connectors', 'lib'])
  expect(print).toMatch(/^[\w-]{43}$/)
  expect(codePrint(['connectors', 'lib'])).toBe(print)
  expect(codePrint(['lib'])).not.toBe(print)
})
