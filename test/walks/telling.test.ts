// How things are told: what each telling says, in one transaction with what it tells of, late rather than never when a way is down.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { readable, startWorld, topView, until, type World } from '../support/world.ts'

let world: World
beforeAll(async () => {
  world = await startWorld()
})
afterAll(() => world.close())

const ada = () => world.person('Ada')
const { channel, okta } = {
  channel: () => world.sandbox.settings.channel,
  okta: () => world.sandbox.vendors.okta,
}
const rows = (text: string, ...values: string[]) => world.database.db.sql.unsafe(text, values)
const mails = () => world.sandbox.mailbox.mails
const posts = () =>
  (
    ada()
      .state()
      .channels.find(one => one.id === channel())?.messages ?? []
  ).filter(message => !message.ephemeral)
const instance = async () => (await rows("select * from instance where name = 'okta'"))[0]
const runs = async (state: string) =>
  Number((await rows('select count(*)::int n from sync_run where state = $1', state))[0]?.n)

/** Move the clock on until nothing waits to be told. */
async function quiet() {
  const moving = setInterval(() => world.clock.advance(2_000), 20)
  await until('nothing waits', async () => {
    const [waiting] = await rows("select count(*)::int n from outbox where state in ('pending', 'sending')")
    return Number(waiting?.n) === 0
  }).finally(() => clearInterval(moving))
}

test('with Slack and the mail service down, connecting and syncing go well, and all is told once when they are back', async () => {
  for (let times = 0; times < 4; times += 1) {
    world.sandbox.slack.faults.next({ method: 'chat.postMessage', kind: 'status', status: 503 })
    world.sandbox.mailbox.faults.next({ kind: 'status', status: 503 })
  }
  await ada().command(channel(), '/saasm connect okta')
  await until(
    'the form',
    () => ada().state().views.length > 0 && /API token/.test(readable(topView(ada().state()).view)),
  )
  const viewId = topView(ada().state()).id
  ada().type(viewId, 'domain', { value: `${world.sandbox.url}/vendors/okta` })
  ada().type(viewId, 'token', { value: okta().token() })
  await ada().submit(viewId)
  await until('the good run', async () => (await runs('succeeded')) === 1)
  await quiet()
  expect(mails().map(mail => mail.subject)).toEqual(['okta: initial sync complete (450 users)'])
  expect(posts()).toHaveLength(1)
  await ada().close(topView(ada().state()).id, true)
})

test('a mail has an HTML and a text part, and goes out under a key of its own', () => {
  const [mail] = mails()
  expect(mail?.html).toMatch(/initial sync complete/)
  expect(mail?.text).toMatch(/Instance: okta\nApp: Okta\nChanges: 450 added/)
  expect(mail?.idempotencyKey).toMatch(/^saasm\/[0-9a-f-]{36}$/)
})

test('a lost answer of Slack or of the mail service is not told twice', async () => {
  world.sandbox.slack.faults.next({ method: 'chat.postMessage', kind: 'lost-after-storing' })
  world.sandbox.mailbox.faults.next({ kind: 'lost-after-storing' })
  const before = { mails: mails().length, posts: posts().length }
  await setStatus('inactive')
  await quiet()
  expect(mails().length - before.mails).toBe(1)
  expect(posts().length - before.posts).toBe(1)
})

async function setStatus(status: 'live' | 'inactive') {
  await ada().command(channel(), '/saasm manage okta')
  await until(
    'Edit Instance',
    () => ada().state().views.length > 0 && /Status/.test(readable(topView(ada().state()).view)),
  )
  const viewId = topView(ada().state()).id
  ada().type(viewId, 'status', { selectedOption: status })
  await ada().submit(viewId)
  await until(status, async () => (await instance())?.status === status)
}

test('the change, its audit row and its tellings are one transaction: when the telling cannot be written nothing has changed', async () => {
  await rows(
    `create function refuse() returns trigger language plpgsql as $$ begin raise exception 'planted'; end $$`,
  )
  await rows('create trigger refuse before insert on outbox execute function refuse()')
  const audits = async () => Number((await rows('select count(*)::int n from audit'))[0]?.n)
  const before = await audits()
  await ada().command(channel(), '/saasm manage okta')
  await until(
    'Edit Instance',
    () => ada().state().views.length > 0 && /Status/.test(readable(topView(ada().state()).view)),
  )
  const viewId = topView(ada().state()).id
  ada().type(viewId, 'status', { selectedOption: 'live' })
  await ada().submit(viewId)
  expect(readable(topView(ada().state()).view)).toMatch(/nothing was changed.* E[A-Z0-9]{7}/)
  expect((await instance())?.status).toBe('inactive')
  expect(await audits()).toBe(before)
  await rows('drop trigger refuse on outbox')
  await ada().close(topView(ada().state()).id, true)
  await setStatus('live')
  await until('the good run', async () => (await runs('succeeded')) === 2)
  await quiet()
})

test('a failure says instance, app, what failed and why, last good sync, age of the data, and what comes next from the configured hours', async () => {
  await rows(
    "update instance set schedule_hours = 6, last_success_at = last_success_at - interval '3 days' where name = 'okta'",
  )
  okta().setMood('broken')
  const before = { mails: mails().length, posts: posts().length }
  await ada().command(channel(), '/saasm sync okta')
  const moving = setInterval(() => world.clock.advance(10_000), 20)
  await until('the failure', async () => (await runs('failed')) === 1).finally(() => clearInterval(moving))
  await quiet()
  const [mail] = mails().slice(before.mails)
  const post = readable(posts().slice(before.posts)[0]?.blocks)
  for (const said of [mail?.text ?? '', post]) {
    expect(said).toMatch(/okta/)
    expect(said).toMatch(/Okta/)
    expect(said).toMatch(/Okta does not answer/)
    expect(said).toMatch(/Last good sync/)
    expect(said).toMatch(/Age of the data.*3 days/s)
    expect(said).toMatch(/saasm tries again in 6 hours/)
    expect(said).toMatch(/Reference.*E[A-Z0-9]{7}/s)
  }
  okta().setMood('normal')
})

test('a missing permission is named, in the mail, in the channel and in Edit Instance', async () => {
  okta().takeScope()
  await ada().command(channel(), '/saasm sync okta')
  await until('Inactive', async () => (await instance())?.inactive_reason === 'insufficient_permissions')
  await quiet()
  expect(mails().at(-1)?.text).toMatch(/Missing permission: okta\.users\.read/)
  expect(posts().some(post => /okta\.users\.read/.test(readable(post.blocks)))).toBe(true)
  await ada().command(channel(), '/saasm manage okta')
  await until(
    'Edit Instance',
    () => ada().state().views.length > 0 && /Status/.test(readable(topView(ada().state()).view)),
  )
  expect(readable(topView(ada().state()).view)).toMatch(/saasm set this instance Inactive/)
  await ada().close(topView(ada().state()).id, true)
  okta().giveScope()
})

test('a creator who has left is replaced by the owner', async () => {
  await rows(
    `update instance set created_by = 'U0GONE', owner = $1 where name = 'okta'`,
    world.userId('Olivia'),
  )
  const before = mails().length
  await setStatus('live')
  await until('the recovery', async () => (await instance())?.last_outcome === 'succeeded')
  await quiet()
  const told = mails().slice(before)
  expect(told.length).toBeGreaterThan(0)
  expect(new Set(told.flatMap(mail => mail.to))).toEqual(new Set(['olivia@acme.example']))
})

test('a channel that refuses is told to the admins by mail, once, and never holds up the run', async () => {
  world.sandbox.slack.channel('saas-sync').archived = true
  const before = mails().length
  await setStatus('inactive')
  await setStatus('live')
  await until(
    'the run',
    async () => (await rows("select 1 from sync_run where state in ('requested', 'running')")).length === 0,
  )
  await quiet()
  const refusals = mails()
    .slice(before)
    .filter(mail => /could not deliver/.test(mail.subject))
  expect(refusals.map(mail => String(mail.to)).toSorted()).toEqual([
    'ada@acme.example',
    'olivia@acme.example',
  ])
  expect(refusals[0]?.text).toMatch(/archived/)
  world.sandbox.slack.channel('saas-sync').archived = false
})
