// Who may: every command, button and window against everybody who may not.
import { readdir } from 'node:fs/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Gesture } from '../../src/chat/gesture.ts'
import { createHelpGesture } from '../../src/chat/help.ts'
import type { ShownUser } from '../../src/sandbox/slack/person.ts'
import { until } from '../support/world.ts'
import { handsOf } from './hands.ts'
import { foreign, startWatched, type Watched } from './watched.ts'

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

let watched: Watched
beforeAll(async () => {
  watched = await startWatched()
})
afterAll(() => watched.close())

const refusals = async (userId: string) =>
  (
    await watched.rows(
      "select after->>'what' what from audit where action = 'refused' and actor = $1 order by id",
      userId,
    )
  ).map(row => String(row.what))

/** Do it, wait until it is written down as refused, and return what the person was shown. */
async function refused(userId: string, doing: () => Promise<unknown>): Promise<string> {
  const name = watched.world.sandbox.slack.stateFor(userId).user.realName
  const hands = handsOf(watched.world, name)
  const [before, heard, written] = [
    await watched.everything(),
    hands.heard().length,
    (await refusals(userId)).length,
  ]
  await doing()
  await until(`a refusal of ${name}`, async () => (await refusals(userId)).length > written)
  expect(await watched.everything()).toBe(before)
  const shown = [hands.shown(), ...hands.heard().slice(heard)].join('\n')
  await hands.leave()
  return shown
}

/** How long saasm may go on believing what Slack said of a person. */
const rememberedMs = 60_000

/** Change a person in Slack while `work` is done, and wait until saasm has heard of it. */
async function changed(name: string, change: Partial<ShownUser>, work: () => Promise<void>): Promise<void> {
  const { slack } = watched.world.sandbox
  const before = { ...watched.world.person(name).state().user }
  const apply = (to: Partial<ShownUser>) => {
    slack.changeUser(before.id, to)
    watched.world.clock.advance(rememberedMs + 1)
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
  expect(callbackIds).toEqual(
    expect.arrayContaining(['connect', 'delete-users', 'edit-instance', 'recipients']),
  )
})

test.each([
  ['a member', 'Max'],
  ['a guest', 'Gina'],
])('%s changes nothing by any command, and hears whom to ask', async (_who, name) => {
  for (const word of words) {
    if (word === 'help' && name === 'Max') continue
    const says = () => handsOf(watched.world, name).say(`${word} ours`)
    expect(await refused(watched.world.userId(name), says), word).toMatch(whomToAsk)
  }
})

test.each([
  ['a member', 'Max'],
  ['a guest', 'Gina'],
])('%s changes nothing by any button, and hears whom to ask', async (_who, name) => {
  const userId = watched.world.userId(name)
  for (const actionId of actionIds)
    expect(
      await refused(userId, () => watched.forge.press({ userId }, actionId, watched.ours)),
      actionId,
    ).toMatch(whomToAsk)
})

test.each([
  ['a member', 'Max'],
  ['a guest', 'Gina'],
])('%s changes nothing by any window, and reads whom to ask', async (_who, name) => {
  const userId = watched.world.userId(name)
  for (const callbackId of callbackIds) {
    let answer = ''
    await refused(userId, async () => {
      answer = await watched.submitted({ userId }, callbackId, {
        instance: watched.ours,
        version: '1',
        connector: 'okta',
      })
    })
    expect(answer, callbackId).toMatch(whomToAsk)
  }
})

test('a person who has left changes nothing by any command, button or window', async () => {
  const userId = watched.world.userId('Max')
  await changed('Max', { deleted: true }, async () => {
    for (const word of words)
      expect(await refused(userId, () => watched.forge.command({ userId }, `${word} ours`)), word).toMatch(
        /Only members/,
      )
    for (const actionId of actionIds)
      expect(
        await refused(userId, () => watched.forge.press({ userId }, actionId, watched.ours)),
        actionId,
      ).toMatch(/Only members/)
    for (const callbackId of callbackIds)
      await refused(userId, async () =>
        expect(await watched.submitted({ userId }, callbackId, { instance: watched.ours })).toMatch(
          /Only members/,
        ),
      )
  })
})

test('an admin who claims to be of another team changes nothing there', async () => {
  const by = { userId: watched.world.userId('Ada'), teamId: 'T0OTHER' }
  for (const actionId of actionIds)
    expect(await refused(by.userId, () => watched.forge.press(by, actionId, foreign)), actionId).toMatch(
      /Only members/,
    )
  expect(await refused(by.userId, () => watched.forge.command(by, 'manage foreign'))).toMatch(/Only members/)
  for (const callbackId of callbackIds)
    await refused(by.userId, async () =>
      expect(await watched.submitted(by, callbackId, { instance: foreign, version: '1' })).toMatch(
        /Only members/,
      ),
    )
})

test('an admin who is demoted with a window open saves nothing by it, and reads whom to ask', async () => {
  const ada = handsOf(watched.world, 'Ada')
  await watched.rows("update instance set owner = 'U0OLIVIA' where id = $1", watched.ours)
  await ada.say('manage ours')
  await ada.seen('Edit Instance', /Sync every/)
  ada.type('name', { value: 'renamed too late' })
  const before = await watched.everything()
  await changed('Ada', { isAdmin: false }, async () => {
    await ada.submit()
    await ada.seen('the refusal', /this is for admins\. Ask <@U0OLIVIA>/)
  })
  expect(await watched.everything()).toBe(before)
  await ada.leave()
})

test.each(['Olivia', 'Ada'])('%s, who may, is refused nothing', async name => {
  const hands = handsOf(watched.world, name)
  const userId = watched.world.userId(name)
  const before = await refusals(userId)
  for (const word of words) {
    const heard = hands.heard().length
    await hands.say(`${word} ours`)
    const answered = () => hands.heard().length > heard || !/^$|One moment/.test(hands.shown())
    await until(`an answer to ${word}`, answered)
    await hands.leave()
  }
  for (const callbackId of callbackIds)
    expect(await watched.submitted({ userId }, callbackId, {})).not.toMatch(/Ask </)
  expect(await refusals(userId)).toEqual(before)
})
