// Many instances failing in one sweep: the channel gets a few messages, not one each, and every failure is in them.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { readable, startWorld, until, type World } from '../support/world.ts'

let world: World
beforeAll(async () => {
  world = await startWorld()
})
afterAll(() => world.close())

const instances = 12
const rows = (text: string) => world.database.db.sql.unsafe(text)
const messages = () =>
  world
    .person('Ada')
    .state()
    .channels.find(channel => channel.id === world.sandbox.settings.channel)?.messages ?? []

test('twelve instances failing in one sweep are told in at most four messages, each of them named', async () => {
  const { okta } = world.sandbox.vendors
  const team = world.person('Ada').state().team.id
  // As the connect window leaves it, but that twelve windows would only be slower: without a token each is refused.
  for (let number = 1; number <= instances; number += 1) {
    await rows(`insert into instance (id, team_id, name, connector, settings, status, owner, created_by, last_outcome, last_success_at, next_sync_at, created_at, updated_at)
      values (gen_random_uuid(), '${team}', 'okta-${number}', 'okta', '${JSON.stringify({ domain: `${world.sandbox.url}/vendors/okta`, token: 'revoked' })}', 'live',
        '${world.userId('Ada')}', '${world.userId('Ada')}', 'succeeded', now(), now(), now(), now())`)
  }
  expect(okta.people().length).toBeGreaterThan(0)
  await until('twelve failures', async () => {
    const [found] = await rows("select count(*)::int n from instance where last_outcome = 'failed'")
    return Number(found?.n) === instances
  })
  const moving = setInterval(() => world.clock.advance(1_000), 50)
  await until('nothing waits', async () => {
    const [waiting] = await rows("select count(*)::int n from outbox where state in ('pending', 'sending')")
    return Number(waiting?.n) === 0
  }).finally(() => clearInterval(moving))
  const told = messages()
  expect(told.length).toBeLessThanOrEqual(4)
  const text = told.map(message => readable(message.blocks)).join('\n')
  for (let number = 1; number <= instances; number += 1) expect(text).toMatch(new RegExp(`okta-${number}\\b`))
  expect(world.sandbox.mailbox.mails, 'each has its own mail').toHaveLength(instances)
})
