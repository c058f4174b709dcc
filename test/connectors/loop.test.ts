// What a walk keeps of the requests it has made: enough to see one come again, and not the requests.
import { expect, test } from 'vitest'
import { refuseLoop } from '../../src/connectors/loop.ts'
import { connectorById } from '../../src/connectors/registry.ts'

test('a request that comes again is refused, and a long cursor takes no more memory than a short one', () => {
  const connector = connectorById('okta')
  if (!connector) throw new Error('Okta is there')
  const asked = {
    ...({
      connector,
      credentials: { domain: 'acme.okta.com', token: 't' },
      place: 'run',
      scopes: [],
    } as const),
    what: 'GET /users',
  }
  const requests = new Set<string>()
  const ask = (n: number) =>
    refuseLoop(
      asked,
      { path: `/users?after=${n}${'x'.repeat(8_000)}` },
      { origin: 'https://acme.okta.com', requests, page: n },
    )
  for (let n = 1; n <= 100; n += 1) ask(n)
  expect(() => ask(50)).toThrow(expect.objectContaining({ detail: 'GET /users next request already made' }))
  expect([...requests].join('').length / requests.size).toBeLessThan(64)
})
