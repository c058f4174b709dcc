// Where people could be lost, doubled or told wrongly: lists that end too soon, ids that are rounded, rights that are too few.
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { moment } from '../../src/connectors/account.ts'
import type { Connector, Credentials } from '../../src/connectors/connector.ts'
import { datadog } from '../../src/connectors/datadog/datadog.ts'
import { dropbox } from '../../src/connectors/dropbox/dropbox.ts'
import { createEngine, type Engine } from '../../src/connectors/engine.ts'
import { entra } from '../../src/connectors/entra/entra.ts'
import { github } from '../../src/connectors/github/github.ts'
import type { Http, HttpAnswer } from '../../src/connectors/http.ts'
import { httpJson } from '../../src/connectors/http-json/http-json.ts'
import { linear } from '../../src/connectors/linear/linear.ts'
import { newrelic } from '../../src/connectors/newrelic/newrelic.ts'
import { notion } from '../../src/connectors/notion/notion.ts'
import { okta } from '../../src/connectors/okta/okta.ts'
import { salesforce } from '../../src/connectors/salesforce/salesforce.ts'
import { scim } from '../../src/connectors/scim/scim.ts'
import { sentry } from '../../src/connectors/sentry/sentry.ts'
import { zendesk } from '../../src/connectors/zendesk/zendesk.ts'
import { silentLog } from '../../src/lib/log.ts'
import { listAll, refusal, swiftClock } from './served.ts'

interface Told {
  status?: number
  headers?: Record<string, string>
  body: unknown
}

/** Answers by the address and the body that were sent. */
let answer: (url: URL, sent: string) => Told
let asked: URL[]
let engine: Engine

const http: Http = {
  async request({ url, body = '' }): Promise<HttpAnswer> {
    const address = new URL(url)
    if (address.pathname.includes('/token')) return { status: 200, headers: {}, text: '{"access_token":"t"}' }
    asked.push(address)
    const told = answer(address, body)
    const text = typeof told.body === 'string' ? told.body : JSON.stringify(told.body)
    return { status: told.status ?? 200, headers: told.headers ?? {}, text }
  },
  async close() {},
}

beforeEach(() => {
  asked = []
  engine = createEngine({ clock: swiftClock(), log: silentLog, allowPrivateNetwork: false, http })
})
afterEach(() => engine.close())

const list = (connector: Connector, credentials: Credentials) => listAll(engine, connector, credentials)

describe('a list that says there is more, and not where, is incomplete', () => {
  const cases: { connector: Connector; credentials: Credentials; page: unknown }[] = [
    {
      connector: notion,
      credentials: { token: 't' },
      page: { results: [{ id: 'a', type: 'person' }], has_more: true, next_cursor: null },
    },
    {
      connector: zendesk,
      credentials: { address: 'acme.zendesk.com', email: 'a@acme.example', token: 't' },
      page: { users: [{ id: 1, role: 'agent' }], meta: { has_more: true }, links: { next: null } },
    },
    {
      connector: dropbox,
      credentials: { app: 'a', secret: 's', refresh: 'r' },
      page: {
        team_id: 'dbtid',
        members: [{ profile: { team_member_id: 'a', status: { '.tag': 'active' } } }],
        has_more: true,
      },
    },
    {
      connector: linear,
      credentials: { key: 'k' },
      page: {
        data: {
          organization: { id: 'o', name: 'Acme' },
          users: { nodes: [{ id: 'a', active: true }], pageInfo: { hasNextPage: true, endCursor: null } },
        },
      },
    },
    {
      connector: salesforce,
      credentials: { domain: 'acme.my.salesforce.com', client: 'c', secret: 's' },
      page: { done: false, records: [{ Id: 'a', IsActive: true }] },
    },
    {
      connector: datadog,
      credentials: { site: 'datadoghq.com', key: 'k', application: 'a' },
      page: { data: [], meta: { page: { total_filtered_count: 250 } } },
    },
  ]
  test.each(cases)('$connector.name', async ({ connector, credentials, page }) => {
    answer = () => ({ body: page })
    const { end } = await list(connector, credentials)
    expect(end.complete).toBe(false)
    expect(end.warnings.at(-1)).toMatch(/^Not everybody is reported: the list of .* stopped early\.$/)
  })
})

test('a domain of New Relic that names no users is no domain without users', async () => {
  const domains = [
    { id: 'd1', users: { users: [{ id: '1', name: 'Ada' }] } },
    { id: 'd2', users: null },
  ]
  const authenticationDomains = { nextCursor: null, authenticationDomains: domains }
  answer = () => ({
    body: { data: { actor: { organization: { userManagement: { authenticationDomains } } } } },
  })
  const error = await refusal(list(newrelic, { region: 'api.newrelic.com', key: 'k' }))
  expect(error.problem).toBe('unreadable')
})

describe('two errors of the vendor on a later page', () => {
  const people = Array.from({ length: 250 }, (_, n) => n + 1)

  test('leave the size of a page that has a number: another size would begin elsewhere', async () => {
    let faults = 2
    answer = url => {
      if (url.pathname.startsWith('/user/')) return { body: { organization: { id: 1, login: 'acme' } } }
      if (url.pathname === '/graphql')
        return { body: { data: { organization: { samlIdentityProvider: null } } } }
      if (url.searchParams.get('role') !== 'member') return { body: [] }
      const page = Number(url.searchParams.get('page') ?? 1)
      if (page === 3 && faults-- > 0) return { status: 502, body: '' }
      const size = Number(url.searchParams.get('per_page'))
      const rows = people.slice((page - 1) * size, page * size)
      const next = new URL(url)
      next.searchParams.set('page', String(page + 1))
      const headers = page * size < people.length ? { link: `<${next.href}>; rel="next"` } : {}
      return { headers, body: rows.map(id => ({ id, login: `u${id}` })) }
    }
    const { accounts, end } = await list(github, { organisation: 'acme', token: 't', address: '' })
    expect(accounts.map(one => Number(one.externalId))).toEqual(people)
    expect(end.complete).toBe(true)
  })

  test('leave the size of Sentry’s pages, which its cursors count', async () => {
    let faults = 2
    answer = url => {
      if (!url.pathname.endsWith('/members/'))
        return { body: { id: '1', name: 'acme', access: ['member:read'] } }
      const size = Number(url.searchParams.get('per_page'))
      const [value = 0, page = 0] = (url.searchParams.get('cursor') ?? '0:0:0').split(':').map(Number)
      if (page === 2 && faults-- > 0) return { status: 502, body: '' }
      // As Sentry's own server does: a page of another size is the end of the one that the cursor names.
      const from = page * value
      const named = people.slice(from, from + (value || size) + 1)
      const rows = value === size ? named : named.slice(-(size + 1))
      const next = new URL(url)
      next.searchParams.set('cursor', `${size}:${page + 1}:0`)
      const link = `<${next.href}>; rel="next"; results="${rows.length > size}"`
      return { headers: { link }, body: rows.slice(0, size).map(id => ({ id: String(id) })) }
    }
    const { accounts } = await list(sentry, { organisation: 'acme', token: 't', address: '' })
    expect(accounts.map(one => Number(one.externalId))).toEqual(people)
    expect(new Set(asked.map(url => url.searchParams.get('per_page')))).toEqual(new Set([null, '100']))
  })
})

describe('GitHub', () => {
  const given = { organisation: 'acme', token: 't', address: '' }
  const member = { organization: { id: 1, login: 'acme' }, state: 'active' }
  const logins = (url: URL) => (url.searchParams.get('role') === 'member' ? [{ id: 7, login: 'ada' }] : [])

  test('a token of somebody who has not accepted the invitation sees only public members: it is refused', async () => {
    answer = url => ({
      body: url.pathname.startsWith('/user/') ? { ...member, state: 'pending' } : logins(url),
    })
    for (const refused of [
      await refusal(engine.verify(github, given, { timeoutMs: 5_000 })),
      await refusal(list(github, given)),
    ])
      expect(refused).toMatchObject({
        problem: 'permission',
        missing: ['a membership that its owner has accepted'],
      })
  })

  test('an error of a moment in the lookup of addresses is waited out, and no address is lost for it', async () => {
    let faults = 1
    answer = url => {
      if (url.pathname.startsWith('/user/')) return { body: member }
      if (url.pathname !== '/graphql') return { body: logins(url) }
      if (faults-- > 0) return { body: { data: null, errors: [{ message: 'Something went wrong' }] } }
      const nodes = [{ user: { databaseId: 7 }, samlIdentity: { nameId: 'ada@acme.example' } }]
      const externalIdentities = { nodes, pageInfo: { hasNextPage: false, endCursor: null } }
      return { body: { data: { organization: { samlIdentityProvider: { externalIdentities } } } } }
    }
    const { accounts, end } = await list(github, given)
    expect(accounts[0]?.email).toBe('ada@acme.example')
    expect(end.warnings).toEqual([])
  })
})

test('numbers too large to be read exactly are no ids: two people would become one', async () => {
  const readable = Array.from({ length: 4 }, (_, n) => `{"id":${n + 1}}`)
  const rows = `[${[...readable, '{"id":9007199254740993}', '{"id":9007199254740992}'].join()}]`
  const blank = Object.fromEntries(Object.keys(httpJson.credentials.shape).map(key => [key, '']))
  const mapped = {
    ...blank,
    address: 'https://api.example.com/users',
    auth: 'bearer',
    key: 'k',
    idPath: 'id',
    paging: 'none',
  }
  for (const [connector, credentials, body] of [
    [httpJson, mapped, rows],
    [
      scim,
      { app: '', part: '', address: 'https://x.example', user: '', token: 't' },
      `{"totalResults":6,"Resources":${rows}}`,
    ],
  ] as const) {
    answer = () => ({ body })
    const { accounts, pages, end } = await list(connector, credentials)
    expect(accounts.map(one => one.externalId)).toEqual(['1', '2', '3', '4'])
    expect(pages.flatMap(page => page.problems).map(({ message }) => message)).toEqual([
      'The account’s id is a number that cannot be read exactly.',
      'The account’s id is a number that cannot be read exactly.',
    ])
    expect(end.complete).toBe(false)
  }
})

test('a time without a zone is UTC wherever saasm runs, and the first moment of 1970 is never', async () => {
  const zone = process.env.TZ
  process.env.TZ = 'America/New_York'
  try {
    for (const told of [
      '2026-05-01T10:00:00',
      '2026-05-01 10:00:00',
      '2026-05-01T10:00',
      '2026-05-01T10:00:00.000',
    ])
      expect(moment(told)?.toISOString(), told).toBe('2026-05-01T10:00:00.000Z')
    expect(moment('2026-05-01T10:00:00-04:00')?.toISOString()).toBe('2026-05-01T14:00:00.000Z')
    expect(moment('2026-05-01')?.toISOString()).toBe('2026-05-01T00:00:00.000Z')
  } finally {
    if (zone === undefined) delete process.env.TZ
    else process.env.TZ = zone
  }
  const row = { id: 'u1', status: 'ACTIVE', lastLogin: '1970-01-01T00:00:00.000Z', profile: {} }
  answer = () => ({ body: [row] })
  const { accounts } = await list(okta, { domain: 'acme.okta.com', token: 't' })
  expect(accounts[0]?.lastActiveAt).toBeNull()
})

test('a guest of Entra who was disabled before they accepted is suspended, not invited', async () => {
  const guest = { id: 'g', userType: 'Guest', externalUserState: 'PendingAcceptance' }
  answer = () => ({
    body: {
      value: [
        { ...guest, accountEnabled: false },
        { ...guest, id: 'h', accountEnabled: true },
      ],
    },
  })
  const given = { tenant: 't', client: 'c', secret: 's', cloud: 'global' }
  const { accounts } = await list(entra, given)
  expect(accounts.map(one => one.status)).toEqual(['suspended', 'invited'])
})
