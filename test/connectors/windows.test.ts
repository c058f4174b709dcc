// Listings past a vendor's cap, and workspaces that a token does not see: what 450 people of one tenant cannot show.
import { afterEach, beforeEach, expect, test } from 'vitest'
import { auth0 } from '../../src/connectors/auth0/auth0.ts'
import { clickup } from '../../src/connectors/clickup/clickup.ts'
import { type Cursor, createEngine, type Engine } from '../../src/connectors/engine.ts'
import type { Http, HttpAnswer } from '../../src/connectors/http.ts'
import { pagerduty } from '../../src/connectors/pagerduty/pagerduty.ts'
import { silentLog } from '../../src/lib/log.ts'
import { listAll, refusal, swiftClock } from './served.ts'

let answer: (url: URL) => unknown
let engine: Engine

const json = (body: unknown): HttpAnswer => ({ status: 200, headers: {}, text: JSON.stringify(body) })
const http: Http = {
  async request({ url }) {
    const asked = new URL(url)
    return json(asked.pathname.endsWith('/token') ? { access_token: 't' } : answer(asked))
  },
  async close() {},
}

beforeEach(() => {
  engine = createEngine({ clock: swiftClock(), log: silentLog, allowPrivateNetwork: false, http })
})
afterEach(() => engine.close())

const domain = { domain: 'acme.eu.auth0.com', client: 'c', secret: 's' }

/** Auth0's users, sorted by creation, of which no search gives more than a thousand. */
function directory(people: number, sameMoment = false) {
  const bornAt = (n: number) => new Date(Date.UTC(2024, 0, 1) + (sameMoment ? 0 : n * 1_000)).toISOString()
  answer = url => {
    const from = Number(url.searchParams.get('page')) * Number(url.searchParams.get('per_page'))
    expect(from).toBeLessThan(1_000)
    const since = /AND created_at:\[(\S+) TO \*\]$/.exec(url.searchParams.get('q') ?? '')?.[1] ?? ''
    const all = Array.from({ length: people }, (_, n) => ({ user_id: `u${n}`, created_at: bornAt(n) }))
    return all.filter(one => one.created_at >= since).slice(from, from + 100)
  }
}

test('more people than one search gives are read in further searches, each once', async () => {
  directory(2_350)
  const whole = await listAll(engine, auth0, domain)
  expect(whole.accounts.map(one => one.externalId)).toEqual(Array.from({ length: 2_350 }, (_, n) => `u${n}`))
  expect(whole.end).toEqual({ complete: true, warnings: [] })
  const stored = JSON.parse(JSON.stringify(whole.pages[12]?.cursor)) as Cursor
  const rest = await listAll(engine, auth0, domain, { from: stored })
  expect(rest.accounts.at(-1)?.externalId).toBe('u2349')
})

test('a tenant of exactly as many people as one search gives is read whole', async () => {
  for (const people of [1_000, 1_999]) {
    directory(people)
    const { accounts, end } = await listAll(engine, auth0, domain)
    expect(accounts).toHaveLength(people)
    expect(end).toEqual({ complete: true, warnings: [] })
  }
})

test('people who cannot be told apart by their moment make the list incomplete, never shorter in silence', async () => {
  directory(1_500, true)
  const { end } = await listAll(engine, auth0, domain)
  expect(end).toEqual({
    complete: false,
    warnings: ['Not everybody is reported: the list of users stopped early.'],
  })
})

test('a workspace that the token does not see is a setting to mend', async () => {
  answer = url =>
    url.pathname.endsWith('/team')
      ? { teams: [{ id: '1', name: 'Acme', members: [{ user: { id: 7, role: 1 } }] }] }
      : { user: { id: 7 } }
  const verify = (workspace: string) =>
    engine.verify(clickup, { workspace, token: 'pk' }, { timeoutMs: 5_000 })
  expect(await verify('1')).toEqual({ tenantKey: '1', tenantName: 'Acme' })
  expect(await refusal(verify('2'))).toMatchObject({ problem: 'settings', field: 'workspace' })
})

test('a list that says there is more and gives nobody is incomplete', async () => {
  answer = url =>
    url.searchParams.get('offset') === '100'
      ? { users: [], more: true }
      : {
          users: Array.from({ length: 100 }, (_, n) => ({
            id: `u${n}`,
            html_url: 'https://a.pagerduty.com/x',
          })),
          more: true,
        }
  const listed = await listAll(engine, pagerduty, { region: 'api.pagerduty.com', key: 'k' })
  expect(listed.accounts).toHaveLength(100)
  expect(listed.end.complete).toBe(false)
})
