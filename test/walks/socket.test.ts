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
