// Asking for less: what a licence or permission is missing for is left out and told, and fewer people remove nobody.
import { afterEach, beforeEach, expect, test } from 'vitest'
import { z } from 'zod'
import { accountOf } from '../../src/connectors/account.ts'
import { token } from '../../src/connectors/auth.ts'
import { listAt, textAt } from '../../src/connectors/bodies.ts'
import { defineConnector, type Listing } from '../../src/connectors/connector.ts'
import type { Engine } from '../../src/connectors/engine.ts'
import { secretField } from '../../src/connectors/fields.ts'
import { cursor } from '../../src/connectors/pagers.ts'
import { engineOn, listAll, refusal, type Served, type SwiftClock, serve, swiftClock } from './served.ts'

let clock: SwiftClock
let engine: Engine
let served: Served
/** The `fields` of each request for a page. */
const asked: (string | null)[] = []
let refuses: (fields: string | null, at: string | null) => boolean

beforeEach(async () => {
  clock = swiftClock()
  engine = engineOn(clock)
  asked.length = 0
  refuses = fields => fields === 'all'
  served = await serve((req, res) => {
    const { searchParams, pathname } = new URL(req.url ?? '', 'http://x')
    if (pathname !== '/users') return res.end('{}')
    const at = searchParams.get('at')
    asked.push(searchParams.get('fields'))
    if (refuses(searchParams.get('fields'), at)) return res.writeHead(403).end('{"needs":"premium"}')
    const people = [{ id: at ?? 'first' }]
    return res.end(JSON.stringify({ people, next: at ? '' : 'second' }))
  })
})

afterEach(async () => {
  await engine.close()
  await served.close()
})

function vendor(less: Listing['less'], more: Partial<Listing> = {}) {
  return defineConnector(z.object({ token: secretField({ label: 'Token' }) }), {
    id: 'vendor',
    name: 'Vendor',
    emoji: ':package:',
    privileges: [],
    tokenFrom: { text: '', url: 'https://vendor.example' },
    reports: '',
    facts: { source: 'https://vendor.example', on: '2026-11-25' },
    base: () => served.url,
    auth: token(() => ({})),
    scopes: [],
    check: () => ({ path: '/check' }),
    tenant: () => ({ key: 'one', name: null }),
    rules: [{ on: 403, is: 'permission', missing: ({ body }) => [textAt('needs')(body) ?? ''] }],
    listings: [
      {
        name: 'people',
        request: () => ({ path: '/users', query: { fields: 'all' } }),
        items: listAt('people'),
        page: cursor('at', textAt('next')),
        account: item => accountOf({ externalId: textAt('id')(item) ?? '', status: 'active' }),
        ...(less ? { less } : {}),
        ...more,
      },
    ],
  })
}

const few = { path: '/users', query: { fields: 'few' } }

test('without its licence a listing is asked for less, to its end, and what is missing is told', async () => {
  const connector = vendor((_, { missing }) =>
    missing.includes('premium') ? { req: few, unreported: 'last sign-in' } : undefined,
  )
  const { accounts, end } = await listAll(engine, connector, { token: 't' })
  expect(accounts.map(one => one.externalId)).toEqual(['first', 'second'])
  expect(asked).toEqual(['all', 'few', 'few'])
  expect(end).toEqual({ warnings: ['Not reported: last sign-in.'], complete: true })
  expect(await engine.verify(connector, { token: 't' }, { timeoutMs: 5_000 })).toMatchObject({
    tenantKey: 'one',
  })
})

test('a smaller list of people removes nobody', async () => {
  const connector = vendor(() => ({ req: few, unreported: 'guests', fewer: true }))
  expect((await listAll(engine, connector, { token: 't' })).end).toEqual({
    warnings: ['Not reported: guests.'],
    complete: false,
  })
})

test('what the declaration does not excuse stays refused', async () => {
  expect(
    await refusal(
      listAll(
        engine,
        vendor(() => undefined),
        { token: 't' },
      ),
    ),
  ).toMatchObject({
    problem: 'permission',
    missing: ['premium'],
  })
})

test('nobody is asked for less in the middle of a list', async () => {
  refuses = (_, at) => at === 'second'
  const connector = vendor(() => ({ req: few, unreported: 'last sign-in' }))
  expect(await refusal(listAll(engine, connector, { token: 't' }))).toMatchObject({ problem: 'permission' })
})
