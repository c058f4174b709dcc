// /saasm audit: every change with who, when and from where, in pages and as a file, for admins; nothing secret is in it.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { handsOf } from '../chat/hands.ts'
import { readable, startWorld, until, type World } from '../support/world.ts'

let world: World
beforeAll(async () => {
  world = await startWorld()
  for (let change = 1; change <= 45; change += 1)
    await rows(
      "insert into audit (team_id, actor, source, action, instance_name, after) values ($1, 'U0ADA', 'modal', $2, '=HYPERLINK(\"x\")', '{\"n\": 1}')",
      ...[world.person('Ada').state().team.id, `change.${change}`],
    )
  await rows(
    "insert into audit (team_id, actor, source, action) values ('T0OTHER', 'U9', 'modal', 'of.another.team')",
  )
})
afterAll(() => world.close())

const rows = (text: string, ...values: string[]) => world.database.db.sql.unsafe(text, values)
const newest = (name: string) => {
  const own = world
    .person(name)
    .state()
    .channels.flatMap(({ id, messages }) =>
      messages.filter(message => message.ephemeral).map(message => ({ ...message, channelId: id })),
    )
  const last = own.toSorted((a, b) => Number(a.ts) - Number(b.ts)).at(-1)
  if (!last) throw new Error('Nobody was told anything')
  return last
}
const press = async (actionId: string) => {
  const message = newest('Ada')
  const block = message.blocks.find(one => JSON.stringify(one).includes(`"action_id":"${actionId}`)) as {
    block_id: string
    elements: { action_id: string }[]
  }
  const element = block.elements.find(one => one.action_id.startsWith(actionId))
  await world
    .person('Ada')
    .act(
      { channelId: message.channelId, ts: message.ts },
      { blockId: block.block_id, actionId: element?.action_id ?? '' },
    )
}

test('changes come newest first, twenty a page, with who did them and from where, and none of another team', async () => {
  const ada = handsOf(world, 'Ada')
  await ada.say('audit')
  await until('the first page', () => /change\.45\b/.test(readable(newest('Ada').blocks)))
  const first = readable(newest('Ada').blocks)
  expect(first).toMatch(/<@U0ADA> · change\.45 .*· in a window/)
  expect(first).toContain('change.26')
  expect(first).not.toContain('change.25')
  await press('audit-page:older')
  await until('the second page', () => /change\.25\b/.test(readable(newest('Ada').blocks)))
  await press('audit-page:older')
  await until('the last page', () => /change\.1\b/.test(readable(newest('Ada').blocks)))
  expect(readable(newest('Ada').blocks)).not.toContain('of.another.team')
  await press('audit-page:newest')
  await until('the first page again', () => /change\.45\b/.test(readable(newest('Ada').blocks)))
})

test('all of it goes as a file to who asked, newest first, without a formula in it, and that is written down', async () => {
  await rows(
    "insert into audit (team_id, actor, source, action) select $1, 'saasm', 'run', 'sync.' || n from generate_series(1, 1200) n",
    world.person('Ada').state().team.id,
  )
  await press('audit-file')
  const file = await until('the file', () =>
    world
      .person('Ada')
      .state()
      .channels.filter(channel => channel.isDirect)
      .flatMap(channel => channel.messages.flatMap(message => message.files ?? []))
      .find(one => /^audit-.*[.]csv$/.test(one.name)),
  )
  const lines = String(world.sandbox.slack.file(file.id)?.bytes).split('\r\n').slice(1, -1)
  const numbers = (from: number) => Array.from({ length: from }, (_, at) => from - at)
  expect(lines.map(line => line.split('","')[4])).toEqual([
    ...numbers(1_200).map(n => `sync.${n}`),
    ...numbers(45).map(n => `change.${n}`),
  ])
  expect(lines.at(-1)).toContain(`"'=HYPERLINK(""x"")"`)
  const [entry] = await rows("select actor, source, after from audit where action = 'audit.exported'")
  expect(entry).toMatchObject({ actor: 'U0ADA', source: 'button', after: { changes: 1_245 } })
})

test('who is no admin is refused, and only they hear it', async () => {
  const max = handsOf(world, 'Max')
  const before = max.heard().length
  await max.say('audit')
  await max.told(before, /this is for admins/)
})

test('a deleted instance is found by its name, beside one of the same name, with its own changes and as a file', async () => {
  const team = world.person('Ada').state().team.id
  const made = async (name: string, deleted: boolean) => {
    const [row] = await rows(
      `insert into instance (id, team_id, owner, created_by, name, status, last_outcome, next_sync_at, settings, connector, deleted_at, created_at, updated_at)
       values (gen_random_uuid(), $1, 'U0ADA', 'U0ADA', $2, $3, 'succeeded', now() + interval '20 hours', '{}', 'okta', nullif($4, '')::timestamptz, now(), now()) returning id`,
      ...[team, name, deleted ? 'deleted' : 'live', deleted ? '2026-11-20T10:00:00Z' : ''],
    )
    const id = String(row?.id)
    await rows(
      "insert into audit (team_id, actor, source, action, instance_id, instance_name) values ($1, 'U0ADA', 'modal', $2, $3, $4)",
      ...[team, `${deleted ? 'before' : 'after'}.${name}`, id, name],
    )
    return id
  }
  await made('gone-one', true)
  const ada = handsOf(world, 'Ada')
  const told = async (words: string, pattern: RegExp) => {
    const before = ada.heard().length
    await ada.say(words)
    return ada.told(before, pattern)
  }
  expect(await told('audit Gone-One', /Changes of gone-one \(deleted\)/)).toMatch(/before\.gone-one/)
  await press('audit-file')
  await ada.told(0, /The audit of \*gone-one\*: 1 change, as a list below/)
  await told('sync gone-one', /No application is connected yet/)

  await made('twin', true)
  await made('twin', false)
  expect(await told('audit twin', /2 instances match/)).toMatch(/twin\n.*twin \(deleted 2026-11-20\)/s)
  await press('audit-of:1')
  await until('its changes', () => /Changes of twin \(deleted\)/.test(newest('Ada').text))
  const shown = readable(newest('Ada').blocks)
  expect(shown).toMatch(/before\.twin/)
  expect(shown).not.toMatch(/after\.twin/)
})
