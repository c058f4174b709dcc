// A CSV file from its upload to its people: refused at the field, connected, synced, replaced in Edit Instance, held by the guard.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Hands, handsOf } from '../chat/hands.ts'
import { leaksIn } from '../connectors/canary.ts'
import { readable, scopes, startWorld, until, type World } from '../support/world.ts'

const lines: string[] = []
/** In a column that nobody reads: it must be in the sealed file and nowhere else. */
const canary = 'canary-9c1f7e5a3b'

let world: World
let hands: Hands
beforeAll(async () => {
  world = await startWorld({ logTo: { write: line => void lines.push(line) } })
  hands = handsOf(world, 'Ada')
})
afterAll(() => world.close())

const rows = (text: string, ...values: string[]) => world.database.db.sql.unsafe(text, values)
const users = async () => (await rows('select external_id id from account where gone_at is null')).length
const instance = async () => (await rows("select * from instance where connector = 'csv'"))[0]
const quiet = async () =>
  (await rows("select 1 from sync_run where state in ('requested', 'running')")).length === 0 &&
  (await rows("select 1 from outbox where state in ('pending', 'sending')")).length === 0
const line = (n: number) => `${n};p${n}@acme.example;"Last${n}, First${n}";active;${canary}`
const file = (from: number, to: number, more = '') =>
  `Id;E-mail;Name;Status;Note\r\n${more}${Array.from({ length: to - from }, (_, n) => line(from + n)).join('\r\n')}\r\n`

async function edit(text: string) {
  await hands.leave()
  await hands.say('manage csv')
  await hands.seen('Edit Instance', /Update Instance|Sync every/)
  hands.upload('file', text)
  await hands.submit()
}

test('the form says the limits and offers a template, and wants a file', async () => {
  await hands.say('connect csv')
  await hands.seen('the form', /at most 5 MB and 50,000 lines/)
  expect(hands.shown()).toMatch(/template, to copy:\n```id,email,name,status.*\n1001,grace@example.com/)
  const drawn = JSON.stringify(hands.top().view.blocks)
  expect(drawn).toContain('"type":"file_input","filetypes":["csv"],"max_files":1')
  expect(await hands.person.submit(hands.top().id), 'Slack itself asks for it').toBeDefined()
  expect(Object.keys(hands.top().errors)).toContain('file')
})

test.each([
  ['of a wrong heading', 'who;what\n1;2\n', /Line 1 must be a heading with a column “id” or “email”/],
  ['of bad lines', 'id;email\n1;x\n2;y\n', /Line 2 \(1\): the e-mail is not an address.\nLine 3/],
  ['that is empty', '', /The file is empty/],
])('a file %s is told below its field, and nothing is saved', async (_, text, sentence) => {
  hands.upload('file', text)
  await hands.submit()
  await hands.seen('the reason', sentence)
  const blocks = hands.top().view.blocks as { block_id?: string; type: string }[]
  const field = blocks.findIndex(block => block.block_id === 'file')
  expect(readable(blocks[field + 1]), 'right below the field').toMatch(sentence)
  expect(await instance()).toBeUndefined()
})

test('a file that is not text is refused', async () => {
  const { id } = hands.person.upload({
    ...{ name: 'people.csv', mimetype: 'text/csv' },
    bytes: Buffer.from([0xff, 0xfe, 0x69, 0x00]),
  })
  hands.type('file', { files: [id] })
  await hands.submit()
  await hands.seen('the reason', /not text in UTF-8/)
})

test('a good one is connected, with the lines named that are left out, and its people are reported', async () => {
  hands.upload('file', file(0, 300, `x1;nobody;Bad;active;${canary}\r\n`))
  await hands.submit()
  await hands.seen('the confirmation', /is connected/)
  expect(hands.shown()).toMatch(/One line cannot be read.*\nLine 2 \(x1\): the e-mail is not an address./)
  await until('300 users', async () => (await users()) === 300 && (await quiet()))
  expect(await instance()).toMatchObject({ last_outcome: 'partial', status: 'live', tenant_name: null })
  const [problem] = await rows('select * from account_problem')
  expect(problem).toMatchObject({ external_id: 'x1', message: 'Line 2: the e-mail is not an address.' })
})

test('the same file is noticed when it is connected again', async () => {
  await hands.leave()
  await hands.say('connect csv')
  await hands.seen('the form', /at most 5 MB/)
  hands.upload('file', file(0, 300, `x1;nobody;Bad;active;${canary}\r\n`))
  await hands.submit()
  await hands.seen('the twin', /connected already/)
  expect(hands.shown()).toMatch(/Choose the file once more/)
})

test('Edit Instance without a file keeps the present one', async () => {
  await hands.leave()
  const before = await instance()
  await hands.say('manage csv')
  await hands.seen('Edit Instance', /Leave blank to keep the present one/)
  hands.type('name', { value: 'csv' })
  await hands.submit()
  expect(await instance()).toMatchObject({ sealed: before?.sealed })
})

test('a new file in which some left is synced at once, and they are removed', async () => {
  await edit(file(10, 300))
  await hands.seen('the update', /file is read, and the instance is updated/)
  await until('290 users', async () => (await users()) === 290 && (await quiet()))
  expect(await instance()).toMatchObject({ last_outcome: 'succeeded' })
})

test('a new file that cannot be read changes nothing', async () => {
  const before = await instance()
  await edit('id,id\n1,2\n')
  await hands.seen('the reason', /two columns “id”/)
  expect(await instance()).toMatchObject({ sealed: before?.sealed, version: before?.version })
})

test('another heading is read from the file that is kept: it need not be uploaded again', async () => {
  await hands.leave()
  await hands.say('manage csv')
  await hands.seen('Edit Instance', /Sync every/)
  hands.type('licencesColumn', { value: 'Status' })
  await hands.submit()
  await hands.seen('the update', /file is read/)
  await until('the sync', quiet)
  expect((await rows('select distinct licences from account where gone_at is null'))[0]).toEqual({
    licences: ['active'],
  })
})

test('a new file in which half left is held by the guard, and nobody is removed', async () => {
  await edit(file(150, 300))
  await hands.seen('the update', /file is read/)
  await until('the sync', quiet)
  expect(await users()).toBe(290)
  const posts = hands.person.state().channels.flatMap(channel => channel.messages)
  expect(posts.some(post => /140 users of 290/.test(JSON.stringify(post.blocks)))).toBe(true)
})

test('without files:read the person is told which scope is missing', async () => {
  const other = await startWorld({ scopes: scopes.filter(scope => scope !== 'files:read') })
  try {
    const ada = handsOf(other, 'Ada')
    await ada.say('connect csv')
    await ada.seen('the form', /at most 5 MB/)
    ada.upload('file', file(0, 3))
    await ada.submit()
    await ada.seen('the reason', /install saasm again with the scope files:read/)
  } finally {
    await other.close()
  }
})

test('the file’s content is in no Slack payload of ours, no log line and no table', async () => {
  const { slack, mailbox } = world.sandbox
  const places: Record<string, string> = {
    log: lines.join(''),
    'Slack calls': JSON.stringify(slack.journal),
    mails: JSON.stringify(mailbox.mails),
  }
  const tables = await rows(
    "select quote_ident(schemaname) || '.' || quote_ident(tablename) as name from pg_tables where schemaname not in ('pg_catalog', 'information_schema')",
  )
  for (const { name } of tables)
    places[name] = (await rows(`select t::text as row from ${name} t`)).map(({ row }) => row).join('\n')
  expect(Object.keys(places).length).toBeGreaterThan(15)
  expect(leaksIn(places, [canary, line(20)])).toEqual([])
})
