// Live again: what saasm has made Inactive is proven with what is stored before anybody is told that it is Live.
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { createHttp, type Http } from '../../src/connectors/http.ts'
import { handsOf } from '../chat/hands.ts'
import { readable, startWorld, until, type World } from '../support/world.ts'

let world: World
const webex = { refresh: 'refresh-0', rotations: 0, works: true }
beforeAll(async () => {
  const real = createHttp({ allowPrivateNetwork: true })
  const http: Http = {
    request: async asked =>
      /^https:\/\/webexapis\.com\//.test(asked.url) ? askWebex(asked) : real.request(asked),
    close: () => real.close(),
  }
  world = await startWorld({ http })
})
afterAll(() => world.close())
afterEach(() => ada().leave())

/** Takes each refresh token once, and gives another one for it. */
function askWebex({ url, body = '' }: { url: string; body?: string }) {
  const answer = (status: number, said: unknown) => ({ status, headers: {}, text: JSON.stringify(said) })
  if (url.endsWith('/access_token')) {
    if (new URLSearchParams(body).get('refresh_token') !== webex.refresh)
      return answer(400, { error: 'invalid_grant' })
    webex.rotations += 1
    webex.refresh = `refresh-${webex.rotations}`
    return answer(200, { access_token: 'access', refresh_token: webex.refresh, expires_in: 3600 })
  }
  if (!webex.works) return answer(401, {})
  return answer(
    200,
    /people\/me/.test(url) ? { orgId: 'acme' } : { items: [{ id: '1', displayName: 'Ada Berg' }] },
  )
}

const ada = () => handsOf(world, 'Ada')
const okta = () => world.sandbox.vendors.okta
const rows = (text: string, ...values: string[]) => world.database.db.sql.unsafe(text, values)
const instance = async (name: string) => (await rows('select * from instance where name = $1', name))[0]
const posts = () =>
  (
    world
      .person('Ada')
      .state()
      .channels.find(one => one.id === world.sandbox.settings.channel)?.messages ?? []
  )
    .filter(message => !message.ephemeral)
    .map(message => `${message.text}\n${readable(message.blocks)}`)
/** Everything that is due is done and told; the clock moves on, since failures are gathered. */
async function quiet() {
  const moving = setInterval(() => world.clock.advance(2_000), 20)
  await until('nothing more to do', async () => {
    const [waiting] = await rows(
      "select (select count(*) from outbox where state in ('pending','sending')) + (select count(*) from sync_run where state in ('requested','running')) n",
    )
    return Number(waiting?.n) === 0
  }).finally(() => clearInterval(moving))
}
/** What a change of the instance leaves behind. */
const traces = async () => ({
  instance: await rows('select * from instance order by id'),
  audit: await rows('select id from audit'),
  outbox: await rows('select id from outbox'),
  runs: await rows('select id from sync_run'),
})

async function connected(id: string, given: Record<string, string>) {
  await ada().say(`connect ${id}`)
  await ada().seen('the form', /What the token needs/)
  for (const [key, value] of Object.entries(given)) ada().type(key, { value })
  await ada().submit()
  await ada().seen('the confirmation', /is connected/)
  await ada().leave()
  await quiet()
}

/** A sync finds that it is refused. */
async function refused(name: string, reason: string) {
  await ada().say(`sync ${name}`)
  await until('Inactive', async () => (await instance(name))?.inactive_reason === reason)
  await quiet()
}

async function setLive(name: string, says = /saasm set this instance Inactive/) {
  await ada().say(`manage ${name}`)
  await ada().seen('Edit Instance', says)
  ada().type('status', { selectedOption: 'live' })
  await ada().submit()
}

test('with a token that is still dead it stays Inactive, told to nobody but who tried, at the token’s field', async () => {
  await connected('okta', { domain: `${world.sandbox.url}/vendors/okta`, token: okta().token() })
  okta().revokeToken()
  await refused('okta', 'token_inactive')
  const before = await traces()
  await setLive('okta')
  await ada().seen('the refusal', /:warning: Okta refused the token/)
  expect(ada().field('status'), 'what was chosen is still there').toEqual({ selectedOption: 'live' })
  expect(await traces()).toEqual(before)
})

test('with a new token it is Live, and that is told', async () => {
  const before = posts().length
  await ada().say('manage okta')
  await ada().seen('Edit Instance', /Give it a token that works/)
  ada().type('status', { selectedOption: 'live' })
  ada().type('token', { value: okta().renewToken() })
  await ada().submit()
  await ada().seen('the end of the check', /The credentials work/)
  await quiet()
  expect(
    posts()
      .slice(before)
      .filter(text => /okta is Live/.test(text)),
  ).toHaveLength(1)
})

test('with a permission that is still missing it stays Inactive and says which; once it is granted, it is Live', async () => {
  okta().takeScope()
  await refused('okta', 'insufficient_permissions')
  const before = await traces()
  await setLive('okta', /Once it has the permission, set it \*Live\*/)
  await ada().seen('the refusal', /:warning: .*okta\.users\.read/)
  expect(await traces()).toEqual(before)
  okta().giveScope()
  await ada().submit()
  await ada().seen('the end of the check', /The credentials work.*It is syncing now/)
  await quiet()
  expect(await instance('okta')).toMatchObject({ status: 'live', last_outcome: 'succeeded' })
})

test('what a person has set Inactive is Live without the application being asked', async () => {
  await ada().say('manage okta')
  await ada().seen('Edit Instance', /Status/)
  ada().type('status', { selectedOption: 'inactive' })
  await ada().submit()
  okta().revokeToken()
  await ada().say('manage okta')
  await ada().seen('Edit Instance', /Set Inactive by/)
  ada().type('status', { selectedOption: 'live' })
  const asked = okta().requests.length
  await ada().submit()
  expect(ada().shown(), 'the window is closed').toBe('')
  expect(await instance('okta')).toMatchObject({ status: 'live' })
  // Its sync finds out.
  await until('Inactive', async () => (await instance('okta'))?.inactive_reason === 'token_inactive')
  expect(okta().requests.length).toBeGreaterThan(asked)
  await quiet()
})

test('what is stored and cannot be opened is asked for anew', async () => {
  await rows(
    "update instance set sealed = overlay(sealed placing 'AAAA' from length(sealed) - 8) where name = 'okta'",
  )
  const before = await traces()
  await setLive('okta')
  expect(ada().top().errors).toEqual({ token: 'saasm cannot open the present one: give the API token anew.' })
  expect(await traces()).toEqual(before)
})

test('a refresh token that the check has rotated is kept, whether the check goes well or not', async () => {
  await connected('webex', { client: 'app', secret: 'secret', refresh: webex.refresh })
  webex.works = false
  await refused('webex', 'token_inactive')
  for (let times = 1; times <= 2; times += 1) {
    const rotated = webex.rotations
    await setLive('webex')
    await ada().seen('the refusal', /:warning: Webex refused the token/)
    expect(webex.rotations).toBeGreaterThan(rotated)
    await ada().leave()
  }
  webex.works = true
  await setLive('webex')
  await ada().seen('the end of the check', /The credentials work/)
  await quiet()
  expect(await instance('webex')).toMatchObject({ status: 'live', last_outcome: 'succeeded' })
})
