// What a second list tells of everybody: it is joined to the accounts, and where it is refused it is done without and told.
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { type Cursor, createEngine, type Engine } from '../../src/connectors/engine.ts'
import { connectorById } from '../../src/connectors/registry.ts'
import { silentLog } from '../../src/lib/log.ts'
import { listAll, refusal, type SwiftClock, swiftClock } from './served.ts'
import { type Answer, serveVendors, type VendorPlan, type Vendors } from './vendor-stand-in.ts'
import entra from './vendors/entra.ts'
import github from './vendors/github.ts'
import gitlab from './vendors/gitlab.ts'
import hubspot from './vendors/hubspot.ts'
import salesforce from './vendors/salesforce.ts'
import zoom from './vendors/zoom.ts'

let vendors: Vendors
let clock: SwiftClock
let engine: Engine

beforeAll(async () => {
  vendors = await serveVendors()
})
beforeEach(() => {
  clock = swiftClock()
  engine = createEngine({ clock, log: silentLog, allowPrivateNetwork: true, http: vendors.http })
})
afterEach(() => vendors.clear())
afterAll(() => vendors.close())

function list(plan: VendorPlan, from?: Cursor) {
  vendors.clear()
  const vendor = vendors.add(plan, 'acme', () => clock.now())
  const connector = connectorById(plan.id)
  if (!connector) throw new Error(`no connector ${plan.id}`)
  return listAll(engine, connector, vendor.credentials(), { from })
}

const graphql = 'POST https://api.github.com/graphql'
const answering = (answer: Answer): VendorPlan => ({
  ...github,
  routes: { ...github.routes, [graphql]: () => answer },
})

test.each([
  { plan: github, told: { email: 'person0@acme.example' }, of: 0 },
  { plan: entra, told: { licences: ['ENTERPRISEPACK'] }, of: 0 },
  { plan: salesforce, told: { status: 'suspended' }, of: 3 },
  { plan: zoom, told: { roles: ['Help desk'], admin: null }, of: 1 },
  { plan: hubspot, told: { roles: ['Sales'] }, of: 1 },
  { plan: gitlab, told: { roles: ['owner'], admin: true }, of: 0 },
] as { plan: VendorPlan; told: object; of: number }[])(
  '$plan.id: what a second list tells is joined to the accounts',
  async ({ plan, told, of }) => {
    expect((await list(plan)).accounts[of]).toMatchObject(told)
  },
)

test('all pages of the second list are read, and again by a run that goes on', async () => {
  const whole = await list(github)
  const withAddress = whole.accounts.filter(one => one.email)
  // Outside collaborators do not sign on; who is invited has the invitation's address.
  expect(withAddress.length).toBeGreaterThan(400)
  const rest = await list(github, whole.pages[1]?.cursor)
  expect(rest.accounts.at(0)?.email).toBe(whole.pages[2]?.accounts[0]?.email)
  expect(rest.end).toEqual(whole.end)
})

test('an organisation without SAML has no such list, and nothing is missing', async () => {
  const none = { body: { data: { organization: { samlIdentityProvider: null } } } }
  const { accounts, end } = await list(answering(none))
  expect(accounts[0]?.email).toBeNull()
  expect(end).toEqual({ warnings: [], complete: true })
})

test.each([
  { what: 'a missing scope', answer: { body: { errors: [{ type: 'INSUFFICIENT_SCOPES' }] } } },
  { what: 'a refusal', answer: { status: 403, body: { message: 'Forbidden' } } },
])('after $what everybody is listed all the same, and it is told once', async ({ answer }) => {
  const whole = await list(answering(answer))
  const { end, pages } = await list(answering(answer), whole.pages[0]?.cursor)
  expect(whole.accounts).toHaveLength(450)
  expect(end).toEqual({
    warnings: ['Not reported: e-mail addresses of SAML sign-on, which needs admin:org.'],
    complete: true,
  })
  expect(pages.length).toBe(whole.pages.length - 1)
})

test('what cannot be read is done without, and a list that turns in a circle ends', async () => {
  const page = {
    nodes: [{ user: null }, 'nobody', null],
    pageInfo: { hasNextPage: true, endCursor: 'again' },
  }
  const circle = { body: { data: { organization: { samlIdentityProvider: { externalIdentities: page } } } } }
  for (const answer of [circle, { body: { data: null } }, { text: '<html>' }]) {
    const { accounts, end } = await list(answering(answer))
    expect(accounts).toHaveLength(450)
    expect(end.warnings).toEqual(['Not reported: e-mail addresses of SAML sign-on.'])
  }
})

test('a limit on the second list is waited for, since addresses would be lost without it', async () => {
  const limited = answering({ status: 429, headers: { 'retry-after': '3000' }, body: {} })
  expect(await refusal(list(limited))).toMatchObject({ problem: 'busy' })
})
