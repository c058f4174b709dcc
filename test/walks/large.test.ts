// A large workspace: ten thousand messages and five hundred instances, and the page and the tiles stay quick and whole.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { readable, startWorld, until, type World } from '../support/world.ts'

let world: World
beforeAll(async () => {
  world = await startWorld()
  const ada = world.person('Ada')
  for (let number = 0; number < 10_000; number += 1) await ada.command('C0GENERAL', `Message ${number}`)
  const team = ada.state({ messagesMax: 1 }).team.id
  await world.database.db.sql.unsafe(`
    insert into instance (id, team_id, name, connector, settings, status, inactive_reason, owner, created_by, created_at, updated_at)
    select gen_random_uuid(), '${team}', 'app-' || n, (array['okta','github','scim'])[1 + n % 3], '{}', 'inactive', 'user', 'U0ADA', 'U0ADA', now(), now()
    from generate_series(1, 500) n`)
})
afterAll(() => world.close())

/** Milliseconds that the middle one of nine answers took. */
async function medianMs(path: string): Promise<number> {
  const times: number[] = []
  for (let round = 0; round < 9; round += 1) {
    const before = performance.now()
    const answer = await fetch(`${world.sandbox.url}${path}`)
    await answer.text()
    expect(answer.status).toBe(200)
    times.push(performance.now() - before)
  }
  return times.toSorted((a, b) => a - b)[4] ?? Number.POSITIVE_INFINITY
}

test('the page answers under 100 ms with ten thousand messages in it', async () => {
  expect(await medianMs('/page/state?as=U0ADA')).toBeLessThan(100)
  expect(await medianMs('/')).toBeLessThan(100)
  expect(await medianMs('/page.js')).toBeLessThan(100)
})

test('five hundred instances are paged: each page within Slack’s limits, the last one reached by Next', async () => {
  const ada = world.person('Ada')
  await ada.openHome()
  const home = await until('Home', () => ada.state({ messagesMax: 1 }).home)
  expect(readable(home)).toMatch(/Page 1 of 42, 500 instances/)
  const blocks = () =>
    (ada.state({ messagesMax: 1 }).home?.blocks ?? []) as {
      block_id: string
      elements?: { action_id: string }[]
    }[]
  for (let page = 2; page <= 42; page += 1) {
    const paging = blocks().find(block => block.block_id === 'integrations-paging')
    await ada.act(
      { home: true },
      { blockId: 'integrations-paging', actionId: paging?.elements?.at(-1)?.action_id ?? '' },
    )
    await until(`page ${page}`, () =>
      new RegExp(`Page ${page} of 42`).test(readable(ada.state({ messagesMax: 1 }).home)),
    )
  }
  expect(readable(ada.state({ messagesMax: 1 }).home)).toMatch(/scim|SCIM/)
})

test('a part of a name that many instances have is answered with a list of buttons, not with a wall', async () => {
  const ada = world.person('Ada')
  await ada.command('C0GENERAL', '/saasm sync app')
  const answer = await until('the list', () =>
    ada
      .state({ messagesMax: 5 })
      .channels.find(channel => channel.id === 'C0GENERAL')
      ?.messages.find(message => message.ephemeral),
  )
  expect(readable(answer.blocks)).toMatch(/500 instances match “app”\. Which one\?/)
  expect(readable(answer.blocks)).toMatch(/and 490 more/)
})
