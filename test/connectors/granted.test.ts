// A permission that the vendor lets one see is named before anything is refused for want of it.
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { createEngine } from '../../src/connectors/engine.ts'
import { connectorById } from '../../src/connectors/registry.ts'
import { silentLog } from '../../src/lib/log.ts'
import { refusal, swiftClock } from './served.ts'
import { serveVendors, type VendorPlan, type Vendors } from './vendor-stand-in.ts'
import entra from './vendors/entra.ts'
import miro from './vendors/miro.ts'
import slack from './vendors/slack.ts'

let vendors: Vendors
beforeAll(async () => {
  vendors = await serveVendors()
})
afterEach(() => vendors.clear())
afterAll(() => vendors.close())

test.each([
  { plan: entra, where: 'in the token', names: ['User.Read.All'] },
  { plan: slack, where: 'in a header', names: ['users:read.email'] },
  { plan: miro, where: 'in what the token says of itself', names: ['organizations:read'] },
] as { plan: VendorPlan; where: string; names: string[] }[])(
  '$plan.id: a missing permission that stands $where is named without a refusal',
  async ({ plan, names }) => {
    const clock = swiftClock()
    const engine = createEngine({ clock, log: silentLog, allowPrivateNetwork: true, http: vendors.http })
    const vendor = vendors.add({ ...plan, forbidden: null }, 'acme', () => clock.now())
    vendor.scoped = false
    const connector = connectorById(plan.id)
    if (!connector) throw new Error(`no connector ${plan.id}`)
    const error = await refusal(engine.verify(connector, vendor.credentials(), { timeoutMs: 10_000 }))
    expect(error).toMatchObject({ problem: 'permission', missing: names })
    expect(vendor.pagesAsked(), 'no page was asked for').toBe(0)
  },
)
