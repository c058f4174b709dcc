// The engine against the three stand-ins over real HTTP: everybody comes, and each refusal names who must act.
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Connector, Credentials } from '../../src/connectors/connector.ts'
import type { Engine } from '../../src/connectors/engine.ts'
import { connectorById } from '../../src/connectors/registry.ts'
import { createGithubStandIn } from '../../src/sandbox/vendors/github.ts'
import { createOktaStandIn } from '../../src/sandbox/vendors/okta.ts'
import { createScimStandIn } from '../../src/sandbox/vendors/scim.ts'
import type { VendorStandIn } from '../../src/sandbox/vendors/vendor-stand-in.ts'
import {
  engineOn,
  listAll,
  refusal,
  type Served,
  type SwiftClock,
  serveVendor,
  swiftClock,
} from './served.ts'

const makers = { okta: createOktaStandIn, github: createGithubStandIn, scim: createScimStandIn }
type Id = keyof typeof makers

let clock: SwiftClock
let engine: Engine
const open: Served[] = []

beforeEach(() => {
  clock = swiftClock()
  engine = engineOn(clock)
})

afterEach(async () => {
  await engine.close()
  for (const served of open.splice(0)) await served.close()
})

async function connected(id: Id, made?: VendorStandIn) {
  const vendor = made ?? makers[id]({ clock })
  const served = await serveVendor(vendor)
  open.push(served)
  const connector = connectorById(id) as Connector
  const credentials = (): Credentials => ({ ...vendor.fields(served.url), token: vendor.token() })
  return { vendor, connector, credentials, served }
}

describe.each([
  { id: 'okta', people: 450, scope: 'okta.users.read', tenant: 'Acme' },
  { id: 'github', people: 60, scope: 'read:org', tenant: 'acme' },
  { id: 'scim', people: 120, scope: null, tenant: null },
] as const)('$id', ({ id, people, scope, tenant }) => {
  test(`all ${people} people are listed, each once`, async () => {
    const { vendor, connector, credentials } = await connected(id)
    const { accounts, end } = await listAll(engine, connector, credentials())
    const bare = (externalId: string) => externalId.replace('invitation:', '')
    expect(accounts.map(account => bare(account.externalId))).toEqual(vendor.people().map(one => one.id))
    expect(new Set(accounts.map(account => account.externalId)).size).toBe(people)
    expect(accounts.map(account => account.status)).toEqual(vendor.people().map(one => one.status))
    expect(end).toEqual({ warnings: [], complete: true })
  })

  test('a connection is proven and names its tenant', async () => {
    const { connector, credentials } = await connected(id)
    const verified = await engine.verify(connector, credentials(), { timeoutMs: 10_000 })
    expect(verified.tenantName).toBe(tenant)
    expect(verified.tenantKey).not.toBe('')
  })

  test('a wrong token is refused at once, in the form and in a run', async () => {
    const { vendor, connector, credentials } = await connected(id)
    const wrong = { ...credentials(), token: 'wrong-token-1234' }
    const inForm = await refusal(engine.verify(connector, wrong, { timeoutMs: 10_000 }))
    expect(inForm).toMatchObject({ problem: 'credentials', field: 'token' })
    vendor.revokeToken()
    const inRun = await refusal(listAll(engine, connector, credentials()))
    expect(inRun.message).toBe(
      `${connector.name} refused the token. Make a new one and put it in Edit Instance.`,
    )
    for (const told of [inForm, inRun])
      expect(told.message + told.detail).not.toMatch(/wrong-token-1234|sandbox/)
    expect(clock.waits).toEqual([])
    const renewed = vendor.renewToken()
    expect((await listAll(engine, connector, { ...credentials(), token: renewed })).accounts).toHaveLength(
      people,
    )
  })

  test('a missing permission is named as the vendor names it', async () => {
    const { vendor, connector, credentials } = await connected(id)
    vendor.takeScope()
    const error = await refusal(engine.verify(connector, credentials(), { timeoutMs: 10_000 }))
    expect(error.problem).toBe('permission')
    expect(error.missing).toEqual(scope ? [scope] : [])
    if (scope) expect(error.message).toContain(scope)
    vendor.giveScope()
    await engine.verify(connector, credentials(), { timeoutMs: 10_000 })
  })

  test('a rate limit is waited out for as long as the vendor said', async () => {
    const { vendor, connector, credentials } = await connected(id)
    vendor.setMood('rate-limited')
    clock.onWait = () => vendor.setMood('normal')
    expect((await listAll(engine, connector, credentials())).accounts).toHaveLength(people)
    expect(clock.waits).toHaveLength(1)
    expect(clock.waits[0]).toBeGreaterThan(55_000)
    expect(clock.waits[0]).toBeLessThan(62_000)
  })

  test('a rate limit beyond our patience is handed back with the time to return', async () => {
    const { vendor, connector, credentials } = await connected(id)
    vendor.setMood('rate-limited')
    const error = await refusal(listAll(engine, connector, credentials(), { patienceMs: 30_000 }))
    expect(error.problem).toBe('busy')
    const waitMs = (error.until?.getTime() ?? 0) - clock.now().getTime()
    expect(waitMs).toBeGreaterThan(55_000)
    expect(waitMs).toBeLessThan(62_000)
    expect(clock.waits).toEqual([])
  })

  test('a vendor that stays broken is given up after seven tries', async () => {
    const { vendor, connector, credentials } = await connected(id)
    vendor.setMood('broken')
    expect(await refusal(listAll(engine, connector, credentials()))).toMatchObject({ problem: 'broken' })
    expect(vendor.requests).toHaveLength(7)
    expect(clock.waits).toHaveLength(6)
    const inForm = await refusal(engine.verify(connector, credentials(), { timeoutMs: 10_000 }))
    expect(inForm.problem).toBe('broken')
    expect(vendor.requests).toHaveLength(8)
  })

  test('an unknown path is answered with the vendor’s own 404', async () => {
    const { vendor, served } = await connected(id)
    const words = { okta: 'SSWS', github: 'Bearer', scim: 'Bearer' }
    const res = await fetch(`${served.url}/nowhere`, {
      headers: { authorization: `${words[id]} ${vendor.token()}` },
    })
    expect(res.status).toBe(404)
    expect(await res.json()).toMatchObject(
      { okta: { errorCode: 'E0000022' }, github: { message: 'Not Found' }, scim: { status: '404' } }[id],
    )
  })
})

test('people who are added, suspended and removed in the stand-in show in the next listing', async () => {
  const { vendor, connector, credentials } = await connected('okta')
  const grace = vendor.add({ name: 'Grace Hopper', email: 'grace.hopper@acme.example' })
  vendor.suspend('00u00000000000000001')
  vendor.remove('00u00000000000000002')
  const { accounts } = await listAll(engine, connector, credentials())
  expect(accounts).toHaveLength(450)
  const byId = new Map(accounts.map(account => [account.externalId, account]))
  expect(byId.get(grace.id)).toMatchObject({ name: 'Grace Hopper', status: 'active' })
  expect(byId.get('00u00000000000000001')).toMatchObject({ status: 'suspended' })
  expect(byId.has('00u00000000000000002')).toBe(false)
})

test('a stand-in that is restored knows its people and its token', () => {
  const first = createOktaStandIn({ clock })
  first.add({ name: 'Grace Hopper', email: 'grace.hopper@acme.example' })
  first.renewToken()
  const second = createOktaStandIn({ clock })
  second.restore(JSON.parse(JSON.stringify(first.snapshot())))
  expect(second.people()).toEqual(first.people())
  expect(second.token()).toBe(first.token())
})

test('the deactivated of Okta are kept, with what Okta says of them', async () => {
  const { connector, credentials } = await connected('okta')
  const { accounts } = await listAll(engine, connector, credentials())
  expect(accounts.filter(({ status }) => status === 'deactivated')).toHaveLength(5)
  expect(accounts[0]).toMatchObject({
    name: 'Ada Berg',
    email: 'ada.berg@acme.example',
    createdAt: new Date('2024-01-08T09:00:00Z'),
    lastActiveAt: new Date('2024-01-08T09:00:00Z'),
    mfa: null,
    admin: null,
  })
})

test('GitHub’s owners, guests and invitations are told apart', async () => {
  const { connector, credentials } = await connected('github')
  const { accounts } = await listAll(engine, connector, credentials())
  expect(accounts.filter(({ admin }) => admin)).toHaveLength(3)
  expect(accounts.filter(({ kind }) => kind === 'guest')).toHaveLength(4)
  const invited = accounts.filter(({ status }) => status === 'invited')
  expect(invited.map(({ externalId }) => externalId)).toEqual(['invitation:41058', 'invitation:41059'])
})

test('without admin:org GitHub’s invitations are told as missing, and nobody counts as gone', async () => {
  const { connector, credentials } = await connected(
    'github',
    createGithubStandIn({ clock, scopes: ['read:org'] }),
  )
  const { accounts, end } = await listAll(engine, connector, credentials())
  expect(accounts).toHaveLength(58)
  expect(end).toEqual({
    warnings: ['Not everybody is reported: invitations need admin:org.'],
    complete: false,
  })
})

test('an organisation that the token does not see is a setting to mend', async () => {
  const { connector, credentials } = await connected('github')
  const foreign = { ...credentials(), organisation: 'other' }
  const error = await refusal(engine.verify(connector, foreign, { timeoutMs: 10_000 }))
  expect(error).toMatchObject({ problem: 'settings', field: 'organisation' })
})

test('a SCIM user name turns the secret into a password', async () => {
  const { connector, credentials } = await connected('scim')
  const { accounts } = await listAll(engine, connector, { ...credentials(), user: 'saasm' })
  expect(accounts).toHaveLength(120)
  expect(accounts.filter(({ status }) => status === 'deactivated')).toHaveLength(2)
  expect(accounts[0]).toMatchObject({ roles: ['admin'], email: 'ada.berg@acme.example' })
})
