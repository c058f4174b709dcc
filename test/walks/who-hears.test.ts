// Who hears what, once each: every sentence of the rule, walked from a vendor's answer to mails and messages.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { readable, startWorld, topView, until, type World } from '../support/world.ts'

let world: World
beforeAll(async () => {
  world = await startWorld()
})
afterAll(() => world.close())

const olivia = () => world.person('Olivia')
const okta = () => world.sandbox.vendors.okta
const rows = (text: string, ...values: string[]) => world.database.db.sql.unsafe(text, values)
const instance = async () => (await rows("select * from instance where name = 'okta'"))[0]
const mails = () => world.sandbox.mailbox.mails
const posts = () => {
  const channel = olivia()
    .state()
    .channels.find(one => one.id === world.sandbox.settings.channel)
  return (channel?.messages ?? []).filter(message => !message.ephemeral)
}
const quiet = () =>
  until('nothing more to send', async () => {
    const waiting = await rows(
      "select (select count(*) from outbox where state in ('pending','sending')) + (select count(*) from sync_run where state in ('requested','running')) n",
    )
    return Number(waiting[0]?.n) === 0
  })

/** Ask for a run and wait until it has ended and everything it caused is told; returns what was newly told. */
async function syncAndListen(hours = 0) {
  const before = { mails: mails().length, posts: posts().length }
  const runs = async () =>
    Number((await rows('select count(*) n from sync_run where ended_at is not null'))[0]?.n)
  const ended = await runs()
  if (hours > 0) world.clock.advance(hours * 3_600_000)
  else await olivia().command(world.sandbox.settings.channel, '/saasm sync okta')
  await until('the end of the run', async () => (await runs()) > ended)
  await quiet()
  return { mails: mails().slice(before.mails), posts: posts().slice(before.posts) }
}

async function setStatus(status: 'live' | 'inactive') {
  const before = { mails: mails().length, posts: posts().length }
  await olivia().command(world.sandbox.settings.channel, '/saasm manage okta')
  await until(
    'Edit Instance',
    () => olivia().state().views.length > 0 && /Status/.test(readable(topView(olivia().state()).view)),
  )
  const viewId = topView(olivia().state()).id
  olivia().type(viewId, 'status', { selectedOption: status })
  await olivia().submit(viewId)
  await until(status, async () => (await instance())?.status === status)
  await quiet()
  return { mails: mails().slice(before.mails), posts: posts().slice(before.posts) }
}

test('the end of a good initial sync is told to the creator and the recipients, each address once', async () => {
  await olivia().command(world.sandbox.settings.channel, '/saasm recipients')
  await until(
    'Manage Recipients',
    () => olivia().state().views.length > 0 && /Enter/i.test(JSON.stringify(topView(olivia().state()).view)),
  )
  const recipients = topView(olivia().state())
  const email = (recipients.view.blocks as { block_id: string; element?: { type: string } }[]).find(
    block => block.element?.type === 'email_text_input',
  )
  olivia().type(recipients.id, email?.block_id ?? '', { value: olivia().state().user.email.toUpperCase() })
  await olivia().submit(recipients.id)
  await until('the recipient', async () => (await rows('select 1 from recipient')).length === 1)
  await olivia().command(world.sandbox.settings.channel, '/saasm connect okta')
  await until(
    'the form',
    () => olivia().state().views.length > 0 && /API token/i.test(readable(topView(olivia().state()).view)),
  )
  const viewId = topView(olivia().state()).id
  olivia().type(viewId, 'name', { value: 'okta' })
  olivia().type(viewId, 'domain', { value: `${world.sandbox.url}/vendors/okta` })
  olivia().type(viewId, 'token', { value: okta().token() })
  await olivia().submit(viewId)
  await until('the instance', instance)
  await quiet()
  expect(mails(), 'an address that is creator and recipient is told once').toHaveLength(1)
  expect(mails()[0]?.subject).toMatch(/okta/)
  expect(posts()).toHaveLength(1)
  await olivia().close(topView(olivia().state()).id, true)
})

test('a success after a success is told to nobody but the one who asked', async () => {
  const told = await syncAndListen()
  expect(told.mails).toEqual([])
  expect(told.posts).toEqual([])
})

test('a scheduled success is told to nobody', async () => {
  const told = await syncAndListen(30)
  expect(told).toEqual({ mails: [], posts: [] })
})

test('the first failure after a success is told by mail and as one message with Fix, Sync now and History', async () => {
  okta().setMood('broken')
  world.clock.advance(1)
  const failing = syncAndListen()
  const moving = setInterval(() => world.clock.advance(60_000), 50)
  const told = await failing.finally(() => clearInterval(moving))
  expect(told.mails).toHaveLength(1)
  expect(told.posts).toHaveLength(1)
  expect(JSON.stringify(told.posts[0])).toMatch(/"fix.*"sync-now.*"history/s)
  expect((await instance())?.status, 'a broken vendor never makes it Inactive').toBe('live')
})

test('the same failure again is told to nobody', async () => {
  const failing = syncAndListen()
  const moving = setInterval(() => world.clock.advance(60_000), 50)
  const told = await failing.finally(() => clearInterval(moving))
  expect(told.mails).toEqual([])
  expect(told.posts).toEqual([])
})

test('another cause is told again: a mail, and the same message edited', async () => {
  okta().setMood('normal')
  okta().takeScope()
  const told = await syncAndListen()
  expect(told.mails).toHaveLength(1)
  expect(told.mails[0]?.text).toMatch(/okta\.users\.read/)
  expect(told.posts, 'no second message').toEqual([])
  expect(readable(posts().at(-1)?.blocks)).toMatch(/okta\.users\.read/)
  expect(await instance()).toMatchObject({ status: 'inactive', inactive_reason: 'insufficient_permissions' })
})

test('Live again resyncs at once, and the first success after a failure is told, the message resolved in place', async () => {
  okta().giveScope()
  const incident = posts().at(-1)
  const told = await setStatus('live')
  await until('the recovery', () => mails().some(mail => /recover|again/i.test(mail.subject)))
  await quiet()
  expect(posts().find(message => message.ts === incident?.ts)?.text).toMatch(/resolved/i)
  expect(posts().length).toBeGreaterThan(told.posts.length)
  expect((await instance())?.last_outcome).toBe('succeeded')
})

test('a change of status by a person is told by mail and in the channel', async () => {
  const told = await setStatus('inactive')
  expect(told.mails).toHaveLength(1)
  expect(told.posts).toHaveLength(1)
  expect(readable(told.posts[0]?.blocks)).toMatch(/Inactive/)
})

test('a creator who has left is replaced by the owner, else by the admins', async () => {
  await rows("update instance set created_by = 'U0GONE', owner = 'U0GONE2'")
  const before = mails().length
  await setStatus('live')
  await quiet()
  const told = new Set(
    mails()
      .slice(before)
      .flatMap(mail => mail.to)
      .map(address => address.toLowerCase()),
  )
  for (const name of ['Olivia', 'Ada'])
    expect(told).toContain(world.person(name).state().user.email.toLowerCase())
  expect(
    mails()
      .slice(before)
      .filter(mail => String(mail.to).toLowerCase().startsWith('ada')),
  ).toHaveLength(1)
})

test('the end of the initial sync, when it is bad, is told to the creator, the recipients and the channel', async () => {
  const { scim } = world.sandbox.vendors
  const connected = async () => (await rows("select 1 from instance where name = 'scim'")).length > 0
  const answer = scim.handle
  // The check goes well; the vendor breaks before the run's first request.
  scim.handle = async (req, res) => {
    if (await connected()) scim.setMood('broken')
    return answer(req, res)
  }
  const before = { mails: mails().length, posts: posts().length }
  await olivia().command(world.sandbox.settings.channel, '/saasm connect scim')
  await until(
    'the form',
    () => olivia().state().views.length > 0 && /base address/i.test(readable(topView(olivia().state()).view)),
  )
  const viewId = topView(olivia().state()).id
  olivia().type(viewId, 'name', { value: 'scim' })
  olivia().type(viewId, 'address', { value: `${world.sandbox.url}/vendors/scim` })
  olivia().type(viewId, 'token', { value: scim.token() })
  await olivia().submit(viewId)
  await until('the instance', connected)
  const moving = setInterval(() => world.clock.advance(60_000), 50)
  await until(
    'the end',
    async () =>
      (await rows("select 1 from instance where name = 'scim' and last_outcome = 'failed'")).length > 0,
  )
  await quiet().finally(() => clearInterval(moving))
  const told = mails().slice(before.mails)
  expect(told.map(mail => mail.subject)).toEqual(['scim: initial sync failed'])
  expect(told[0]?.to).toEqual([olivia().state().user.email])
  expect(told[0]?.text).toMatch(/Last good sync: never/)
  expect(told[0]?.text).toMatch(/saasm tries again in 24 hours/)
  expect(posts().slice(before.posts)).toHaveLength(1)
})
