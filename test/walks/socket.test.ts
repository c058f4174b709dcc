// A socket that drops: Slack shows the person a failure meanwhile, the app comes back by itself, and nothing is lost.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { readable, startWorld, topView, until, type World } from '../support/world.ts'

let world: World
beforeAll(async () => {
  world = await startWorld({ socketMode: true })
})
afterAll(() => world.close())

test('after the socket has dropped the app connects again, and the next command opens its window', async () => {
  const ada = world.person('Ada')
  const say = () => ada.command(world.sandbox.settings.channel, '/saasm connect okta')
  expect(await say()).toEqual({ ok: true })
  world.sandbox.slack.faults.dropSockets()
  expect(await say()).toMatchObject({ ok: false, failure: expect.stringContaining('/saasm failed') })
  await until('the new socket', async () => (await say()).ok)
  await until(
    'the form',
    () => ada.state().views.length > 0 && /API token/.test(readable(topView(ada.state()).view)),
  )
})

test('Slack that is away while the socket is opened anew ends nobody, and is connected to once it is back', async () => {
  const ada = world.person('Ada')
  let refused = 0
  world.sandbox.slack.faults.each(method => {
    if (method !== 'apps.connections.open' || refused === 2) return undefined
    refused += 1
    return { kind: 'status', status: 503 }
  })
  world.sandbox.slack.faults.dropSockets()
  await until('two refusals', () => refused === 2)
  await until(
    'the new socket',
    async () => (await ada.command(world.sandbox.settings.channel, '/saasm help')).ok,
  )
  world.sandbox.slack.faults.each(() => undefined)
})

test('a process that starts while Slack is away answers for its health and says what it waits for, and is ready once Slack is back', async () => {
  let away = true
  world.sandbox.slack.faults.each(method =>
    away && method === 'apps.connections.open' ? { kind: 'status', status: 503 } : undefined,
  )
  const late = await world.another()
  const ask = async (path: string) => {
    const answer = await fetch(`http://127.0.0.1:${late.port()}${path}`)
    return `${answer.status} ${await answer.text()}`
  }
  expect(await ask('/healthz')).toBe('200 alive\n')
  expect(await ask('/readyz')).toBe('503 waiting for Slack\n')
  away = false
  await until('ready', async () => (await ask('/readyz')) === '200 ready\n')
  world.sandbox.slack.faults.each(() => undefined)
})

test('an app-level token that Slack does not know ends the start, and is named', async () => {
  world.sandbox.slack.faults.each(method =>
    method === 'apps.connections.open' ? { kind: 'error', error: 'invalid_auth' } : undefined,
  )
  await expect(world.another()).rejects.toThrow(/SLACK_APP_TOKEN.*invalid_auth/)
  world.sandbox.slack.faults.each(() => undefined)
})
