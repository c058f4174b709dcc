// Edit Instance beneath a window in which something is decided: it says what is true by then, and keeps what was typed in it.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { readable, topView, until } from '../support/world.ts'
import { startConnected } from './connected.ts'

let at: Awaited<ReturnType<typeof startConnected>>
beforeAll(async () => {
  at = await startConnected()
})
afterAll(() => at.world.close())

const ada = () => at.world.person('Ada')
const top = () => topView(ada().state())
const form = () => ada().state().views[0]
const says = (window: RegExp, text: RegExp) =>
  until(String(text), () => window.test(readable(top().view)) && text.test(readable(top().view)))

async function opened() {
  await ada().command(at.world.sandbox.settings.channel, '/saasm manage okta')
  await until('the form', () => /Delete All Users/.test(JSON.stringify(form()?.view)))
}

async function press(actionId: string, blockId = 'delete') {
  await ada().act({ viewId: top().id }, { blockId, actionId })
}

test('after Allow this once it shows who is left, and saves what was typed before', async () => {
  at.remove(100)
  await at.sync()
  await opened()
  expect(readable(form()?.view)).toMatch(/450 users/)
  ada().type(top().id, 'name', { value: 'Okta of Acme' })
  await press('held-review')
  await says(/Held users/, /100 users of 450/)
  await press('held-allow', 'held')
  await until('the form says so', () => /350 users/.test(readable(form()?.view)))
  await says(/Held users/, /100 users are no longer reported/)
  await ada().close(top().id)
  expect(readable(top().view)).toMatch(/350 users/)
  await ada().submit(top().id)
  await until('it is saved', async () => (await at.counted("instance where name = 'Okta of Acme'")) === 1)
  await at.quiet()
})

test('somebody else’s change meanwhile is not drawn over what was typed: who saves is told of it', async () => {
  await at.rows("update instance set name = 'okta', version = version + 1")
  at.remove(100)
  await at.sync()
  await opened()
  ada().type(top().id, 'name', { value: 'Mine' })
  await press('held-review')
  await says(/Held users/, /100 users of 350/)
  await at.rows("update instance set name = 'Theirs', version = version + 1")
  await press('held-allow', 'held')
  await says(/Held users/, /100 users are no longer reported/)
  await at.quiet()
  expect(readable(form()?.view)).toMatch(/350 users/)
  await ada().close(top().id)
  await ada().submit(top().id)
  await until('who saves is told', () => /changed/i.test(readable(top().view)))
  expect(await at.counted("instance where name = 'Theirs'")).toBe(1)
  await ada().close(top().id, true)
  await at.rows("update instance set name = 'okta', version = version + 1")
})

test('after Delete All Users it shows that they go, is not out of date, and saves what was typed before', async () => {
  await opened()
  ada().type(top().id, 'name', { value: 'Emptied' })
  await press('delete-users')
  await says(/Delete All Users/, /will no longer be reported/)
  await ada().submit(top().id)
  await until('the form says so', () => /removed so far|removing|\b0 users/.test(readable(form()?.view)))
  await ada().close(top().id)
  await ada().submit(top().id)
  await until('it is saved', async () => (await at.counted("instance where name = 'Emptied'")) === 1)
  await at.quiet()
})

test('after Delete Instance it offers nothing more', async () => {
  await ada().command(at.world.sandbox.settings.channel, '/saasm manage Emptied')
  await until('the form', () => /Delete All Users/.test(JSON.stringify(form()?.view)))
  await press('delete-instance')
  await says(/Delete/, /Understood|understand/i)
  const ticked = { selectedOptions: ['understood'] }
  await ada().act(
    { viewId: top().id },
    { blockId: 'delete-box', actionId: 'delete-understood', value: ticked },
  )
  await says(/Delete Integration Instance/, /cannot be undone/)
  await press('delete-confirm', 'delete-confirm')
  await until('the form says so', () => /being deleted/.test(readable(form()?.view)))
  await ada().close(top().id, true)
  await at.quiet()
})
