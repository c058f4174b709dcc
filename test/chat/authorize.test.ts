// Who may: every command, button and window against everybody who may not, and against every id that is not theirs.
import { readdir } from 'node:fs/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Gesture } from '../../src/chat/gesture.ts'
import { createHelpGesture } from '../../src/chat/help.ts'
import { newId } from '../../src/lib/ids.ts'
import type { ShownUser } from '../../src/sandbox/slack/person.ts'
import { readable, startWorld, until, type World } from '../support/world.ts'
import { createForge, type Forged } from './forge.ts'
import { handsOf } from './hands.ts'

/** Whatever a file of src/chat exports as a gesture: a new one is in the table by itself. */
const folder = new URL('../../src/chat/', import.meta.url)
const files = (await readdir(folder)).filter(name => name.endsWith('.ts'))
const modules = await Promise.all(files.map(name => import(new URL(name, folder).href)))
const declared = modules.flatMap(module =>
  Object.entries(module as Record<string, unknown>).flatMap(([name, value]) =>
    name.endsWith('Gesture') && typeof value === 'object' ? [value as Gesture] : [],
  ),
)
const gestures = [...declared, createHelpGesture(declared)]
const words = gestures.flatMap(({ command }) => (command ? [command.word, ...(command.also ?? [])] : []))
const actionIds = gestures.flatMap(gesture => Object.keys(gesture.actions ?? {}))
const callbackIds = gestures.flatMap(gesture => Object.keys(gesture.submissions ?? {}))

let world: World
let forge: Awaited<ReturnType<typeof createForge>>
const [ours, foreign] = [newId(), newId()]
const rows = (text: string, ...values: string[]) => world.database.db.sql.unsafe(text, values)

beforeAll(async () => {
  world = await startWorld()
  forge = await createForge(world)
  for (const [id, team, name] of [
    [ours, world.person('Ada').state().team.id, 'ours'],
    [foreign, 'T0OTHER', 'foreign'],
  ] as const) {
    await rows(
      `insert into instance (id, team_id, name, connector, status, inactive_reason, owner, created_by, last_outcome, settings, created_at, updated_at)
       values ($1, $2, $3, 'okta', 'inactive', 'user', 'U0ADA', 'U0ADA', 'succeeded', '{"domain": "https://acme.okta.com"}', now(), now())`,
      ...[id, team, name],
    )
    await rows(
      "insert into account (instance_id, external_id, status, kind, roles, licences, hash, first_seen_at) values ($1, 'a', 'active', 'human', '{}', '{}', '', now())",
      id,
    )
  }
})
afterAll(async () => {
  forge.stop()
  await world.close()
})

/** Everything that a gesture could change, as text. */
async function everything(): Promise<string> {
  const tables = [
    'instance',
    'account',
    'recipient',
    'recipient_draft',
    'removal',
    'sync_run',
    'outbox',
    'incident',
  ]
  const texts = await Promise.all(tables.map(table => rows(`select t::text from ${table} t order by 1`)))
  return texts.map((found, at) => `${tables[at]}: ${JSON.stringify(found)}`).join('\n')
}

const refusals = async (userId: string) =>
  (
    await rows(
      "select after->>'what' what from audit where action = 'refused' and actor = $1 order by id",
      userId,
    )
  ).map(row => String(row.what))

/** Do it, wait until it is written down as refused, and return what the person was shown. */
async function refused(userId: string, doing: () => Promise<unknown>): Promise<string> {
  const name = world.sandbox.slack.stateFor(userId).user.realName
  const hands = handsOf(world, name)
  const [before, heard, written] = [await everything(), hands.heard().length, (await refusals(userId)).length]
  await doing()
  await until(`a refusal of ${name}`, async () => (await refusals(userId)).length > written)
  expect(await everything()).toBe(before)
  const shown = [hands.shown(), ...hands.heard().slice(heard)].join('\n')
  await hands.leave()
  return shown
}

/** How long saasm may go on believing what Slack said of a person. */
const rememberedMs = 60_000

/** Change a person in Slack while `work` is done, and wait until saasm has heard of it. */
async function changed(name: string, change: Partial<ShownUser>, work: () => Promise<void>): Promise<void> {
  const { slack } = world.sandbox
  const before = { ...world.person(name).state().user }
  const apply = (to: Partial<ShownUser>) => {
    slack.changeUser(before.id, to)
    world.clock.advance(rememberedMs + 1)
  }
  apply(change)
  await work().finally(() => apply(before))
}

const whomToAsk = /Ask <@U0(ADA|OLIVIA)> or <@U0(ADA|OLIVIA)>\./

test('the table has every command, button and window there is', () => {
  expect(words).toEqual(
    expect.arrayContaining(['connect', 'manage', 'sync', 'history', 'recipients', 'help']),
  )
  expect(actionIds).toEqual(
    expect.arrayContaining(['manage', 'fix', 'sync-now', 'delete-confirm', 'recipient-add']),
  )
  expect(callbackIds.toSorted()).toEqual(['connect', 'delete-users', 'edit-instance', 'recipients'])
})

test.each([
  ['a member', 'Max'],
  ['a guest', 'Gina'],
])('%s changes nothing by any command, and hears whom to ask', async (_who, name) => {
  for (const word of words) {
    if (word === 'help' && name === 'Max') continue
    const says = () => handsOf(world, name).say(`${word} ours`)
    expect(await refused(world.userId(name), says), word).toMatch(whomToAsk)
  }
})

test.each([
  ['a member', 'Max'],
  ['a guest', 'Gina'],
])('%s changes nothing by any button, and hears whom to ask', async (_who, name) => {
  const userId = world.userId(name)
  for (const actionId of actionIds)
    expect(await refused(userId, () => forge.press({ userId }, actionId, ours)), actionId).toMatch(whomToAsk)
})

/** Post a window of ours as filled in by `by`; what Slack is told to show instead. */
async function submitted(by: Forged, callbackId: string, metadata: unknown): Promise<string> {
  const values = { name: { name: { type: 'plain_text_input', value: 'stolen' } } }
  const answer = await forge.submit(by, { callbackId, metadata, values })
  if (!answer.ok) throw new Error(answer.reason)
  return `${readable(answer.body)} ${JSON.stringify((answer.body as { errors?: unknown }).errors ?? '')}`
}

test.each([
  ['a member', 'Max'],
  ['a guest', 'Gina'],
])('%s changes nothing by any window, and reads whom to ask', async (_who, name) => {
  const userId = world.userId(name)
  for (const callbackId of callbackIds) {
    let answer = ''
    await refused(userId, async () => {
      answer = await submitted({ userId }, callbackId, { instance: ours, version: '1', connector: 'okta' })
    })
    expect(answer, callbackId).toMatch(whomToAsk)
  }
})

test('a person who has left changes nothing by any command, button or window', async () => {
  const userId = world.userId('Max')
  await changed('Max', { deleted: true }, async () => {
    for (const word of words)
      expect(await refused(userId, () => forge.command({ userId }, `${word} ours`)), word).toMatch(
        /Only members/,
      )
    for (const actionId of actionIds)
      expect(await refused(userId, () => forge.press({ userId }, actionId, ours)), actionId).toMatch(
        /Only members/,
      )
    for (const callbackId of callbackIds)
      await refused(userId, async () =>
        expect(await submitted({ userId }, callbackId, { instance: ours })).toMatch(/Only members/),
      )
  })
})

test('an admin who claims to be of another team changes nothing there', async () => {
  const by = { userId: world.userId('Ada'), teamId: 'T0OTHER' }
  for (const actionId of actionIds)
    expect(await refused(by.userId, () => forge.press(by, actionId, foreign)), actionId).toMatch(
      /Only members/,
    )
  expect(await refused(by.userId, () => forge.command(by, 'manage foreign'))).toMatch(/Only members/)
  for (const callbackId of callbackIds)
    await refused(by.userId, async () =>
      expect(await submitted(by, callbackId, { instance: foreign, version: '1' })).toMatch(/Only members/),
    )
})

test('an admin who is demoted with a window open saves nothing by it, and reads whom to ask', async () => {
  const ada = handsOf(world, 'Ada')
  await ada.say('manage ours')
  await ada.seen('Edit Instance', /Sync every/)
  ada.type('name', { value: 'renamed too late' })
  const before = await everything()
  await changed('Ada', { isAdmin: false }, async () => {
    await ada.submit()
    await ada.seen('the refusal', /this is for admins\. Ask <@U0OLIVIA>/)
  })
  expect(await everything()).toBe(before)
  await ada.leave()
})

test.each(['Olivia', 'Ada'])('%s, who may, is refused nothing', async name => {
  const hands = handsOf(world, name)
  const userId = world.userId(name)
  const before = await refusals(userId)
  for (const word of words) {
    const heard = hands.heard().length
    await hands.say(`${word} ours`)
    const answered = () => hands.heard().length > heard || !/^$|One moment/.test(hands.shown())
    await until(`an answer to ${word}`, answered)
    await hands.leave()
  }
  for (const callbackId of callbackIds)
    expect(await submitted({ userId }, callbackId, {})).not.toMatch(/Ask </)
  expect(await refusals(userId)).toEqual(before)
})

const notTheirs: [string, string][] = [
  ['of another team', foreign],
  ['of nobody', newId()],
  ['that is no id', "x'; drop table instance; --"],
  ['that is empty', ''],
  ['that is far too long', 'a'.repeat(1_900)],
]
const gone = /not there any more/

test.each(notTheirs)(
  'an admin’s button with an id %s says it is not there, and changes nothing',
  async (_what, id) => {
    const hands = handsOf(world, 'Ada')
    const before = await everything()
    for (const actionId of ['manage', 'fix', 'sync-now', 'history', 'delete-users', 'delete-instance']) {
      const heard = hands.heard().length
      await forge.press({ userId: world.userId('Ada') }, actionId, id)
      await until(`${actionId} says so`, () =>
        gone.test([hands.shown(), ...hands.heard().slice(heard)].join('\n')),
      )
      await hands.leave()
    }
    expect(await everything()).toBe(before)
  },
)

test.each([...notTheirs, ['that is an object', { $ne: 1 }], ['in metadata that is no JSON', undefined]])(
  'an admin’s window with an id %s says it is not there, and changes nothing',
  async (_what, id) => {
    const by = { userId: world.userId('Ada') }
    const metadata = id === undefined ? '{not json' : { instance: id, version: '1' }
    const before = await everything()
    for (const callbackId of ['edit-instance', 'delete-users'])
      expect(await submitted(by, callbackId, metadata), callbackId).toMatch(gone)
    const hands = handsOf(world, 'Ada')
    for (const actionId of ['delete-understood', 'delete-confirm']) {
      await hands.say('manage ours')
      await hands.seen('Edit Instance', /Sync every/)
      const { id: viewId, hash } = hands.top()
      const ticked = {
        'delete-understood': { type: 'checkboxes', selected_options: [{ value: 'understood' }] },
      }
      const view = {
        id: viewId,
        hash,
        callbackId: 'delete-instance',
        metadata,
        values: { 'delete-box': ticked },
      }
      await forge.press(by, actionId, ours, view)
      await hands.seen(actionId, gone)
      await hands.leave()
    }
    expect(await everything()).toBe(before)
  },
)

test('Delete Instance without the ticked box deletes nothing, whatever the window said', async () => {
  const hands = handsOf(world, 'Ada')
  await hands.say('manage ours')
  await hands.seen('Edit Instance', /Sync every/)
  const before = await everything()
  const { id, hash } = hands.top()
  const view = { id, hash, callbackId: 'delete-instance', metadata: { instance: ours } }
  await forge.press({ userId: world.userId('Ada') }, 'delete-confirm', ours, view)
  await hands.seen('the box', /I understand that this action cannot be undone/)
  expect(await everything()).toBe(before)
  await hands.leave()
})

test('nobody saves, changes or drops the recipients that another person is choosing', async () => {
  const [ada, olivia] = [handsOf(world, 'Ada'), world.userId('Olivia')]
  await ada.say('recipients')
  await ada.seen('Manage Recipients', /press Enter/)
  const before = await everything()
  const [draft] = await rows("select id from recipient_draft where user_id = 'U0ADA'")
  const view = { callbackId: 'recipients', metadata: { draft: draft?.id, page: '0', turn: '0' } }
  const typed = {
    'recipient-add-0': { 'recipient-add': { type: 'email_text_input', value: 'eve@example.com' } },
  }
  const saved = await forge.submit({ userId: olivia }, { ...view, values: typed })
  expect(saved.ok && readable(saved.body)).toMatch(/Open Manage Recipients again/)
  await forge.press({ userId: olivia }, 'recipient-add', 'eve@example.com', view)
  for (const userId of [olivia, world.userId('Max')]) await forge.close({ userId }, view)
  await ada.press('recipient-add', { value: 'mine@example.com' })
  await ada.seen('hers alone', /1 recipient\./)
  expect(ada.shown()).not.toMatch(/eve@/)
  await ada.leave()
  await until(
    'the draft is gone',
    async () => (await rows("select 1 from recipient_draft where user_id = 'U0ADA'")).length === 0,
  )
  expect(before).toContain(String(draft?.id))
  expect(await rows('select 1 from recipient')).toHaveLength(0)
})

test('a request that is not signed with the secret is not heard', async () => {
  const before = await everything()
  const body = new URLSearchParams({
    command: '/saasm',
    text: 'sync ours',
    user_id: 'U0ADA',
    team_id: 'T0SANDBOX',
  })
  const answer = await fetch(`http://127.0.0.1:${world.app.port()}/slack/events`, {
    method: 'POST',
    body,
    headers: {
      'x-slack-request-timestamp': String(Math.floor(Date.now() / 1000)),
      'x-slack-signature': `v0=${'0'.repeat(64)}`,
    },
  })
  expect(answer.status).toBe(401)
  expect(await everything()).toBe(before)
})
