// The body of an answer is what came, however it came in pieces and however much the vendor said would come; and never more than may be.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createBody } from '../../src/connectors/http-body.ts'

const maxBytes = 6_000_000

test('a body is what came, in whatever pieces', async () => {
  const size = fc.oneof(fc.integer({ min: 0, max: 300 }), fc.integer({ min: 0, max: 3_000_000 }))
  await fc.assert(
    fc.asyncProperty(
      fc.array(size, { maxLength: 8 }),
      fc.integer({ min: 0, max: 10_000_000 }),
      async (sizes, said) => {
        const pieces = sizes.map((length, at) => Buffer.alloc(length, `${at} piece `))
        const whole = Buffer.concat(pieces)
        const body = createBody(maxBytes, said)
        const add = () => {
          for (const piece of pieces) {
            body.add(piece)
            // The network uses its memory again.
            piece.fill('-')
          }
        }
        if (whole.length > maxBytes) return void expect(add).toThrow('too large')
        add()
        expect(whole.equals(await body.whole())).toBe(true)
      },
    ),
    { numRuns: 200 },
  )
})
