// The contract of every connector in the registry, each against a stateful stand-in of its vendor over real HTTP.
import { readdirSync } from 'node:fs'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Connector } from '../../src/connectors/connector.ts'
import { type Cursor, createEngine, type Engine } from '../../src/connectors/engine.ts'
import { connectors } from '../../src/connectors/registry.ts'
import { silentLog } from '../../src/lib/log.ts'
import { listAll, refusal, type SwiftClock, swiftClock } from './served.ts'
import { type Answer, type StandIn, serveVendors, type VendorPlan, type Vendors } from './vendor-stand-in.ts'

const plans = new Map<string, VendorPlan>()
for (const file of readdirSync(new URL('./vendors', import.meta.url))) {
  const { default: plan } = (await import(`./vendors/${file.replace(/\.ts$/, '')}.ts`)) as {
    default: VendorPlan
  }
  plans.set(plan.id, plan)
}

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

test('every connector has its stand-in, and every stand-in its connector', () => {
  expect([...plans.keys()].sort()).toEqual(connectors.map(one => one.id).sort())
})

const cases = connectors.flatMap(connector => {
  const plan = plans.get(connector.id)
  return plan ? [{ id: connector.id, connector, plan }] : []
})

describe.each(cases)('$id', ({ connector, plan }) => {
  const standIn = (tenant = 'acme') => vendors.add(plan, tenant, () => clock.now())
  const list = (of: StandIn, from?: Cursor) => listAll(engine, connector, of.credentials(), { from })
  const told = (listed: Awaited<ReturnType<typeof list>>) =>
    listed.accounts.map(one => `${one.externalId} ${one.status}`)
  const expected = (of: StandIn) => of.expected().map(one => `${one.id} ${one.status}`)
  /** The page that faults fall on: the second, or the only one. */
  const faulty = plan.onePage ? 1 : 2
  /** What is about tokens, limits and broken answers: of those that are asked by HTTP. */
  const overHttp = test.skipIf(plan.local !== undefined)

  test('everybody comes once, in order, each with the right status and address', async () => {
    const vendor = standIn()
    const listed = await list(vendor)
    expect(told(listed)).toEqual(expected(vendor))
    expect(listed.end.complete).toBe(connector.incomplete === undefined)
    expect(listed.pages.flatMap(page => page.problems)).toEqual([])
    if (plan.emails !== false)
      expect(listed.accounts.map(one => one.email)).toEqual(vendor.expected().map(one => one.email))
    if (!plan.onePage) expect(listed.pages.length, '450 people take several pages').toBeGreaterThan(1)
  })

  test('a connection is proven, and tells one tenant from another', async () => {
    const verify = (of: StandIn) => engine.verify(connector, of.credentials(), { timeoutMs: 10_000 })
    const [acme, umbrella] = [standIn('acme'), standIn('umbrella')]
    const [one, other] = [await verify(acme), await verify(umbrella)]
    expect(one.tenantKey).not.toBe('')
    expect(one.tenantKey).not.toBe(other.tenantKey)
  })

  overHttp(
    'a bad token is the credentials’ fault, in the form and in a run, and is shown to nobody',
    async () => {
      const vendor = standIn()
      vendor.secret = 'acme-another'
      const wrong = plan.credentials({ tenant: 'acme', secret: 'acme-mistyped' })
      const inForm = await refusal(engine.verify(connector, wrong, { timeoutMs: 10_000 }))
      const inRun = await refusal(listAll(engine, connector, wrong))
      for (const error of [inForm, inRun]) {
        expect(error.problem).toBe('credentials')
        expect(error.message + error.detail).not.toContain('mistyped')
      }
      expect(clock.waits).toEqual([])
    },
  )

  test.runIf(plan.forbidden)('a missing permission is named', async () => {
    const vendor = standIn()
    vendor.scoped = false
    const error = await refusal(engine.verify(connector, vendor.credentials(), { timeoutMs: 10_000 }))
    expect(error).toMatchObject({ problem: 'permission', missing: plan.forbidden?.names })
    expect(await refusal(list(vendor))).toMatchObject({ problem: 'permission' })
  })

  overHttp('a rate limit is waited out for as long as the vendor said', async () => {
    const vendor = standIn()
    const { answer, waitMs } = plan.limited
    const limited = () => (typeof answer === 'function' ? answer(clock.now()) : answer)
    vendor.fault = (good, nth) => (nth === faulty ? limited() : good)
    expect(told(await list(vendor))).toEqual(expected(vendor))
    expect(clock.waits).toHaveLength(1)
    expect(Math.abs((clock.waits[0] ?? 0) - waitMs)).toBeLessThanOrEqual(1_000)
    clock.waits = []
    vendor.fault = limited
    const patience = { patienceMs: 100 }
    const error = await refusal(listAll(engine, connector, vendor.credentials(), patience))
    expect(error.problem).toBe('busy')
    expect(error.until).toBeInstanceOf(Date)
    expect(clock.waits).toEqual([])
  })

  overHttp('two errors of the vendor are waited out', async () => {
    const vendor = standIn()
    const broken = { status: 503, text: '<h1>Unavailable</h1>' }
    vendor.fault = (good, nth) => (nth === faulty || nth === faulty + 1 ? broken : good)
    expect(told(await list(vendor))).toEqual(expected(vendor))
    expect(clock.waits).toHaveLength(2)
  })

  overHttp.each([
    { what: 'a web page', spoil: (): Answer => ({ text: '<html>Sign in</html>' }) },
    { what: 'truncated JSON', spoil: halfOf },
  ])('$what is refused as unreadable', async ({ spoil }) => {
    const vendor = standIn()
    vendor.fault = (good, nth) => (nth === faulty ? spoil(good) : good)
    expect(await refusal(list(vendor))).toMatchObject({ problem: 'unreadable' })
  })

  test.runIf(!plan.onePage && !plan.local)('a page that comes again is refused', async () => {
    const vendor = standIn()
    let first: Answer = {}
    vendor.fault = (good, nth) => {
      if (nth === 1) first = good
      return nth === 1 ? good : first
    }
    expect(await refusal(list(vendor))).toMatchObject({ problem: 'unreadable' })
    expect(vendor.pagesAsked()).toBeLessThanOrEqual(2)
  })

  test.runIf(plan.foreign)('a next address on another host is refused', async () => {
    const vendor = standIn()
    vendor.fault = (good, nth) =>
      nth === 1 ? (plan.foreign?.(good, 'https://evil.example/next?page=2') ?? good) : good
    const error = await refusal(list(vendor))
    expect(error).toMatchObject({
      problem: 'unreadable',
      detail: expect.stringContaining('another origin'),
    })
    expect(vendor.pagesAsked()).toBe(1)
  })

  test('who left is kept where the vendor keeps them, and bots are left out', async () => {
    const vendor = standIn()
    const { accounts } = await list(vendor)
    const statuses = new Set(accounts.map(one => one.status))
    expect([...statuses].sort()).toEqual([...(plan.statuses ?? ['active'])].sort())
    expect(accounts).toHaveLength(450)
    for (const bot of vendor.people.filter(one => one.bot))
      expect(accounts.map(one => one.externalId)).not.toContain(plan.accountId?.(bot) ?? bot.id)
  })

  test('a stored cursor goes on after each page, and nobody is lost or doubled', async () => {
    const vendor = standIn()
    const whole = await list(vendor)
    for (const [at, page] of whole.pages.entries()) {
      const stored = JSON.stringify(page.cursor)
      expect(stored, 'a cursor holds no secret').not.toContain(vendor.secret)
      const rest = await list(vendor, JSON.parse(stored) as Cursor)
      const before = whole.pages.slice(0, at + 1).flatMap(one => one.accounts)
      expect([...before, ...rest.accounts]).toEqual(whole.accounts)
      expect(rest.end).toEqual(whole.end)
    }
  })

  test('two tenants are read at the same time, each its own people', async () => {
    const [acme, umbrella] = [standIn('acme'), standIn('umbrella')]
    const [one, other] = await Promise.all([list(acme), list(umbrella)])
    expect(told(one)).toEqual(expected(acme))
    expect(told(other)).toEqual(expected(umbrella))
    expect(new Set(other.accounts.map(({ email }) => email)).has(one.accounts[0]?.email ?? '')).toBe(false)
  })

  test.runIf(plan.grants && !plan.onePage)('a token that ends on the way is renewed once', async () => {
    const vendor = standIn()
    vendor.fault = (good, nth) => {
      if (nth === 1) vendor.expireToken()
      return good
    }
    expect(told(await list(vendor))).toEqual(expected(vendor))
    expect(clock.waits).toEqual([])
  })
})

test('each declaration says where its facts are from', () => {
  for (const { facts, id } of connectors as Connector[]) {
    expect(facts.source, id).toMatch(/^https:\/\//)
    expect(facts.on, id).toMatch(/^20\d\d-\d\d-\d\d$/)
  }
})

function halfOf(answer: Answer): Answer {
  const text = JSON.stringify(answer.body)
  return { ...answer, text: text.slice(0, Math.floor(text.length / 2)) }
}
