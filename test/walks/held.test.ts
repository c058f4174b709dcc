// A removal too large to believe: held, asked about on one card in the channel, decided there once, void when a newer sync says otherwise.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { readable, topView, until } from '../support/world.ts'
import { startConnected } from './connected.ts'

let at: Awaited<ReturnType<typeof startConnected>>
let world: (typeof at)['world']
beforeAll(async () => {
  at = await startConnected()
  world = at.world
})
afterAll(() => world.close())

const okta = () => at.okta()
const rows = (text: string) => at.rows(text)
const counted = (text: string) => at.counted(text)
const users = () => at.users()
const posts = (name?: string) => at.posts(name)
const questions = () => at.questions()
const asking = () => at.asking()
const quiet = () => at.quiet()
const sync = () => at.sync()
const remove = (count: number) => at.remove(count)
const press = (...of: Parameters<(typeof at)['press']>) => at.press(...of)
const direct = (name: string) =>
  world
    .person(name)
    .state()
    .channels.filter(channel => channel.isDirect)
    .flatMap(channel => channel.messages)
const shown = (ts: string) => readable(posts().find(post => post.ts === ts)?.blocks)
const heldMails = () =>
  world.sandbox.mailbox.mails.filter(mail => /a removal of users is held back/.test(mail.subject)).length

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
  const said = readable(asking().blocks)
  expect(said).toMatch(/100 users of 410 \(24 %\) of okta were not in Okta’s list and would be removed/)
  expect(said).toMatch(/permission or a filter.*outage.*cleaned up/)
  expect(said).toMatch(/more than 10 people and 20 %/)
  expect(said).toContain(gone.map(person => person.name).toSorted()[0])
  expect(said).toMatch(/and 80 more/)
  expect(heldMails()).toBe(1)
})

test('the whole list goes as CSV, by direct message, to the admin who asks for it and to nobody else', async () => {
  await press('held-list', 'Max')
  await until('the refusal', () =>
    posts('Max').some(post => post.ephemeral && /this is for admins/.test(post.text)),
  )
  expect(direct('Max')).toEqual([])
  await press('held-list')
  const message = await until('the file', () => direct('Ada').find(one => one.files.length > 0))
  expect(message.files[0]?.name).toMatch(/^held-removal-okta-\d{4}-\d\d-\d\d\.csv$/)
  const file = world.sandbox.slack.file(message.files[0]?.id ?? '')
  const lines = String(file?.bytes).split('\r\n').slice(0, -1)
  expect(lines).toHaveLength(101)
  expect(lines[0]).toBe('\uFEFF"id","name","email","reported as","found as","last active","not found since"')
  expect(lines[1]).toMatch(/^"00u\d+","[^"]+","[^"]+@acme.example","\w+","not found","/)
  expect(
    posts().every(post => post.files.length === 0),
    'nobody else sees it',
  ).toBe(true)
  expect(await rows("select actor, after from audit where action = 'removal.listed'")).toEqual([
    { actor: world.userId('Ada'), after: { people: 100 } },
  ])
})

test('the same people missing again go on with the same card, and nobody is told anew', async () => {
  const { ts } = asking()
  await sync()
  await until('the card goes on', () => /A later sync has found the same/.test(shown(ts)))
  expect(asking().ts).toBe(ts)
  expect(heldMails()).toBe(1)
  expect(await users()).toBe(411)
})

test('a member’s press changes nothing, and is answered to them alone', async () => {
  await press('held-allow', 'Max')
  await until(
    'the refusal',
    () => posts('Max').filter(post => /this is for admins/.test(post.text)).length > 1,
  )
  expect(await users()).toBe(411)
  expect(await counted("audit where action like 'removal.%' and action <> 'removal.listed'")).toBe(0)
})

test('another set makes the old card void, without its buttons, and is asked about; the instance’s owner may keep them', async () => {
  const old = asking().ts
  remove(1)
  await sync()
  await until('the old card is void', () => /The question about 100 users of okta is void/.test(shown(old)))
  const { ts } = asking()
  expect(ts).not.toBe(old)
  expect(heldMails()).toBe(2)
  await rows(`update instance set owner = '${world.userId('Max')}'`)
  await press('held-keep', 'Max')
  await until('the answer', () => /kept them: 101 users of okta stay reported/.test(shown(ts)))
  expect(shown(ts)).toContain(`<@${world.userId('Max')}>`)
  expect(questions()).toEqual([])
  expect(await users()).toBe(411)
})

test('kept users stay, with their age on the tile, and are not asked about while they are the same', async () => {
  world.clock.advance(3 * 86_400_000)
  await quiet()
  await sync()
  expect(questions()).toEqual([])
  expect(heldMails()).toBe(2)
  expect(await users()).toBe(411)
  await world.person('Ada').command(world.sandbox.settings.channel, '/saasm integrations')
  const tile = await until('the tile', () =>
    posts().find(post => post.ephemeral && /101 users are still reported/.test(readable(post.blocks))),
  )
  expect(readable(tile.blocks)).toMatch(/not listed so by Okta since <!date/)
  await world.person('Ada').command(world.sandbox.settings.channel, '/saasm history okta')
  const history = await until('the history', () =>
    posts().find(post => post.ephemeral && /History of okta/.test(readable(post.blocks))),
  )
  expect(readable(history.blocks)).toMatch(/40 users vanished in the last 30 days and did not come back/)
  expect(readable(history.blocks)).toContain(`<@${world.userId('Max')}> kept the users <!date`)
})

test('a card that somebody deleted is posted anew once, and what follows goes into that one', async () => {
  remove(1)
  await sync()
  const { ts } = asking()
  const { messages } = world.sandbox.slack.channel(world.sandbox.settings.channel)
  messages.splice(
    messages.findIndex(message => message.ts === ts),
    1,
  )
  await sync()
  const anew = await until('another card', () => questions().find(post => post.ts !== ts))
  await sync()
  await sync()
  expect(asking().ts).toBe(anew.ts)
})

test('a decision that could not be written down is answered in words, and asks on', async () => {
  await rows(`create function refuse() returns trigger language plpgsql as $$
    begin raise exception 'canceling statement due to statement timeout'; end $$`)
  await rows('create trigger refuse before update on account for each statement execute function refuse()')
  const post = asking()
  await press('held-allow')
  await until('the answer', () =>
    posts('Ada').some(one => one.ephemeral && /Something went wrong.*nothing was changed/.test(one.text)),
  )
  await rows('drop trigger refuse on account')
  expect(asking().ts).toBe(post.ts)
  expect(await users()).toBe(411)
})

test('Allow this once removes exactly that set, once, with its audit row, however often it is pressed', async () => {
  const post = asking()
  await Promise.all([press('held-allow', 'Ada', post), press('held-allow', 'Olivia', post)])
  await until('the removal', async () => (await users()) === 411 - 102)
  await until('the answer', () => /allowed it: okta: 102 users are no longer reported/.test(shown(post.ts)))
  await until('the second answer', () =>
    [...posts('Ada'), ...posts('Olivia')].some(one => /has decided already/.test(one.text)),
  )
  const audit = await rows("select after from audit where action = 'removal.allowed'")
  expect(audit.map(row => row.after)).toEqual([{ people: 102, disabled: 0 }])
  await world.person('Ada').command(world.sandbox.settings.channel, '/saasm history okta')
  const history = await until('the history', () =>
    posts().find(one => one.ephemeral && /allowed the removal/.test(readable(one.blocks))),
  )
  expect(readable(history.blocks)).toMatch(
    /102 people of 411 were missing\. saasm holds that back, so this sync removed nobody\.\n<@U\w+> allowed the removal <!date[^>]+>: 102 users are no longer reported\./,
  )
  await sync()
  expect(await users()).toBe(309)
})

test('so many disabled at once are held too, and reported so only when it is allowed', async () => {
  const suspended = () => counted("account where gone_at is null and status = 'suspended'")
  const before = await suspended()
  const active = okta()
    .people()
    .filter(person => person.status === 'active')
  for (const person of active.slice(0, 70)) okta().suspend(person.id)
  for (const person of active.slice(0, 5)) okta().remove(person.id)
  await sync()
  expect(readable(asking().blocks)).toMatch(
    /70 users of 309 \(23 %\) of okta would go: 5 were not in Okta’s list.*65 were found suspended/,
  )
  expect([await users(), await suspended()]).toEqual([309, before])
  await press('held-allow')
  await until('they are', async () => (await suspended()) === before + 65)
  expect(await users()).toBe(304)
  await sync()
  expect([await users(), await suspended(), questions().length]).toEqual([304, before + 65, 0])
})

test('a scope that hides half of them removes nobody; once it is mended the card is void, and they are the same accounts', async () => {
  const before = await rows('select external_id, first_seen_at from account where gone_at is null order by 1')
  okta().setMood('half-hidden')
  await sync()
  const { ts } = asking()
  expect(readable(asking().blocks)).toMatch(/152 users of 304 \(50 %\)/)
  okta().setMood('normal')
  await sync()
  await until('the card is void', () => /is void: a newer sync has ended/.test(shown(ts)))
  expect(questions()).toEqual([])
  expect(
    await rows('select external_id, first_seen_at from account where gone_at is null order by 1'),
  ).toEqual(before)
  expect(await counted('account where missing_run_id is not null or missing_since is not null')).toBe(0)
})

test('the thresholds are the instance’s own: set in Edit Instance, held to, and said', async () => {
  const ada = world.person('Ada')
  await ada.command(world.sandbox.settings.channel, '/saasm manage okta')
  await until('the form', () => /Hold removals of more/.test(JSON.stringify(ada.state().views.at(-1)?.view)))
  const viewId = topView(ada.state()).id
  ada.type(viewId, 'removal-people', { value: '2' })
  ada.type(viewId, 'removal-percent', { value: '1' })
  await ada.submit(viewId)
  await until('it closed', () => ada.state().views.length === 0)
  expect(await rows('select removal_people_max p, removal_percent_max s from instance')).toEqual([
    { p: 2, s: 1 },
  ])
  remove(4)
  await sync()
  expect(await users()).toBe(304)
  expect(readable(asking().blocks)).toMatch(/more than 2 people and 1 %/)
})

test('kept users can be let go after all, in a window of Edit Instance', async () => {
  const ada = world.person('Ada')
  await press('held-keep')
  await until('nothing is asked', () => questions().length === 0)
  await ada.command(world.sandbox.settings.channel, '/saasm manage okta')
  await until('the form', () => /held-review/.test(JSON.stringify(ada.state().views.at(-1)?.view)))
  await ada.act({ viewId: topView(ada.state()).id }, { blockId: 'delete', actionId: 'held-review' })
  await until('the window', () => /kept them/.test(readable(topView(ada.state()).view)))
  expect(readable(topView(ada.state()).view)).toMatch(/4 users of 304/)
  await ada.act({ viewId: topView(ada.state()).id }, { blockId: 'held', actionId: 'held-release' })
  await until('they are gone', async () => (await users()) === 300)
  await until('it says so', () => /4 users are no longer reported/.test(readable(topView(ada.state()).view)))
  await ada.close(topView(ada.state()).id, true)
  await quiet()
})

test('everybody gone is always held; deleting all users makes the question void', async () => {
  for (const person of [...okta().people()]) okta().remove(person.id)
  await sync()
  expect(await users()).toBe(300)
  const { ts } = asking()
  expect(readable(asking().blocks)).toMatch(/300 users of 300 \(100 %\)[\s\S]*listed nobody at all/)
  const ada = world.person('Ada')
  await ada.command(world.sandbox.settings.channel, '/saasm manage okta')
  await until('the form', () => /Delete All Users/.test(JSON.stringify(ada.state().views.at(-1)?.view)))
  await ada.act({ viewId: topView(ada.state()).id }, { blockId: 'delete', actionId: 'delete-users' })
  await until('the question', () => /will no longer be reported/.test(readable(topView(ada.state()).view)))
  await ada.submit(topView(ada.state()).id)
  await until('they are gone', async () => (await users()) === 0)
  await quiet()
  expect(questions()).toEqual([])
  expect(shown(ts)).toMatch(/is void: all its users were deleted/)
})
