// The canary: a marked secret in each connector's fields, through a whole life, is afterwards in no table, log, job, Slack call or mail.
import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  type Connector,
  type Credentials,
  fieldsOf,
  readCredentials,
} from '../../src/connectors/connector.ts'
import type { Http } from '../../src/connectors/http.ts'
import { connectors } from '../../src/connectors/registry.ts'
import { type Hands, handsOf } from '../chat/hands.ts'
import { leaksIn, secretsOf } from '../connectors/canary.ts'
import { type EchoVendor, serveEcho } from '../connectors/echo.ts'
import { vendorPlans } from '../connectors/plans.ts'
import { type StandIn, serveVendors, type Vendors } from '../connectors/vendor-stand-in.ts'
import { startWorld, until, type World } from '../support/world.ts'

const plans = await vendorPlans()
/** Every secret that was ever planted. */
const planted = new Set<string>()
const lines: string[] = []

let world: World
let vendors: Vendors
let echo: EchoVendor
/** Whether vendors answer as they should, or send back whatever they are sent. */
let good = true

beforeAll(async () => {
  vendors = await serveVendors()
  echo = await serveEcho()
  const http: Http = {
    request: request => (good ? vendors : echo).http.request(request),
    close: async () => {},
  }
  world = await startWorld({ http, logTo: { write: line => void lines.push(line) } })
})
afterAll(async () => {
  await world.close()
  await echo.close()
  await vendors.close()
})

const rows = (text: string, ...values: string[]) => world.database.db.sql.unsafe(text, values)
const instance = async (name: string) =>
  (await rows('select * from instance where name = $1 order by created_at desc limit 1', name))[0]

/** Everything that saasm has kept, said or sent, by place. */
async function everything(): Promise<Record<string, string>> {
  const { slack, mailbox } = world.sandbox
  const places: Record<string, string> = {
    log: lines.join(''),
    'Slack calls': JSON.stringify(slack.journal),
    mails: JSON.stringify(mailbox.mails),
  }
  for (const { id } of slack.stateFor('').users) {
    const { channels, views, home } = slack.stateFor(id)
    // What a person has typed is theirs; what they are shown is ours.
    const shown = views.map(({ view, errors }) => ({ view, errors }))
    places[`what ${id} sees`] = JSON.stringify({ channels, shown, home })
  }
  const tables = await rows(
    "select quote_ident(schemaname) || '.' || quote_ident(tablename) as name from pg_tables where schemaname not in ('pg_catalog', 'information_schema')",
  )
  for (const { name } of tables) {
    const found = await rows(`select t::text as row from ${name} t`)
    places[`table ${name}`] = found.map(({ row }) => String(row)).join('\n')
  }
  return places
}

async function expectNoLeak(): Promise<void> {
  const places = await everything()
  expect(Object.keys(places).length, 'every table was looked at').toBeGreaterThan(15)
  expect(leaksIn(places, planted)).toEqual([])
}

/** Credentials with a canary in them. */
function plant(connector: Connector, vendor: StandIn): Credentials {
  vendor.secret = `${vendor.tenant}-canary-${randomBytes(8).toString('hex')}`
  const credentials = vendor.credentials()
  for (const secret of [...secretsOf(connector, credentials), vendor.access()]) planted.add(secret)
  return credentials
}

function fill(hands: Hands, connector: Connector, credentials: Credentials, only: 'all' | 'secrets'): void {
  for (const field of fieldsOf(connector)) {
    if (only === 'secrets' && !field.secret) continue
    const value = credentials[field.key] ?? ''
    if (value === '') continue
    if (field.file) hands.upload(field.key, value)
    else hands.type(field.key, field.choices ? { selectedOption: value } : { value })
  }
}

const cases = connectors.flatMap((connector, at) => {
  const plan = plans.get(connector.id)
  return plan ? [{ id: connector.id, connector, plan, tenant: `acme${at}` }] : []
})

test('every connector is walked', () => {
  expect(cases.map(({ id }) => id)).toEqual(connectors.map(({ id }) => id))
})

describe.each(cases)('$id', ({ id, connector, plan, tenant }) => {
  let vendor: StandIn
  let hands: Hands
  const last = async (): Promise<Record<string, unknown>> => (await instance(id)) ?? {}
  const synced = async (pattern: RegExp) => {
    await hands.say(`sync ${id}`)
    await until(`${id} ends as ${pattern}`, async () => pattern.test(String((await last()).last_outcome)))
  }
  beforeAll(() => {
    good = true
    vendor = vendors.add(plan, tenant, () => world.clock.now())
    hands = handsOf(world, 'Ada')
  })
  afterAll(() => vendors.clear())

  const overHttp = test.skipIf(plan.local !== undefined)
  overHttp('refused in the form, with the token sent back, by an error, a page and a redirect', async () => {
    await hands.say(`connect ${id}`)
    await hands.seen('the form', /What the token needs/)
    const credentials = plant(connector, vendor)
    expect(readCredentials(connector, credentials), 'the stand-in’s credentials can be typed').toMatchObject({
      ok: true,
    })
    good = false
    for (const as of ['401 in flat JSON', '403 in nested JSON', '500 as a page', 'a redirect', 'a reset']) {
      echo.as = as
      const before = hands.top().view
      fill(hands, connector, credentials, 'all')
      await hands.submit()
      await until(
        'the form again',
        () => /What the token needs/.test(hands.shown()) && hands.top().view !== before,
      )
    }
    good = true
    expect(await instance(id)).toBeUndefined()
    await expectNoLeak()
  })

  test('connected, edited with a new secret, failed, revoked and deleted', async () => {
    if (plan.local) {
      plant(connector, vendor)
      await hands.say(`connect ${id}`)
      await hands.seen('the form', /and no more/)
    }
    fill(hands, connector, vendor.credentials(), 'all')
    await hands.submit()
    await hands.seen('the confirmation', /is connected/)
    await hands.leave()
    await until('the initial sync', async () => /succeeded|partial/.test(String((await last()).last_outcome)))

    const renewed = plant(connector, vendor)
    await hands.say(`manage ${id}`)
    await hands.seen('Edit Instance', /Update Instance|Status/)
    fill(hands, connector, renewed, 'secrets')
    await hands.submit()
    await hands.seen('the update', /credentials work|file is read/)
    await hands.leave()
    const quiet = async () =>
      (await rows("select 1 from sync_run where state in ('requested', 'running')")).length === 0
    await until('its sync', quiet)

    if (!plan.local) {
      good = false
      echo.as = '200 in nested JSON'
      await synced(/failed/)
      await until('the failed run', quiet)
      echo.as = '403 in flat JSON'
      await synced(/failed/)
      await until('revoked', async () => (await last()).status === 'inactive')
    }
    // Many fail here within two minutes: what would be gathered is told at once.
    world.clock.advance(60_000)
    await until(
      'told',
      async () => (await rows("select 1 from outbox where state in ('pending', 'sending')")).length === 0,
    )
    await hands.say(`history ${id}`)
    await hands.say(`audit ${id}`)
    await hands.say('integrations')
    if (!plan.local) expect(lines.join(''), 'the log is looked at').toContain('A run failed')
    await expectNoLeak()

    good = true
    await hands.say(`manage ${id}`)
    await hands.seen('Edit Instance', /Status/)
    await hands.press('delete-instance')
    await hands.seen('the box', /cannot be undone/)
    await hands.press('delete-understood', { selectedOptions: ['understood'] })
    await hands.seen('the button', /Delete Integration Instance/)
    await hands.press('delete-confirm')
    await until('deleted', async () => (await last()).status === 'deleted')
    await hands.leave()
    expect(await last()).toMatchObject({ sealed: null })
    await expectNoLeak()
  })
})
