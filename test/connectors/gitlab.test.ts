// GitLab beyond the contract: a group whose seats the token may not read, and a self-managed instance.
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { type Credentials, readCredentials } from '../../src/connectors/connector.ts'
import { createEngine, type Engine } from '../../src/connectors/engine.ts'
import { gitlab } from '../../src/connectors/gitlab/gitlab.ts'
import { silentLog } from '../../src/lib/log.ts'
import { listAll, refusal, type SwiftClock, swiftClock } from './served.ts'
import { byLink } from './vendor-pages.ts'
import { serveVendors, type VendorPlan, type Vendors } from './vendor-stand-in.ts'
import group, { paging, seat } from './vendors/gitlab.ts'

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

const standIn = (plan: VendorPlan) => vendors.add(plan, 'acme', () => clock.now())

test('without the role Owner a group’s members are read instead, and nobody counts as gone', async () => {
  const members = 'GET https://gitlab.com/api/v4/groups/:group/members/all'
  const vendor = standIn({
    ...group,
    routes: {
      ...group.routes,
      'GET https://gitlab.com/api/v4/groups/:group/billable_members': () => ({
        status: 403,
        body: { message: '403 Forbidden' },
      }),
      [members]: (asked, world) =>
        byLink(asked, world, world.people, paging, one => {
          const { membership_type: _, last_activity_on: __, ...rest } = seat(one as (typeof world.people)[0])
          return { ...rest, access_level: 50 }
        }),
    },
  })
  const { accounts, end } = await listAll(engine, gitlab, vendor.credentials())
  expect(accounts).toHaveLength(450)
  expect(accounts[0]).toMatchObject({ roles: ['owner'], admin: true, licences: [], lastActiveAt: null })
  expect(end.complete).toBe(false)
  expect(end.warnings.join()).toContain('the role Owner of the top-level group')
})

const host = 'https://acme-git.example'
const instance = (asAdmin: boolean): VendorPlan => ({
  ...group,
  credentials: ({ secret }): Credentials => ({ whole: 'instance', group: '', token: secret, address: host }),
  routes: {
    [`GET ${host}/api/v4/personal_access_tokens/self`]: () => ({ body: { scopes: ['api'] } }),
    [`GET ${host}/api/v4/metadata`]: () => ({ body: { version: '18.6.0' } }),
    [`GET ${host}/api/v4/users`]: (asked, world) =>
      byLink(asked, world, world.people, paging, one => {
        const { id, username, name, state, email } = seat(one as (typeof world.people)[0])
        const shown = { id, username, name, state: state === 'awaiting' ? 'blocked_pending_approval' : state }
        if (!asAdmin) return shown
        return { ...shown, email, is_admin: id === 1, external: id === 2, using_license_seat: true }
      }),
  },
})

test('the users of an instance are read by an administrator’s token', async () => {
  const vendor = standIn(instance(true))
  const { accounts, end } = await listAll(engine, gitlab, vendor.credentials())
  expect(accounts.map(one => `${one.externalId} ${one.status} ${one.email}`)).toEqual(
    vendor.expected().map(one => `${one.id} ${one.status} ${one.email}`),
  )
  expect(accounts[0]).toMatchObject({ admin: true, kind: 'human', licences: ['seat'] })
  expect(accounts[1]).toMatchObject({ admin: false, kind: 'guest' })
  expect(end.complete).toBe(true)
  expect(await engine.verify(gitlab, vendor.credentials(), { timeoutMs: 10_000 })).toMatchObject({
    tenantKey: 'acme-git.example',
  })
})

test('the public list of an instance’s users is not taken for the whole one', async () => {
  const vendor = standIn(instance(false))
  const error = await refusal(listAll(engine, gitlab, vendor.credentials()))
  expect(error).toMatchObject({ problem: 'permission', missing: ['the role administrator'] })
})

test('a group needs its path, and an instance its address', () => {
  const typed = { token: 'glpat-1', group: '', address: '' }
  expect(readCredentials(gitlab, { ...typed, whole: 'group' })).toEqual({
    ok: false,
    problems: { group: 'Give the group.' },
  })
  expect(readCredentials(gitlab, { ...typed, whole: 'instance' })).toEqual({
    ok: false,
    problems: { address: 'Give the address of your GitLab.' },
  })
  expect(readCredentials(gitlab, { ...typed, whole: 'group', group: 'acme' })).toMatchObject({ ok: true })
})
