// Which application to connect: chosen from a list of all, named in words, or guessed; and every form is one that Slack takes.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { namesOf } from '../../src/chat/connect-choice.ts'
import { fieldsOf } from '../../src/connectors/connector.ts'
import { connectors } from '../../src/connectors/registry.ts'
import { startWorld, until, type World } from '../support/world.ts'
import { handsOf } from './hands.ts'

let world: World
let hands: ReturnType<typeof handsOf>

beforeAll(async () => {
  world = await startWorld()
  hands = handsOf(world, 'Ada')
})
afterAll(() => world.close())

interface Choosing {
  elements?: { type: string; action_id: string; options?: { value: string; text: { text: string } }[] }[]
}
const choosing = () => (hands.top().view.blocks as Choosing[]).flatMap(block => block.elements ?? [])

test('all applications stand in one list, and choosing one opens its form in the same window', async () => {
  await hands.say('connect')
  await hands.seen('the choice', /Which application/)
  const list = choosing().find(one => one.type === 'static_select')
  expect(list?.options?.map(one => one.value)).toEqual(connectors.map(one => one.id))
  await hands.press('connect:chosen', { selectedOption: 'zoom' })
  await hands.seen('the form', /Account ID/)
  expect(hands.person.state().views).toHaveLength(1)
})

test('a word that several names hold offers those, and one that is misspelt the nearest', async () => {
  await hands.say('connect sl')
  await hands.seen('the choice', /Which “sl”/)
  expect(choosing().filter(one => one.type === 'button')).toHaveLength(2)
  await hands.say('connect zomm')
  await hands.seen('the nearest', /cannot connect “zomm” yet. Did you mean/)
  await hands.press('connect:0')
  await hands.seen('the form', /Account ID/)
})

test('one that is meant is spoken of as one, be it an application or a command', async () => {
  await hands.say('connect oktaa')
  await hands.seen('the one', /cannot connect “oktaa” yet\. Did you mean this one\?/)
  await hands.leave()
  const before = hands.heard().length
  await hands.say('historyy')
  expect(await hands.told(before, /historyy/)).toMatch(/Did you mean this one\?/)
})

test('an organisation that GitHub does not know is named at its field, once it was looked for', async () => {
  await hands.say('connect github')
  await hands.seen('the form', /Organisation/)
  const { token, fields } = world.sandbox.vendors.github
  for (const [key, value] of Object.entries(fields(`${world.sandbox.url}/vendors/github`)))
    hands.type(key, { value })
  hands.type('organisation', { value: 'acme-who' })
  hands.type('token', { value: token() })
  await hands.submit()
  await hands.seen('the refusal', /GitHub knows no organisation “acme-who”/)
  await hands.leave()
})

test.each(connectors.map(one => one.id))(
  'the form of %s is one that Slack takes, with all its fields',
  async id => {
    const connector = connectors.find(one => one.id === id)
    await hands.say(`connect ${id}`)
    const labels = connector ? fieldsOf(connector).map(({ label }) => label) : []
    const drawn = () => hands.person.state().views.length > 0 && String(hands.top().view.private_metadata)
    await until(`the form of ${id}`, () => drawn() && JSON.parse(drawn() || '{}').connector === id)
    for (const label of labels) expect(hands.shown()).toContain(label)
  },
)

test('the menu is in the order of the names, and a hundred fit into it', () => {
  const names = connectors.map(one => one.name)
  expect(names).toEqual(names.toSorted((a, b) => a.localeCompare(b)))
  expect(connectors.length).toBeLessThanOrEqual(100)
})

test('a long list of names is cut, with the number of the others', () => {
  const names = connectors.slice(0, 2).map(one => one.name)
  expect(namesOf(connectors, 2)).toBe(`${names.join(', ')} and ${connectors.length - 2} more`)
  expect(namesOf(connectors.slice(0, 2), 2)).toBe(names.join(', '))
})
