// Every size that Slack documents: the largest accepted value passes, one more is refused by name, with a pointer to it.
import { describe, expect, test } from 'vitest'
import { checkMessageBlocks, checkView } from '../../src/sandbox/slack/blocks.ts'
import { limits } from '../../src/sandbox/slack/limits.ts'

const plain = (text: string) => ({ type: 'plain_text', text })
const mrkdwn = (text: string) => ({ type: 'mrkdwn', text })
// A letter of two UTF-16 units: sizes are counted in code points.
const letters = (count: number) => '𝒂'.repeat(count)
const list = <T>(count: number, make: (at: number) => T) => Array.from({ length: count }, (_, at) => make(at))
const option = (at: number) => ({ text: plain(`Option ${at}`), value: `v${at}` })
const button = (more: object = {}) => ({ type: 'button', action_id: 'a', text: plain('Press'), ...more })
const section = (more: object = {}) => ({ type: 'section', text: plain('Text'), ...more })
const actions = (...elements: object[]) => ({ type: 'actions', elements })
const input = (element: object, more: object = {}) => ({
  type: 'input',
  label: plain('Label'),
  element,
  ...more,
})
const textInput = (more: object = {}) => ({ type: 'plain_text_input', ...more })
const modal = (blocks: object[], more: object = {}) => ({
  type: 'modal',
  title: plain('Title'),
  submit: plain('Send'),
  blocks,
  ...more,
})
const home = (blocks: object[]) => ({ type: 'home', blocks })
const confirm = (more: object = {}) => ({
  title: plain('Sure?'),
  text: plain('Really'),
  confirm: plain('Yes'),
  deny: plain('No'),
  ...more,
})

const inModal = (of: (size: number) => object) => (size: number) => checkView(modal([of(size)]), 'modal')
const inMessage = (of: (size: number) => object) => (size: number) => checkMessageBlocks([of(size)])

/** What, the largest size, how it is checked with a size, where the pointer goes. */
const table: [what: string, max: number, check: (size: number) => string[], pointer: RegExp][] = [
  ['blocks of a message', 50, size => checkMessageBlocks(list(size, () => section())), /\/blocks\]/],
  [
    'blocks of a modal',
    100,
    size => checkView(modal(list(size, () => section())), 'modal'),
    /\/view\/blocks\]/,
  ],
  ['blocks of a Home', 100, size => checkView(home(list(size, () => section())), 'home'), /\/view\/blocks\]/],
  [
    'a modal’s title',
    24,
    size => checkView(modal([section()], { title: plain(letters(size)) }), 'modal'),
    /\/view\/title\/text/,
  ],
  [
    'a modal’s submit',
    24,
    size => checkView(modal([section()], { submit: plain(letters(size)) }), 'modal'),
    /\/view\/submit\/text/,
  ],
  [
    'a modal’s close',
    24,
    size => checkView(modal([section()], { close: plain(letters(size)) }), 'modal'),
    /\/view\/close\/text/,
  ],
  [
    'private metadata',
    3000,
    size => checkView(modal([section()], { private_metadata: letters(size) }), 'modal'),
    /private_metadata/,
  ],
  [
    'a callback id',
    255,
    size => checkView(modal([section()], { callback_id: letters(size) }), 'modal'),
    /callback_id/,
  ],
  [
    'an external id',
    255,
    size => checkView(modal([section()], { external_id: letters(size) }), 'modal'),
    /external_id/,
  ],
  ['a block id', 255, inMessage(size => section({ block_id: letters(size) })), /\/blocks\/0\/block_id/],
  [
    'an action id',
    255,
    inMessage(size => actions(button({ action_id: letters(size) }))),
    /\/elements\/0\/action_id/,
  ],
  [
    'a section’s text',
    3000,
    inMessage(size => section({ text: mrkdwn(letters(size)) })),
    /\/blocks\/0\/text\/text/,
  ],
  [
    'a section’s fields',
    10,
    inMessage(size => section({ fields: list(size, () => plain('Field')) })),
    /\/fields/,
  ],
  [
    'a section’s field',
    2000,
    inMessage(size => section({ fields: [plain(letters(size))] })),
    /\/fields\/0\/text/,
  ],
  ['a header', 150, inMessage(size => ({ type: 'header', text: plain(letters(size)) })), /\/text\/text/],
  [
    'the elements of a context',
    10,
    inMessage(size => ({ type: 'context', elements: list(size, () => mrkdwn('Text')) })),
    /\/elements/,
  ],
  [
    'the elements of actions',
    25,
    inMessage(size => actions(...list(size, at => button({ action_id: `a${at}` })))),
    /\/elements/,
  ],
  ['a label', 2000, inModal(size => input(textInput(), { label: plain(letters(size)) })), /\/label\/text/],
  ['a hint', 2000, inModal(size => input(textInput(), { hint: plain(letters(size)) })), /\/hint\/text/],
  [
    'a placeholder',
    150,
    inModal(size => input(textInput({ placeholder: plain(letters(size)) }))),
    /\/placeholder\/text/,
  ],
  ['max_length', 3000, inModal(size => input(textInput({ max_length: size }))), /\/max_length/],
  [
    'an initial value',
    3000,
    inModal(size => input(textInput({ initial_value: letters(size) }))),
    /\/initial_value/,
  ],
  ['a button’s text', 75, inMessage(size => actions(button({ text: plain(letters(size)) }))), /\/text\/text/],
  ['a button’s value', 2000, inMessage(size => actions(button({ value: letters(size) }))), /\/value/],
  ['a button’s url', 3000, inMessage(size => actions(button({ url: letters(size) }))), /\/url/],
  [
    'an accessibility label',
    75,
    inMessage(size => actions(button({ accessibility_label: letters(size) }))),
    /accessibility_label/,
  ],
  [
    'an option’s text',
    75,
    inModal(size => input({ type: 'static_select', options: [{ text: plain(letters(size)), value: 'v' }] })),
    /\/options\/0\/text/,
  ],
  [
    'an option’s value',
    75,
    inModal(size => input({ type: 'static_select', options: [{ text: plain('O'), value: letters(size) }] })),
    /\/options\/0\/value/,
  ],
  [
    'an option’s description',
    75,
    inModal(size =>
      input({ type: 'radio_buttons', options: [{ ...option(0), description: plain(letters(size)) }] }),
    ),
    /description/,
  ],
  [
    'the options of a select',
    100,
    inModal(size => input({ type: 'static_select', options: list(size, option) })),
    /\/options/,
  ],
  [
    'the groups of a select',
    100,
    inModal(size =>
      input({
        type: 'static_select',
        option_groups: list(size, at => ({ label: plain('G'), options: [option(at)] })),
      }),
    ),
    /option_groups/,
  ],
  [
    'a group’s label',
    75,
    inModal(size =>
      input({
        type: 'static_select',
        option_groups: [{ label: plain(letters(size)), options: [option(0)] }],
      }),
    ),
    /label/,
  ],
  [
    'checkboxes',
    10,
    inModal(size => input({ type: 'checkboxes', options: list(size, option) })),
    /\/options/,
  ],
  [
    'radio buttons',
    10,
    inModal(size => input({ type: 'radio_buttons', options: list(size, option) })),
    /\/options/,
  ],
  [
    'an overflow menu',
    5,
    inMessage(size => actions({ type: 'overflow', options: list(size, option) })),
    /\/options/,
  ],
  [
    'a confirm’s title',
    100,
    inMessage(size => actions(button({ confirm: confirm({ title: plain(letters(size)) }) }))),
    /confirm\/title/,
  ],
  [
    'a confirm’s text',
    300,
    inMessage(size => actions(button({ confirm: confirm({ text: plain(letters(size)) }) }))),
    /confirm\/text/,
  ],
  [
    'a confirm’s button',
    30,
    inMessage(size => actions(button({ confirm: confirm({ confirm: plain(letters(size)) }) }))),
    /confirm\/confirm/,
  ],
  [
    'an alternative text',
    2000,
    inMessage(size => ({ type: 'image', image_url: 'https://a.b', alt_text: letters(size) })),
    /alt_text/,
  ],
  [
    'an image’s url',
    3000,
    inMessage(size => ({ type: 'image', image_url: letters(size), alt_text: 'A' })),
    /image_url/,
  ],
  [
    'an image’s title',
    2000,
    inMessage(size => ({
      type: 'image',
      image_url: 'https://a.b',
      alt_text: 'A',
      title: plain(letters(size)),
    })),
    /title/,
  ],
  ['an alert', 200, inModal(size => ({ type: 'alert', text: plain(letters(size)) })), /\/text\/text/],
  [
    'the rows of a table',
    100,
    inMessage(size => ({ type: 'table', rows: list(size, () => [{ type: 'raw_text', text: 'x' }]) })),
    /\/rows/,
  ],
  [
    'the cells of a row',
    20,
    inMessage(size => ({ type: 'table', rows: [list(size, () => ({ type: 'raw_text', text: 'x' }))] })),
    /\/rows\/0/,
  ],
]

test.each(table)('%s: %i passes, one more is refused', (_what, max, check, pointer) => {
  expect(check(max)).toEqual([])
  const refused = check(max + 1)
  expect(refused.length).toBeGreaterThan(0)
  expect(refused.join('\n')).toMatch(/^\[ERROR\] .*\[json-pointer:/m)
  expect(refused.join('\n')).toMatch(pointer)
})

test('the table has every size of a block, element or view that the stand-in knows', () => {
  const elsewhere = [
    'viewBytesMax',
    'postTextMax',
    'updateTextMax',
    'metadataBytesMax',
    'viewStackMax',
    'triggerMs',
    'acknowledgeMs',
    'responseUrlUses',
    'responseUrlMs',
    'tableTextMax',
  ]
  const sizes = Object.entries(limits).filter(([name]) => !elsewhere.includes(name))
  for (const [name, size] of sizes)
    expect(
      table.map(row => row[1]),
      name,
    ).toContain(size)
})

describe('what is not known, or stands where it may not, is refused and never ignored', () => {
  const refusals: [what: string, problems: string[]][] = [
    ['an unknown block', checkMessageBlocks([{ type: 'sparkline' }])],
    ['an unknown field of a block', checkMessageBlocks([section({ colour: 'red' })])],
    ['an unknown field of an element', checkMessageBlocks([actions(button({ colour: 'red' }))])],
    ['an unknown field of a view', checkView(modal([section()], { colour: 'red' }), 'modal')],
    ['an unknown element', checkMessageBlocks([actions({ type: 'slider' })])],
    ['an alert in a message', checkMessageBlocks([{ type: 'alert', text: plain('A') }])],
    ['an alert on Home', checkView(home([{ type: 'alert', text: plain('A') }]), 'home')],
    [
      'a table in a modal',
      checkView(modal([{ type: 'table', rows: [[{ type: 'raw_text', text: 'x' }]] }]), 'modal'),
    ],
    [
      'two tables in a message',
      checkMessageBlocks(list(2, () => ({ type: 'table', rows: [[{ type: 'raw_text', text: 'x' }]] }))),
    ],
    ['an e-mail input in a message', checkMessageBlocks([input({ type: 'email_text_input' })])],
    ['a file input on Home', checkView(home([input({ type: 'file_input' })]), 'home')],
    ['a typed input as an action', checkMessageBlocks([actions(textInput())])],
    ['a block id twice', checkMessageBlocks([section({ block_id: 'b' }), section({ block_id: 'b' })])],
    ['an action id twice in a block', checkMessageBlocks([actions(button(), button())])],
    [
      'an input without a submit',
      checkView({ type: 'modal', title: plain('T'), blocks: [input(textInput())] }, 'modal'),
    ],
    ['a view without blocks', checkView(modal([]), 'modal')],
    ['a section without text and fields', checkMessageBlocks([{ type: 'section' }])],
    ['an empty text', checkMessageBlocks([section({ text: plain('') })])],
    [
      'options and option groups at once',
      checkView(
        modal([
          input({
            type: 'static_select',
            options: [option(0)],
            option_groups: [{ label: plain('G'), options: [option(1)] }],
          }),
        ]),
        'modal',
      ),
    ],
    ['neither options nor option groups', checkView(modal([input({ type: 'static_select' })]), 'modal')],
    [
      'two options of one value',
      checkView(modal([input({ type: 'static_select', options: [option(0), option(0)] })]), 'modal'),
    ],
    [
      'an initial option that is not offered',
      checkView(
        modal([input({ type: 'radio_buttons', options: [option(0)], initial_option: option(1) })]),
        'modal',
      ),
    ],
    [
      'an empty list of initial options',
      checkView(modal([input({ type: 'checkboxes', options: [option(0)], initial_options: [] })]), 'modal'),
    ],
    ['two focuses', checkView(modal(list(2, () => input(textInput({ focus_on_load: true })))), 'modal')],
    [
      'a picture without an alternative text',
      checkMessageBlocks([{ type: 'image', image_url: 'https://a.b' }]),
    ],
    ['mrkdwn where plain text is needed', checkMessageBlocks([{ type: 'header', text: mrkdwn('H') }])],
  ]
  test.each(refusals)('%s', (_what, problems) => {
    expect(problems.length).toBeGreaterThan(0)
    expect(problems[0]).toMatch(/json-pointer/)
  })
})
