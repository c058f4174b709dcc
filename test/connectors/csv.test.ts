// What a file of people may look like: each way to write one is read, each bad line is named by its number, nothing is guessed.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Credentials, fieldsOf, readCredentials } from '../../src/connectors/connector.ts'
import { csv } from '../../src/connectors/csv/csv.ts'
import { readFile } from '../../src/connectors/csv/schema.ts'
import { connectors } from '../../src/connectors/registry.ts'
import { turnsDuring } from '../support/turns.ts'
import { engineOn, listAll, refusal, swiftClock } from './served.ts'

const engine = engineOn(swiftClock())
const given = (file: string, columns: Credentials = {}): Credentials => ({
  ...Object.fromEntries(fieldsOf(csv).map(({ key }) => [key, ''])),
  ...columns,
  file,
})
const read = async (file: string, columns?: Credentials) => {
  const { accounts, pages, end } = await listAll(engine, csv, given(file, columns))
  return { accounts, problems: pages.flatMap(page => page.problems), end }
}
const verify = (file: string, columns?: Credentials) =>
  engine.verify(csv, given(file, columns), { timeoutMs: 10_000 })
/** Lines that can be read, so that a bad one is not half of them. */
const good = (from: number, count: number) =>
  Array.from({ length: count }, (_, n) => `${from + n},p${from + n}@a.example`).join('\n')

test('the template in the form is read without a word', async () => {
  const { accounts, end } = await read(csv.template ?? '')
  expect(end).toEqual({ complete: true, warnings: [] })
  expect(accounts).toEqual([
    {
      externalId: '1001',
      email: 'grace@example.com',
      name: 'Grace Hopper',
      status: 'active',
      kind: 'human',
      roles: ['Owner', 'Editor'],
      admin: true,
      licences: ['Pro'],
      mfa: true,
      lastActiveAt: new Date('2026-11-20'),
      createdAt: new Date('2024-03-01'),
    },
    expect.objectContaining({ externalId: '1002', status: 'invited', lastActiveAt: null, admin: false }),
  ])
  expect((await verify(csv.template ?? '')).notice).toBeUndefined()
})

test.each([
  ['a byte order mark', '\ufeffid,email\n1,a@b.example\n'],
  ['CRLF', 'id,email\r\n1,a@b.example\r\n'],
  ['old line ends', 'id,email\r1,a@b.example\r'],
  ['no line end at the end', 'id,email\n1,a@b.example'],
  ['semicolons', 'id;email\n1;a@b.example\n'],
  ['tabs, and empty cells at both ends', 'name\tid\temail\tnote\n\t1\ta@b.example\t\n'],
  ['quotes around everything', '"id","email"\n"1","a@b.example"\n'],
  ['commas in a quoted heading', '"id, as it was";id;email\n;1;a@b.example\n'],
  ['spaces around the cells', ' id , email \n 1 , a@b.example \n'],
  ['blank lines', 'id,email\n\n1,a@b.example\n\n,\n'],
  ['other letters', 'E-Mail Address,USER ID\na@b.example,1\n'],
])('a file with %s is read', async (_, file) => {
  const { accounts, problems } = await read(file)
  expect(problems).toEqual([])
  expect(accounts).toMatchObject([{ externalId: '1', email: 'a@b.example', name: null, status: 'active' }])
})

test('first and last name make a name; the address is the id where there is none, in whatever letters', async () => {
  const { accounts } = await read('Email,First Name,Last Name\nGrace@B.Example,Grace,Hopper\n')
  expect(accounts).toMatchObject([
    { externalId: 'grace@b.example', email: 'Grace@B.Example', name: 'Grace Hopper' },
  ])
})

test.each([
  ['active', 'active'],
  ['TRUE', 'active'],
  ['Pending', 'invited'],
  ['locked_out', 'suspended'],
  ['Disabled', 'deactivated'],
  ['0', 'deactivated'],
])('the status %s is %s', async (word, status) => {
  expect((await read(`id,status\n1,${word}\n`)).accounts[0]?.status).toBe(status)
})

test('a heading that is named in the form is used, and one that is not there is told at its field', async () => {
  const file = 'Kennung;Adresse;Name\n1;a@b.example;Grace\n'
  expect((await read(file, { idColumn: 'kennung', emailColumn: 'Adresse' })).accounts).toMatchObject([
    { externalId: '1', email: 'a@b.example', name: 'Grace' },
  ])
  expect(await refusal(verify(file, { idColumn: 'Kennung', emailColumn: 'Anschrift' }))).toMatchObject({
    problem: 'settings',
    field: 'emailColumn',
  })
})

test.each([
  ['without a column of ids or addresses', 'who,what\n1,2\n', /Line 1 must be a heading with a column “id”/],
  ['without a heading', '1,a@b.example\n2,b@b.example\n', /Line 1 must be a heading/],
  ['with a heading twice', 'id,email,E-Mail\n1,a@b.example,c@d.example\n', /two columns “E-Mail”/],
  ['with two headings of one meaning', 'id,email,mail\n1,,\n', /“email” and “mail” mean the same/],
  ['with nobody', 'id,email\n\n', /nobody below/],
  ['of blank lines', '\n\n', /is empty/],
  ['with an open quote', 'id,email\n1,a@b.example\n2,"open\n', /Line \d+: a quotation mark is opened/],
  ['with a stray quote', 'id,email\n1,a@b.example\n2,a"b\n', /Line 3 cannot be read as CSV/],
  [
    'of bad lines',
    'id,email\n1,x\n2,y\n3,c@d.example\n',
    /Line 2 \(1\): the e-mail is not an address.\nLine 3/,
  ],
  [
    'with too many lines',
    `id\n${Array.from({ length: 50_001 }, (_, n) => n + 1).join('\n')}\n`,
    /more than 50,000 lines/,
  ],
])('a file %s is refused at its field, and nothing of it is read', async (_, file, sentence) => {
  for (const error of [await refusal(verify(file)), await refusal(read(file))]) {
    expect(error).toMatchObject({ problem: 'settings', field: 'file' })
    expect(error.message).toMatch(sentence)
  }
})

test('bad lines are problems by number and id, everybody else is in, and the stream is not complete', async () => {
  const file = [
    'id,email,status,last_active,admin,name',
    '1,a@b.example,active,,,',
    ',x@b.example,active,,,',
    '3,c@b.example,gone fishing,,,',
    '1,d@b.example,active,,,',
    '5,e@b.example,active,03/04/2026,,',
    '6,f@b.example,active,,maybe,',
    '7,g@b.example,active,,,"two\nlines"',
    '8,no address,active,,,',
    '9,i@b.example,active,,,,more',
    '10,j@b.example,active,,',
    ...Array.from({ length: 9 }, (_, n) => `2${n},k${n}@b.example,active,,,`),
  ].join('\n')
  const { accounts, problems, end } = await read(file)
  expect(end.complete).toBe(false)
  expect(accounts.map(one => one.externalId).slice(0, 3)).toEqual(['1', '7', '10'])
  expect(problems).toEqual([
    { externalId: null, message: 'Line 3: there is no id.' },
    { externalId: '3', message: 'Line 4: the status is none of active, invited, suspended, deactivated.' },
    { externalId: '1', message: 'Line 5: the id is the one of line 2 again.' },
    { externalId: '5', message: 'Line 6: a date does not look like 2026-11-25.' },
    { externalId: '6', message: 'Line 7: admin and MFA are yes or no.' },
    { externalId: '8', message: 'Line 10: the e-mail is not an address.' },
    { externalId: '9', message: 'Line 11: it has more cells than the heading.' },
  ])
  expect((await verify(file)).notice).toMatch(/^7 lines cannot be read.*\nLine 3: there is no id\.\n/)
})

test('the first ten bad lines are named, with the number of the others', async () => {
  const bad = Array.from({ length: 13 }, (_, n) => `b${n},x`).join('\n')
  const { notice } = await verify(`id,email\n${bad}\n${good(1, 20)}\n`)
  expect(notice?.split('\n')).toHaveLength(12)
  expect(notice).toMatch(/Line 11 \(b9\): the e-mail is not an address.\nand 3 more$/)
})

test('the number of a line is right after cells of several lines, and after blank ones', async () => {
  const { problems } = await read('id,name\n1,"a\nb\nc"\n\n2,"d\ne"\n,"f\ng"\n3,h\n')
  expect(problems).toEqual([{ externalId: null, message: 'Line 8: there is no id.' }])
})

test('whatever stands in the cells comes back as it was written', async () => {
  const cell = fc
    .array(fc.constantFrom('a', 'é', '"', ',', ';', '\t', '\n', '\r\n', ' ', '👩‍💻', '=1+1'), {
      maxLength: 12,
    })
    .map(parts => parts.join(''))
  const mark = fc.constantFrom(',', ';', '\t')
  const end = fc.constantFrom('\n', '\r\n', '\r')
  await fc.assert(
    fc.asyncProperty(fc.array(cell, { minLength: 1, maxLength: 8 }), mark, end, async (names, by, ends) => {
      const quoted = (text: string) => `"${text.replaceAll('"', '""')}"`
      const lines = names.map((name, n) => [`${n}`, quoted(name)].join(by))
      const { accounts, problems } = await read([['id', 'name'].join(by), ...lines].join(ends))
      expect(problems).toEqual([])
      expect(accounts.map(one => one.name)).toEqual(names.map(name => name.normalize('NFC').trim() || null))
    }),
    { numRuns: 300 },
  )
})

const largest = () => {
  const people = Array.from(
    { length: 50_000 },
    (_, n) => `${n},p${n}@acme.example,"Person ${n}",${'x'.repeat(50)}`,
  )
  return `id,email,name,note\n${people.join('\n')}\n`
}

test('the event loop has its turns while the largest file is read', async () => {
  const { longest } = await turnsDuring(readFile(given(largest())))
  expect(longest, 'share of the time').toBeLessThan(0.2)
})

test('the largest file is read once a stream and not once a page', async () => {
  const file = largest()
  expect(readCredentials(csv, given(file))).toMatchObject({ ok: true })
  const before = process.cpuUsage()
  const { accounts } = await read(file)
  const { user, system } = process.cpuUsage(before)
  expect(accounts).toHaveLength(50_000)
  // Some 0.6 s; read again for each of 250 pages it would be more than a minute.
  expect((user + system) / 1_000).toBeLessThan(6_000)
})

test('one file twice is one tenant, another is another', async () => {
  const [one, again, other] = [await verify('id\n1\n'), await verify('id\n1\n'), await verify('id\n2\n')]
  expect(one.tenantKey).toBe(again.tenantKey)
  expect(one.tenantKey).not.toBe(other.tenantKey)
})

test('a file is never a setting that is shown', () => {
  const files = connectors.flatMap(one => fieldsOf(one).filter(field => field.file))
  expect(files.length).toBeGreaterThan(0)
  for (const field of files) expect(field.secret).toBe(true)
})
