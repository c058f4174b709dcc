// The applications whose SCIM address is known: where each is asked, and what the form wants for it.
import { afterEach, beforeEach, expect, test } from 'vitest'
import { readCredentials } from '../../src/connectors/connector.ts'
import { createEngine, type Engine } from '../../src/connectors/engine.ts'
import { scim } from '../../src/connectors/scim/scim.ts'
import { scimPresets } from '../../src/connectors/scim-presets.ts'
import { silentLog } from '../../src/lib/log.ts'
import { listAll, swiftClock } from './served.ts'

let engine: Engine
const asked: { url: string; proof: string }[] = []

beforeEach(() => {
  asked.length = 0
  engine = createEngine({
    clock: swiftClock(),
    log: silentLog,
    allowPrivateNetwork: false,
    http: {
      async request({ url, headers }) {
        asked.push({ url, proof: headers.authorization ?? '' })
        const text = JSON.stringify({
          totalResults: 1,
          Resources: [{ id: 'u1', userName: 'a@acme.example' }],
        })
        return { status: 200, headers: {}, text }
      },
      async close() {},
    },
  })
})
afterEach(() => engine.close())

const blank = { app: '', part: '', address: '', user: '', token: 't' }

test.each(Object.entries(scimPresets))('%s is asked at its own address', async (app, preset) => {
  const given = { ...blank, app, part: preset.part ? 'own.example' : '', user: preset.basic ? 'me' : '' }
  const read = readCredentials(scim, given)
  expect(read).toMatchObject({ ok: true })
  const listed = await listAll(engine, scim, given)
  expect(listed.accounts.map(one => one.externalId)).toEqual(['u1'])
  const users = `https://${preset.address.replace('{part}', 'own.example')}${preset.path ?? '/Users'}`
  expect(new Set(asked.map(({ url }) => url.split('?')[0]))).toEqual(new Set([users]))
  for (const { proof } of asked) expect(proof).toMatch(preset.basic ? /^Basic / : /^Bearer t$/)
})

test.each([
  ['trello', '', 'https://trello.com/scim/v2/users'],
  ['keeper', '123', 'https://keepersecurity.com/api/rest/scim/v2/123/Users'],
  ['loom', 'www.loom.com', 'https://www.loom.com/scim/Users'],
  ['asana', '', 'https://app.asana.com/api/1.0/scim/Users'],
])('%s is found by its odd address', async (app, part, users) => {
  await listAll(engine, scim, { ...blank, app, part })
  expect(asked[0]?.url).toBe(`${users}?startIndex=1&count=1`)
})

test.each([
  { given: {}, problems: { address: 'Choose the application, or give its SCIM base address.' } },
  { given: { app: 'keeper' }, problems: { part: 'Give the node ID.' } },
  { given: { app: 'guru' }, problems: { user: 'Guru wants a user name.' } },
  {
    given: { app: 'asana', address: 'scim.example.com' },
    problems: { address: 'Leave the address blank for Asana.' },
  },
  { given: { app: 'nobody', address: 'scim.example.com' }, problems: { app: 'Choose the application.' } },
])('$given is refused in a sentence', ({ given, problems }) => {
  expect(readCredentials(scim, { ...blank, ...given })).toEqual({ ok: false, problems })
})

test('an instance from before there was a list of applications is read as it was', async () => {
  await listAll(engine, scim, { address: 'https://app.example.com/scim/v2', user: '', token: 't' })
  expect(asked[0]?.url).toBe('https://app.example.com/scim/v2/Users?startIndex=1&count=1')
})
