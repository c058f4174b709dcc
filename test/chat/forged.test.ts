// Ids that are not theirs: whatever a button or a window of an admin names, nothing that is not there is shown or changed.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { newId } from '../../src/lib/ids.ts'
import { readable, until } from '../support/world.ts'
import { handsOf } from './hands.ts'
import { foreign, startWatched, type Watched } from './watched.ts'

let watched: Watched
beforeAll(async () => {
  watched = await startWatched()
})
afterAll(() => watched.close())

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
    const hands = handsOf(watched.world, 'Ada')
    const before = await watched.everything()
    for (const actionId of ['manage', 'fix', 'sync-now', 'history', 'delete-users', 'delete-instance']) {
      const heard = hands.heard().length
      await watched.forge.press({ userId: watched.world.userId('Ada') }, actionId, id)
      await until(`${actionId} says so`, () =>
        gone.test([hands.shown(), ...hands.heard().slice(heard)].join('\n')),
      )
      await hands.leave()
    }
    expect(await watched.everything()).toBe(before)
  },
)

test.each<[string, unknown]>([
  ...notTheirs,
  ['that is an object', { $ne: 1 }],
  ['in metadata that is no JSON', undefined],
])('an admin’s window with an id %s says it is not there, and changes nothing', async (_what, id) => {
  const by = { userId: watched.world.userId('Ada') }
  const metadata = id === undefined ? '{not json' : { instance: id, version: '1' }
  const before = await watched.everything()
  for (const callbackId of ['edit-instance', 'delete-users'])
    expect(await watched.submitted(by, callbackId, metadata), callbackId).toMatch(gone)
  const hands = handsOf(watched.world, 'Ada')
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
    await watched.forge.press(by, actionId, watched.ours, view)
    await hands.seen(actionId, gone)
    await hands.leave()
  }
  expect(await watched.everything()).toBe(before)
})

test('Delete Instance without the ticked box deletes nothing, whatever the window said', async () => {
  const hands = handsOf(watched.world, 'Ada')
  await hands.say('manage ours')
  await hands.seen('Edit Instance', /Sync every/)
  const before = await watched.everything()
  const { id, hash } = hands.top()
  const view = { id, hash, callbackId: 'delete-instance', metadata: { instance: watched.ours } }
  await watched.forge.press({ userId: watched.world.userId('Ada') }, 'delete-confirm', watched.ours, view)
  await hands.seen('the box', /I understand that this action cannot be undone/)
  expect(await watched.everything()).toBe(before)
  await hands.leave()
})

test('nobody saves, changes or drops the recipients that another person is choosing', async () => {
  const [ada, olivia] = [handsOf(watched.world, 'Ada'), watched.world.userId('Olivia')]
  await ada.say('recipients')
  await ada.seen('Manage Recipients', /press Enter/)
  const before = await watched.everything()
  const [draft] = await watched.rows("select id from recipient_draft where user_id = 'U0ADA'")
  const view = { callbackId: 'recipients', metadata: { draft: draft?.id, page: '0', turn: '0' } }
  const typed = {
    'recipient-add-0': { 'recipient-add': { type: 'email_text_input', value: 'eve@example.com' } },
  }
  const saved = await watched.forge.submit({ userId: olivia }, { ...view, values: typed })
  expect(saved.ok && readable(saved.body)).toMatch(/Open Manage Recipients again/)
  await watched.forge.press({ userId: olivia }, 'recipient-add', 'eve@example.com', view)
  for (const userId of [olivia, watched.world.userId('Max')]) await watched.forge.close({ userId }, view)
  await ada.press('recipient-add', { value: 'mine@example.com' })
  await ada.seen('hers alone', /1 recipient\./)
  expect(ada.shown()).not.toMatch(/eve@/)
  await ada.leave()
  await until(
    'the draft is gone',
    async () => (await watched.rows("select 1 from recipient_draft where user_id = 'U0ADA'")).length === 0,
  )
  expect(before).toContain(String(draft?.id))
  expect(await watched.rows('select 1 from recipient')).toHaveLength(0)
})

test('a request that is not signed with the secret is not heard', async () => {
  const before = await watched.everything()
  const body = new URLSearchParams({
    command: '/saasm',
    text: 'sync ours',
    user_id: 'U0ADA',
    team_id: 'T0SANDBOX',
  })
  const answer = await fetch(`http://127.0.0.1:${watched.world.app.port()}/slack/events`, {
    method: 'POST',
    body,
    headers: {
      'x-slack-request-timestamp': String(Math.floor(Date.now() / 1000)),
      'x-slack-signature': `v0=${'0'.repeat(64)}`,
    },
  })
  expect(answer.status).toBe(401)
  expect(await watched.everything()).toBe(before)
})
