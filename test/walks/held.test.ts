// A removal too large to believe: held, asked about in the channel, allowed or refused there, void when a newer sync has ended.
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
  ada.type(viewId, 'token', { value: okta().token() })
  await ada.submit(viewId)
  await until('450 users', async () => (await users()) === 450)
  await until('the confirmation', () => /is connected/.test(readable(topView(ada.state()).view)))
  await ada.close(topView(ada.state()).id, true)
})
afterAll(() => world.close())

const okta = () => world.sandbox.vendors.okta
const rows = (text: string) => world.database.db.sql.unsafe(text)
const users = async () =>
  Number((await rows('select count(*)::int n from account where gone_at is null'))[0]?.n)
const posts = (name = 'Ada') =>
  world
    .person(name)
    .state()
    .channels.find(channel => channel.id === world.sandbox.settings.channel)?.messages ?? []
const questions = () =>
  posts().filter(post => !post.ephemeral && JSON.stringify(post.blocks).includes('held-allow'))

async function sync() {
  const ended = async () =>
    Number((await rows('select count(*)::int n from sync_run where ended_at is not null'))[0]?.n)
  const before = await ended()
  world.clock.advance(1_000)
  await world.person('Ada').command(world.sandbox.settings.channel, '/saasm sync okta')
  await until('the end', async () => (await ended()) > before)
  await until(
    'nothing waits',
    async () =>
      Number(
        (await rows("select count(*)::int n from outbox where state in ('pending','sending')"))[0]?.n,
      ) === 0,
  )
}

function remove(count: number) {
  const gone = okta().people().slice(0, count)
  for (const person of gone) okta().remove(person.id)
  return gone
}

async function press(actionId: string, name = 'Ada', post = questions().at(-1)) {
  const block = (post?.blocks ?? []).find(one => one.type === 'actions')
  await world
    .person(name)
    .act(
      { channelId: world.sandbox.settings.channel, ts: post?.ts ?? '' },
      { blockId: String(block?.block_id), actionId },
    )
}

test('forty of 450 are believed, and removed', async () => {
  remove(40)
  await sync()
  expect(await users()).toBe(410)
  expect(questions()).toHaveLength(0)
})

test('a hundred of 410 are held: who, how many, why that may be, and the thresholds are said; additions are applied', async () => {
  const gone = remove(100)
  okta().add({ name: 'New Person', email: 'new@acme.example' })
  await sync()
  expect(await users()).toBe(411)
  const said = readable(questions()[0]?.blocks)
  expect(said).toMatch(/100 users of 410 \(24 %\)/)
  expect(said).toMatch(/permission or a filter.*outage.*cleaned up/)
  expect(said).toMatch(/more than 10 people and 20 %/)
  expect(said).toContain(gone.map(person => person.name).toSorted()[0])
  expect(said).toMatch(/and 80 more/)
  expect(world.sandbox.mailbox.mails.at(-1)?.subject).toBe('okta: a removal of users is held back')
})

test('the same people missing again are not asked about again', async () => {
  await sync()
  expect(questions()).toHaveLength(1)
  expect(await users()).toBe(411)
})

test('the first question is void by then, and says so; a member’s press changes nothing', async () => {
  await press('held-allow', 'Max')
  await press('held-allow')
  expect(await users()).toBe(411)
  await until('the answer', () => posts().some(post => post.ephemeral && /newer sync/.test(post.text)))
  await until('the refusal', () =>
    posts('Max').some(post => post.ephemeral && /this is for admins/.test(post.text)),
  )
})

test('another set is asked about again; Keep users keeps them, and the message says who decided', async () => {
  remove(1)
  await sync()
  expect(questions()).toHaveLength(2)
  const post = questions().at(-1)
  await press('held-keep')
  await until('the answer', () =>
    posts().some(one => one.ts === post?.ts && /<@U0ADA> kept them: 101 users/.test(one.text)),
  )
  expect(await users()).toBe(411)
  await press('held-allow', 'Olivia', post).catch(error => expect(String(error)).toMatch(/There is no/))
  expect(await users()).toBe(411)
})

test('Allow this once removes exactly that set, once, with its audit row; the next large removal asks anew', async () => {
  remove(1)
  await sync()
  const post = questions().at(-1)
  await Promise.all([press('held-allow', 'Ada', post), press('held-allow', 'Olivia', post)])
  await until('the removal', async () => (await users()) === 411 - 102)
  const audit = await rows("select after from audit where action = 'removal.allowed'")
  expect(audit.map(row => row.after)).toEqual([{ people: 102 }])
  await sync()
  expect(await users()).toBe(309)
  remove(150)
  await sync()
  expect(await users()).toBe(309)
  expect(questions().length).toBeGreaterThan(0)
})

test('everybody gone is always held, and people who come back are the same accounts', async () => {
  const before = await rows(
    'select external_id, first_seen_at from account where gone_at is null order by 1 limit 1',
  )
  for (const person of [...okta().people()]) okta().remove(person.id)
  await sync()
  expect(await users()).toBe(309)
  const back = before[0]?.external_id
  expect(
    (await rows(`select first_seen_at from account where external_id = '${back}'`))[0]?.first_seen_at,
  ).toBe(before[0]?.first_seen_at)
})
