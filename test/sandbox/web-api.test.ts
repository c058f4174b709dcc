// The stand-in's three doors refuse what Slack refuses: tokens, scopes, triggers, updates, rates, late answers, used addresses.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { appToken, type Served, serveSlack } from './served.ts'

let served: Served
beforeAll(async () => {
  served = await serveSlack()
})
afterAll(() => served.stop())

const ada = () => served.slack.as('U0ADA')
const text = (words: string) => ({ type: 'plain_text', text: words })
const modal = (more: object = {}) => ({
  type: 'modal',
  title: text('Title'),
  blocks: [{ type: 'section', text: text('Hello') }],
  ...more,
})
const general = (person = ada()) =>
  person.state().channels.find(channel => channel.id === 'C0GENERAL')?.messages ?? []
async function trigger(): Promise<string> {
  await ada().command('C0GENERAL', '/saasm help')
  return String(served.delivered.at(-1)?.payload.trigger_id)
}

test.each([
  ['no token', 'auth.test', '', {}, 'not_authed'],
  ['a wrong token', 'auth.test', 'xoxb-wrong', {}, 'invalid_auth'],
  ['an app token where the bot’s is needed', 'auth.test', appToken, {}, 'not_allowed_token_type'],
  ['a method that is not there', 'chat.shout', undefined, {}, 'unknown_method'],
  [
    'an unknown channel',
    'chat.postMessage',
    undefined,
    { channel: 'C0NOWHERE', text: 'Hi' },
    'channel_not_found',
  ],
  ['a message of nothing', 'chat.postMessage', undefined, { channel: 'C0GENERAL' }, 'no_text'],
  [
    'a bad block',
    'chat.postMessage',
    undefined,
    { channel: 'C0GENERAL', text: 'Hi', blocks: [{ type: 'sparkline' }] },
    'invalid_blocks',
  ],
  [
    'a bad view',
    'views.publish',
    undefined,
    { user_id: 'U0ADA', view: { type: 'home', blocks: [{ type: 'alert' }] } },
    'invalid_arguments',
  ],
  [
    'a view above 250 kB',
    'views.publish',
    undefined,
    {
      user_id: 'U0ADA',
      view: { type: 'home', blocks: [{ type: 'section', text: text('x'.repeat(250_000)) }] },
    },
    'view_too_large',
  ],
  ['an unknown person', 'users.info', undefined, { user: 'U0NOBODY' }, 'user_not_found'],
  [
    'an unknown trigger',
    'views.open',
    undefined,
    { trigger_id: 'made.up', view: modal() },
    'invalid_trigger_id',
  ],
  ['a view that is closed', 'views.update', undefined, { view_id: 'V0GONE', view: modal() }, 'not_found'],
  [
    'the history of a direct message without im:history',
    'conversations.history',
    undefined,
    { channel: 'D0ADA' },
    'missing_scope',
  ],
  [
    'bad metadata',
    'chat.postMessage',
    undefined,
    { channel: 'C0GENERAL', text: 'Hi', metadata: { event_type: 'x' } },
    'invalid_metadata_format',
  ],
  [
    'metadata above its size',
    'chat.postMessage',
    undefined,
    {
      channel: 'C0GENERAL',
      text: 'Hi',
      metadata: { event_type: 'x', event_payload: { a: 'y'.repeat(9_000) } },
    },
    'metadata_too_large',
  ],
])('%s: %s is refused', async (_what, method, token, args, error) => {
  ada()
  const answer = await served.call(method, args, token as string | undefined)
  expect(answer).toMatchObject({ ok: false, error })
})

test('each method needs its scope, and says which one is missing', async () => {
  const bare = await serveSlack({ scopes: ['commands'] })
  for (const [method, needed] of [
    ['chat.postMessage', 'chat:write'],
    ['users.info', 'users:read'],
    ['conversations.list', 'channels:read'],
    ['conversations.history', 'channels:history'],
    ['conversations.replies', 'channels:history'],
    ['usergroups.users.list', 'usergroups:read'],
  ] as const) {
    expect(await bare.call(method)).toMatchObject({
      ok: false,
      error: 'missing_scope',
      needed,
      provided: 'commands',
    })
  }
  await bare.stop()
  const noMail = await serveSlack({ scopes: ['users:read'] })
  const answer = await noMail.call('users.info', { user: 'U0ADA' })
  expect(answer.user).toMatchObject({ is_admin: true, is_owner: false, is_restricted: false, deleted: false })
  expect(JSON.stringify(answer), 'no address without users:read.email').not.toContain('@')
  await noMail.stop()
})

test('a trigger opens one view, once, within three seconds', async () => {
  const id = await trigger()
  expect(await served.call('views.open', { trigger_id: id, view: modal() })).toMatchObject({ ok: true })
  expect(await served.call('views.open', { trigger_id: id, view: modal() })).toMatchObject({
    error: 'exchanged_trigger_id',
  })
  const late = await trigger()
  served.clock.advance(3_001)
  expect(await served.call('views.open', { trigger_id: late, view: modal() })).toMatchObject({
    error: 'expired_trigger_id',
  })
})

test('an update with text alone removes the blocks and shows as edited; a foreign message and a long text are refused', async () => {
  const posted = await served.call('chat.postMessage', {
    channel: 'C0GENERAL',
    text: 'Before',
    blocks: [{ type: 'divider' }],
  })
  const at = { channel: 'C0GENERAL', ts: posted.ts }
  expect(
    await served.call('chat.update', { ...at, text: 'After', blocks: [{ type: 'header', text: text('H') }] }),
  ).toMatchObject({ ok: true })
  expect(general().at(-1)).toMatchObject({ text: 'After', edited: false })
  await served.call('chat.update', { ...at, text: 'Alone' })
  expect(general().at(-1)).toMatchObject({ text: 'Alone', blocks: [], edited: true })
  expect(await served.call('chat.update', at)).toMatchObject({ error: 'no_text' })
  expect(await served.call('chat.update', { ...at, text: 'x'.repeat(4_001) })).toMatchObject({
    error: 'msg_too_long',
  })
  await ada().command('C0GENERAL', 'My own words')
  const mine = general().at(-1)?.ts
  expect(await served.call('chat.update', { channel: 'C0GENERAL', ts: mine, text: 'Changed' })).toMatchObject(
    { error: 'cant_update_message' },
  )
})

test('a posted text above 40,000 is cut', async () => {
  await served.call('chat.postMessage', { channel: 'C0GENERAL', text: 'y'.repeat(40_001) })
  expect(general().at(-1)?.text).toHaveLength(40_000)
})

test('an ephemeral message is seen by its person only, and metadata is in the history only when asked for', async () => {
  await served.call('chat.postEphemeral', { channel: 'C0GENERAL', user: 'U0ADA', text: 'For Ada' })
  expect(general().at(-1)).toMatchObject({ text: 'For Ada', ephemeral: true })
  expect(general(served.slack.as('U0MAX')).some(message => message.text === 'For Ada')).toBe(false)
  await served.call('chat.postMessage', {
    channel: 'C0GENERAL',
    text: 'Marked',
    metadata: { event_type: 'x', event_payload: { key: 'k1' } },
  })
  const plain = await served.call('conversations.history', { channel: 'C0GENERAL' })
  const full = await served.call('conversations.history', {
    channel: 'C0GENERAL',
    include_all_metadata: true,
  })
  expect(JSON.stringify(plain.messages)).not.toContain('k1')
  expect(JSON.stringify(full.messages)).toContain('k1')
  expect(JSON.stringify(full.messages)).not.toContain('For Ada')
})

test('an archived channel, or one without the bot, is refused', async () => {
  const channel = served.slack.channel('general')
  channel.archived = true
  expect(await served.call('chat.postMessage', { channel: 'C0GENERAL', text: 'Hi' })).toMatchObject({
    error: 'is_archived',
  })
  channel.archived = false
  channel.members.delete('U0SAASM')
  expect(await served.call('chat.postMessage', { channel: 'C0GENERAL', text: 'Hi' })).toMatchObject({
    error: 'not_in_channel',
  })
  channel.members.add('U0SAASM')
})

test('a response address works five times within thirty minutes, and replaces what it came from', async () => {
  const respond = async (url: string, body: object) =>
    (await fetch(url, { method: 'POST', body: JSON.stringify(body) })).status
  await ada().command('C0GENERAL', '/saasm help')
  const url = String(served.delivered.at(-1)?.payload.response_url)
  for (let use = 1; use <= 5; use += 1) expect(await respond(url, { text: `Answer ${use}` })).toBe(200)
  expect(await respond(url, { text: 'Answer 6' })).toBe(404)
  expect(general().filter(message => message.ephemeral && /Answer/.test(message.text))).toHaveLength(5)
  await ada().command('C0GENERAL', '/saasm help')
  const late = String(served.delivered.at(-1)?.payload.response_url)
  served.clock.advance(30 * 60_000 + 1)
  expect(await respond(late, { text: 'Late' })).toBe(404)
  const posted = await served.call('chat.postMessage', {
    channel: 'C0GENERAL',
    text: 'With a button',
    blocks: [
      { type: 'actions', block_id: 'b', elements: [{ type: 'button', action_id: 'a', text: text('Press') }] },
    ],
  })
  await ada().act({ channelId: 'C0GENERAL', ts: String(posted.ts) }, { blockId: 'b', actionId: 'a' })
  await respond(String(served.delivered.at(-1)?.payload.response_url), {
    replace_original: true,
    text: 'Replaced',
  })
  expect(general().find(message => message.ts === posted.ts)?.text).toBe('Replaced')
})

test('a view_closed comes only where it was asked for: the view for Cancel, the root and is_cleared for X', async () => {
  const closed = () =>
    served.delivered
      .filter(one => one.payload.type === 'view_closed')
      .map(one => one.payload as { view: { id: string }; is_cleared: boolean })
  await served.call('views.open', { trigger_id: await trigger(), view: modal() })
  await ada().close(ada().state().views[0]?.id ?? '')
  expect(closed()).toHaveLength(0)
  const opened = await served.call('views.open', {
    trigger_id: await trigger(),
    view: modal({ notify_on_close: true }),
  })
  const rootId = (opened.view as { id: string }).id
  await served.call('views.push', { trigger_id: await trigger(), view: modal({ notify_on_close: true }) })
  await ada().close(ada().state().views[1]?.id ?? '')
  expect(closed().at(-1)).toMatchObject({ is_cleared: false })
  expect(closed().at(-1)?.view.id).not.toBe(rootId)
  await ada().close(rootId, true)
  expect(closed().at(-1)).toMatchObject({ is_cleared: true, view: { id: rootId } })
})

test('what the app does not acknowledge within three seconds, or answers wrongly, is shown as Slack would', async () => {
  served.answer({ afterMs: 3_200 })
  expect(await ada().command('C0GENERAL', '/saasm help')).toMatchObject({
    ok: false,
    failure: '/saasm failed with the error “operation_timeout”',
  })
  served.answer({ status: 500 })
  expect(await ada().command('C0GENERAL', '/saasm help')).toMatchObject({
    ok: false,
    failure: '/saasm failed with the error “http_status_500”',
  })
  await served.call('views.open', { trigger_id: await trigger(), view: modal({ submit: text('Send') }) })
  served.answer({ body: { response_action: 'errors', errors: { nowhere: 'No' } } })
  const viewId = ada().state().views[0]?.id ?? ''
  expect(await ada().submit(viewId)).toMatchObject({ ok: false })
  expect(ada().state().lastFailure).toMatch(/trouble connecting/)
  expect(ada().state().views, 'the window stays').toHaveLength(1)
  await ada().close(viewId, true)
})

test('an event that is not acknowledged comes again: at once, after a minute, after five more', async () => {
  const events = () => served.delivered.filter(one => one.payload.type === 'event_callback')
  for (let times = 0; times < 4; times += 1) served.answer({ status: 500 })
  await ada().openHome()
  expect(events().map(one => one.headers['x-slack-retry-num'])).toEqual([undefined, '1'])
  served.clock.advance(61_000)
  await expect.poll(() => events().length).toBe(3)
  served.clock.advance(301_000)
  await expect.poll(() => events().length).toBe(4)
  expect(events().at(-1)?.headers).toMatchObject({
    'x-slack-retry-num': '3',
    'x-slack-retry-reason': 'http_error',
  })
  expect(new Set(events().map(one => one.payload.event_id)).size).toBe(1)
})

test('faults are made on demand, each once: a lost answer is stored, a refusal is not', async () => {
  const posts = () => general().filter(message => /Fault/.test(message.text)).length
  const post = () => served.call('chat.postMessage', { channel: 'C0GENERAL', text: 'Fault' })
  served.slack.faults.next({ method: 'chat.postMessage', kind: 'lost-after-storing' })
  await expect(post()).rejects.toThrow()
  expect(posts()).toBe(1)
  served.slack.faults.next({ method: 'chat.postMessage', kind: 'rate-limited', retryAfterSeconds: 86_400 })
  expect(await post()).toMatchObject({ status: 429, retryAfter: '86400' })
  served.slack.faults.next({ kind: 'error', error: 'account_inactive' })
  expect(await post()).toMatchObject({ ok: false, error: 'account_inactive' })
  expect(posts()).toBe(1)
  expect(await post()).toMatchObject({ ok: true })
})

test('a fourth message within a second in one channel is rate limited, and another channel is not', async () => {
  const strict = await serveSlack({ enforceRates: true })
  const post = (channel: string) => strict.call('chat.postMessage', { channel, text: 'Hi' })
  for (let times = 0; times < 3; times += 1) expect(await post('C0GENERAL')).toMatchObject({ ok: true })
  const fourth = await post('C0GENERAL')
  expect(fourth).toMatchObject({ status: 429, error: 'ratelimited' })
  expect(Number(fourth.retryAfter)).toBeGreaterThan(0)
  expect(await post('C0SYNC')).toMatchObject({ ok: true })
  await strict.stop()
})

test('options that come too late or not at all are none; those that come can be chosen', async () => {
  const element = { type: 'external_select', action_id: 'a', min_query_length: 0 }
  const view = modal({
    submit: text('Send'),
    blocks: [{ type: 'input', block_id: 'b', label: text('L'), element }],
  })
  await served.call('views.open', { trigger_id: await trigger(), view })
  const viewId = ada().state().views[0]?.id ?? ''
  const load = () => ada().options({ viewId }, { blockId: 'b', actionId: 'a' }, 'x')
  served.answer({ status: 500 })
  expect(await load()).toEqual([])
  served.answer({ body: { options: [{ text: text('One'), value: '1' }] } })
  expect(await load()).toEqual([{ text: 'One', value: '1' }])
  expect(() => ada().type(viewId, 'b', { selectedOption: '2' })).toThrow(/does not offer/)
  ada().type(viewId, 'b', { selectedOption: '1' })
  await ada().submit(viewId)
  const submitted = served.delivered.at(-1)?.payload.view
  expect(JSON.stringify(submitted)).toContain(
    '"selected_option":{"text":{"type":"plain_text","text":"One"},"value":"1"}',
  )
})

test('a file that is put in reaches the app as a file it may download with its token and files:read', async () => {
  const files = await serveSlack({ scopes: ['commands', 'files:read'] })
  const person = files.slack.as('U0ADA')
  await person.command('C0GENERAL', '/saasm help')
  const view = modal({
    submit: text('Send'),
    blocks: [
      { type: 'input', block_id: 'b', label: text('L'), element: { type: 'file_input', action_id: 'a' } },
    ],
  })
  await files.call('views.open', { trigger_id: files.delivered.at(-1)?.payload.trigger_id, view })
  const viewId = person.state().views[0]?.id ?? ''
  const { id } = person.upload({ name: 'people.csv', mimetype: 'text/csv', bytes: Buffer.from('name,email') })
  person.type(viewId, 'b', { files: [id] })
  await person.submit(viewId)
  const shown = files.delivered.at(-1)?.payload.view as {
    state: { values: { b: { a: { files: { name: string; url_private_download: string }[] } } } }
  }
  const [file] = shown.state.values.b.a.files
  expect(file?.name).toBe('people.csv')
  const url = file?.url_private_download ?? ''
  expect(await (await fetch(url, { headers: { authorization: 'Bearer xoxb-test' } })).text()).toBe(
    'name,email',
  )
  expect((await fetch(url, { redirect: 'manual' })).status).toBe(302)
  await files.stop()
})
