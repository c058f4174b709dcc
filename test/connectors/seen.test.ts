// Who was listed is remembered by name up to a bound, and a page that comes again is noticed beyond it, too.
import { expect, test } from 'vitest'
import { type Account, accountOf } from '../../src/connectors/account.ts'
import { createSeen } from '../../src/connectors/seen.ts'

const page = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, at) => accountOf({ externalId: String(from + at), status: 'active' }))

test('nobody of another listing is given twice, and a page that comes again is noticed, before and beyond the bound', () => {
  const seen = createSeen(3)
  /** In two portions, as of a long answer. */
  const firstOf = (accounts: Account[], listing: number) => {
    const answer = seen.answer(listing)
    const half = accounts.length / 2
    const portions = [accounts.slice(0, half), accounts.slice(half)].map(accounts =>
      answer.firstOfEach({ accounts }),
    )
    return answer.hasCome() ? undefined : portions.flatMap(portion => portion.accounts)
  }
  expect(firstOf(page(0, 100_000), 0)).toHaveLength(100_000)
  expect(firstOf(page(0, 10), 0)).toBeUndefined()
  expect(firstOf(page(5, 15), 1)).toEqual([])
  expect(firstOf(page(200_000, 200_200), 1)).toHaveLength(200)
  expect(firstOf(page(200_000, 200_200), 1)).toBeUndefined()
  expect(firstOf(page(200_000, 200_200), 2), 'another listing').toHaveLength(200)
})
