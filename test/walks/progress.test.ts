// Progress as a person sees it: one direct message that counts, and becomes the result whatever Slack says of the edits between.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { readable, startWorld, topView, until, type World } from '../support/world.ts'

let world: World
beforeAll(async () => {
  world = await startWorld()
  const ada = world.person('Ada')
  await ada.command(world.sandbox.settings.channel, '/saasm connect okta')
  await until(
    'the form',
    () => ada.state().views.length > 0 && /API token/.test(readable(topView(ada.state()).view)),
  )
  const viewId = topView(ada.state()).id
  ada.type(viewId, 'domain', { value: `${world.sandbox.url}/vendors/okta` })
  ada.type(viewId, 'token', { value: world.sandbox.vendors.okta.token() })
  await ada.submit(viewId)
  await until('the confirmation', () => /is connected/.test(readable(topView(ada.state()).view)))
  await until('the end', async () => (await runs("state = 'succeeded'")) === 1)
})
afterAll(() => world.close())

const runs = async (where: string) =>
  Number((await world.database.db.sql.unsafe(`select count(*)::int n from sync_run where ${where}`))[0]?.n)
const direct = () =>
  world
    .person('Ada')
    .state()
    .channels.filter(channel => channel.isDirect)
    .flatMap(channel => channel.messages)
const said = () => readable(direct().at(-1)?.blocks)

test('the message counts while the sync goes on, the tile says so too, and it ends as the result although Slack refuses edits between', async () => {
  const before = direct().length
  world.sandbox.vendors.okta.setMood('slow')
  await world.person('Ada').command(world.sandbox.settings.channel, '/saasm sync okta')
  await until('a page', () => runs("state = 'running' and people_read > 0"))
  world.clock.advance(3_000)
  await until('the message', () => direct().length === before + 1)
  expect(said()).toMatch(/okta is syncing/)
  expect(said()).toMatch(/\d+ people read so far/)
  await world.person('Ada').command(world.sandbox.settings.channel, '/saasm integrations')
  await until('the tile', () =>
    /syncing: \d+ people so far/.test(
      readable(
        world
          .person('Ada')
          .state()
          .channels.flatMap(channel => channel.messages)
          .map(message => message.blocks),
      ),
    ),
  )
  world.sandbox.slack.faults.next({ method: 'chat.update', kind: 'rate-limited', retryAfterSeconds: 3_600 })
  const edits = () => world.sandbox.slack.journal.filter(call => call.method === 'chat.update').length
  const edited = edits()
  await until('an edit that Slack refuses', () => {
    world.clock.advance(1_000)
    return edits() > edited
  })
  world.sandbox.vendors.okta.setMood('normal')
  await until('the end', () => /the sync you asked for is done/.test(said()))
  expect(direct()).toHaveLength(before + 1)
  expect(said()).toMatch(/450 unchanged/)
})
