// A directory full of what no database takes as it is, from the vendor's pages to the channel, the mails and the history.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { handsOf } from '../chat/hands.ts'
import { startWorld, until, type World } from '../support/world.ts'

let world: World
beforeAll(async () => {
  world = await startWorld()
  const { okta } = world.sandbox.vendors
  const { people, ...rest } = okta.snapshot()
  const odd = people.map((person, at) => ({ ...person, ...poison[at] }))
  // Across two pages: Okta gives 200 a page.
  odd.splice(230, 0, { ...people[3], name: 'Somebody Else' } as (typeof odd)[number])
  okta.restore({ ...rest, people: odd })
})
afterAll(() => world.close())

const poison: Readonly<Record<number, object>> = {
  10: { name: 'Nul\0Name' },
  11: { name: '\ud800half' },
  12: { name: 'n'.repeat(10_000) },
  13: { email: 'not an address' },
  14: { email: 'emoji 😀@acme.example' },
  15: { createdAt: '0001-01-01T00:00:00.000Z' },
  16: { createdAt: '9999-12-31T23:59:59.000Z' },
  17: { createdAt: 'never' },
  18: { name: '👩‍👩‍👧‍👦 Family' },
  19: { name: 'שלום \u202Eעולם' },
  20: { name: '<!channel> *all* `x`' },
  21: { name: '=HYPERLINK("https://evil.example")' },
  // Refused, and named.
  22: { id: 'nul\0id' },
  23: { id: '\ud800' },
  24: { id: 'i'.repeat(300) },
  25: { status: 'astral' },
  // The same id twice on one page: the first one stays.
  27: { id: '00u00000000000000027', name: 'Twice' },
}

const rows = (text: string) => world.database.db.sql.unsafe(text)
const ada = () => handsOf(world, 'Ada')

test('the whole run ends as partial: everybody who can be stored is stored clean, and four rows are named', async () => {
  const hands = ada()
  await hands.say('connect okta')
  await hands.seen('the form', /API token/)
  hands.type('domain', { value: `${world.sandbox.url}/vendors/okta` })
  hands.type('token', { value: world.sandbox.vendors.okta.token() })
  await hands.submit()
  await until('the end', async () => (await rows('select 1 from sync_run where ended_at is not null')).length)
  expect(await rows('select state, attempt, added, fault from sync_run')).toEqual([
    { state: 'partial', attempt: 1, added: 445, fault: null },
  ])
  await hands.leave()
  const stored = await rows(`
    select external_id, email, name, created_at::text from account
    where external_id between '00u00000000000000011' and '00u00000000000000022' or name in ('Twice', 'Somebody Else')
    order by 1`)
  const people = stored.map(row => [row.name, row.email === null, row.created_at === null])
  expect(people).toMatchObject([
    ['NulName', false, false],
    ['half', false, false],
    [`${'n'.repeat(299)}…`, false, false],
    [expect.any(String), true, false],
    [expect.any(String), true, false],
    [expect.any(String), false, true],
    [expect.any(String), false, true],
    [expect.any(String), false, true],
    ['👩‍👩‍👧‍👦 Family', false, false],
    ['שלום \u202Eעולם', false, false],
    ['<!channel> *all* `x`', false, false],
    ['=HYPERLINK("https://evil.example")', false, false],
  ])
})

test('the channel and the mail say once that four rows could not be read', async () => {
  const { mailbox } = world.sandbox
  await until('the mail', () => mailbox.mails.length === 1)
  expect(mailbox.mails[0]?.text).toMatch(/4 rows could not be read\. Nobody was removed/)
  const posts = () => world.sandbox.slack.channel('saas-sync').messages
  await until('the message', () => posts().length === 1)
  expect(JSON.stringify(posts()[0])).toMatch(/4 rows could not be read/)
})

test('History says how many, and shows which rows and why', async () => {
  const hands = ada()
  const before = hands.heard().length
  await hands.say('history okta')
  await hands.told(before, /Partial.*4 rows could not be read/s)
  const { channel } = world.sandbox.settings
  const said = hands.person
    .state()
    .channels.find(one => one.id === channel)
    ?.messages.findLast(message => message.ephemeral && /History of/.test(JSON.stringify(message.blocks)))
  const block = said?.blocks.find(one => JSON.stringify(one).includes('unread-rows')) as
    | { block_id: string }
    | undefined
  const press = { blockId: block?.block_id ?? '', actionId: 'unread-rows:0' }
  expect(await hands.person.act({ channelId: channel, ts: said?.ts ?? '' }, press)).toMatchObject({
    ok: true,
  })
  const shown = await hands.told(before + 1, /Rows of okta not read/)
  for (const named of [
    /ˋnulidˋ|`nulid`/,
    /nulid.*characters that cannot be stored/,
    /_no id_.*has no id/,
    /iiii.*too long/,
    /00u00000000000000026.*status.*cannot be read/,
  ])
    expect(shown).toMatch(named)
})

test('a second run of the same rows changes nobody, and is told to nobody', async () => {
  const hands = ada()
  const before = { mails: world.sandbox.mailbox.mails.length, heard: hands.heard().length }
  await hands.say('sync okta')
  await hands.told(before.heard + 1, /the sync you asked for is done/)
  expect(
    await rows(
      "select state, attempt, added, changed, removed, unchanged from sync_run where trigger = 'manual'",
    ),
  ).toEqual([{ state: 'partial', attempt: 1, added: 0, changed: 0, removed: 0, unchanged: 445 }])
  expect(world.sandbox.mailbox.mails).toHaveLength(before.mails)
})
