// The door: what is not Slack, not fresh, not new, not small or not whole is answered at once, has no effect and ends nothing.
import { createHmac } from 'node:crypto'
import { once } from 'node:events'
import { connect } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { systemClock } from '../../src/lib/clock.ts'
import { newId } from '../../src/lib/ids.ts'
import { silentLog } from '../../src/lib/log.ts'
import { createSlackDoor } from '../../src/slack/bolt.ts'
import type { Hearing } from '../../src/slack/turn.ts'
import { handsOf } from '../chat/hands.ts'
import { startWatched, type Watched } from '../chat/watched.ts'
import { until } from '../support/world.ts'

let watched: Watched
beforeAll(async () => {
  watched = await startWatched()
})
afterAll(() => watched.close())

const seconds = (ahead = 0) => String(Math.floor(Date.now() / 1000) + ahead)
const sign = (secret: string, stamp: string, body: string) =>
  `v0=${createHmac('sha256', secret).update(`v0:${stamp}:${body}`).digest('hex')}`
const form = (fields: Record<string, string>) => new URLSearchParams(fields).toString()
const payload = (value: unknown) => form({ payload: JSON.stringify(value) })
const command = (text: string) =>
  form({
    ...{ command: '/saasm', text, user_id: 'U0ADA', team_id: 'T0SANDBOX', channel_id: 'C0SYNC' },
    ...{ trigger_id: newId(), response_url: `${watched.world.sandbox.url}/response/none` },
  })

interface Sent {
  body: string | ReadableStream
  stamp?: string
  signature?: string
  method?: string
  type?: string
  headers?: Record<string, string>
  port?: number
}

/** Post to the door as Slack would, but for what `sent` says; how it was answered, and how fast. */
async function post(sent: Sent) {
  const { signingSecret } = watched.world.sandbox.settings
  const stamp = sent.stamp ?? seconds()
  const signature = sent.signature ?? sign(signingSecret, stamp, String(sent.body))
  const begun = performance.now()
  const answer = await fetch(`http://127.0.0.1:${sent.port ?? watched.world.app.port()}/slack/events`, {
    method: sent.method ?? 'POST',
    headers: {
      'content-type': sent.type ?? 'application/x-www-form-urlencoded',
      'x-slack-request-timestamp': stamp,
      'x-slack-signature': signature,
      ...sent.headers,
    },
    ...(sent.method === 'GET' ? {} : { body: sent.body }),
    ...(typeof sent.body === 'string' ? {} : { duplex: 'half' }),
  } as RequestInit)
  const text = await answer.text()
  return { status: answer.status, headers: answer.headers, text, ms: performance.now() - begun }
}

const alive = async () => (await fetch(`http://127.0.0.1:${watched.world.app.port()}/healthz`)).status === 200

const json = 'application/json'
const team = { id: 'T0SANDBOX' }
const junk: [what: string, status: number, sent: () => Sent][] = [
  ['is not signed', 401, () => ({ body: command('sync ours'), signature: '' })],
  [
    'is signed with another secret',
    401,
    () => ({ body: command('sync ours'), signature: sign('x', seconds(), '') }),
  ],
  ['is stamped six minutes ago', 401, () => ({ body: command('sync ours'), stamp: seconds(-360) })],
  ['is stamped six minutes ahead', 401, () => ({ body: command('sync ours'), stamp: seconds(360) })],
  ['is stamped with no number', 401, () => ({ body: command('sync ours'), stamp: 'now' })],
  [
    'is stamped with a number beyond all',
    401,
    () => ({ body: command('sync ours'), stamp: '9'.repeat(400) }),
  ],
  ['asks with GET', 405, () => ({ body: '', method: 'GET' })],
  ['asks with PUT', 405, () => ({ body: command('sync ours'), method: 'PUT' })],
  ['is empty', 400, () => ({ body: '' })],
  ['is null', 400, () => ({ body: 'null', type: json })],
  ['is a list', 400, () => ({ body: '[]', type: json })],
  ['is a number', 400, () => ({ body: '5', type: json })],
  ['is cut off', 400, () => ({ body: '{"type":', type: json })],
  ['is nested a hundred thousand deep', 400, () => ({ body: '['.repeat(100_000), type: json })],
  ['has a payload of null', 400, () => ({ body: payload(null) })],
  ['has a payload that is cut off', 400, () => ({ body: form({ payload: '{"a":' }) })],
  ['is another command', 404, () => ({ body: form({ command: '/other', user_id: 'U0ADA' }) })],
  ['is a command of nobody', 400, () => ({ body: form({ command: '/saasm', text: 'sync ours' }) })],
  ['is of a type that nobody hears', 404, () => ({ body: payload({ type: 'shortcut', team }) })],
  [
    'is an action without actions',
    400,
    () => ({ body: payload({ type: 'block_actions', team, actions: null }) }),
  ],
  ['is an action of null', 400, () => ({ body: payload({ type: 'block_actions', team, actions: [null] }) })],
  [
    'is a submission without a view',
    400,
    () => ({ body: payload({ type: 'view_submission', team, view: null }) }),
  ],
  [
    'is a closing of nothing',
    400,
    () => ({ body: payload({ type: 'view_closed', team, view: { callback_id: 5 } }) }),
  ],
  ['is an option load of nothing', 400, () => ({ body: payload({ type: 'block_suggestion', team }) })],
  ['is an event of nothing', 400, () => ({ body: '{"type":"event_callback","event":null}', type: json })],
  ['is two megabytes', 413, () => ({ body: 'x'.repeat(2_000_000) })],
  ['is two megabytes and does not say so', 413, () => ({ body: new Blob(['x'.repeat(2_000_000)]).stream() })],
]

test.each(junk)(
  'a request that %s is answered %i at once, and changes nothing',
  async (_what, status, sent) => {
    const before = await watched.everything()
    // A body that is refused before it was read may break the connection: then nothing was read, either.
    const answer = await post(sent()).catch((error: unknown) => {
      if (status !== 413) throw error
      return undefined
    })
    if (answer) {
      expect(answer.status).toBe(status)
      expect(answer.ms).toBeLessThan(1_000)
      expect(answer.text).toBe('')
    }
    expect(await alive()).toBe(true)
    expect(await watched.everything()).toBe(before)
  },
)

test.each([
  'GET // HTTP/1.1',
  'POST //slack/events HTTP/1.1',
  'GET /slack/../..//%00%ff HTTP/1.1',
  'GET http://[ HTTP/1.1',
  'OPTIONS * HTTP/1.1',
  'CONNECT x:1 HTTP/1.1',
  'no HTTP at all',
])('the line %s ends nothing', async line => {
  const socket = connect(watched.world.app.port(), '127.0.0.1')
  socket.on('error', () => {})
  socket.resume()
  socket.end(`${line}\r\nhost: x\r\nconnection: close\r\n\r\n`)
  await once(socket, 'close')
  expect(await alive()).toBe(true)
})

test('every answer carries the headers that keep it from being kept, framed or guessed at', async () => {
  for (const path of ['/healthz', '/readyz', '/slack/events', '/nothing']) {
    const { headers } = await fetch(`http://127.0.0.1:${watched.world.app.port()}${path}`)
    expect(headers.get('cache-control'), path).toBe('no-store')
    expect(headers.get('content-security-policy'), path).toContain("frame-ancestors 'none'")
    expect(headers.get('x-content-type-options'), path).toBe('nosniff')
    expect(headers.get('x-powered-by'), path).toBeNull()
  }
})

test('a process that only works carries the same headers, and has no entrance', async () => {
  const { botToken, signingSecret, slackApiUrl } = watched.world.sandbox.settings
  const door = createSlackDoor({
    ...{ botToken, signingSecret, appToken: null, apiUrl: slackApiUrl, port: 0, host: '127.0.0.1' },
    ...{ log: silentLog, clock: systemClock, hear: {} as Hearing, chat: false, routes: [] },
  })
  await door.start()
  const answer = await post({ body: command('sync ours'), port: door.port() })
  expect(answer.status).toBe(404)
  expect(answer.headers.get('content-security-policy')).toContain("default-src 'none'")
  await door.stop()
})

test('headers beyond measure are refused before anything is read', async () => {
  const answer = await post({ body: command('help'), headers: { 'x-large': 'a'.repeat(20_000) } })
  expect(answer.status).toBe(431)
  expect(await alive()).toBe(true)
})

const requested = async () =>
  (await watched.rows("select 1 from audit where action = 'refused' and after->>'what' = '/saasm sync'"))
    .length

test('a request that comes again, byte for byte, is answered and has its effect once', async () => {
  const body = command('sync ours').replace('U0ADA', 'U0MAX')
  const stamp = seconds()
  const again = () => post({ body, stamp })
  const answers = [await again(), ...(await Promise.all([again(), again(), again()]))]
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200])
  // Signed anew by Slack it is the same one still: its trigger is given once only.
  expect((await post({ body, stamp: seconds(1) })).status).toBe(200)
  // Another one by the same person, heard after it.
  expect((await post({ body: command('sync ours').replace('U0ADA', 'U0MAX') })).status).toBe(200)
  await until('both were heard', async () => (await requested()) === 2)
})

test('Slack’s own retry of an event is answered and has its effect once', async () => {
  const { slack } = watched.world.sandbox
  const published = () => slack.journal.filter(({ method }) => method === 'views.publish').length
  const [before, event_id] = [published(), `Ev${newId()}`]
  const event = { type: 'app_home_opened', user: 'U0ADA', tab: 'home', channel: 'D0' }
  const body = JSON.stringify({ type: 'event_callback', team_id: 'T0SANDBOX', event_id, event })
  expect((await post({ body, type: json })).status).toBe(200)
  for (const retry of ['1', '2', '3']) {
    const headers = { 'x-slack-retry-num': retry, 'x-slack-retry-reason': 'http_timeout' }
    expect((await post({ body, type: json, stamp: seconds(-Number(retry)), headers })).status).toBe(200)
  }
  const other = body.replace(event_id, `Ev${newId()}`)
  expect((await post({ body: other, type: json })).status).toBe(200)
  await until('both were heard', () => published() === before + 2)
})

test('who sends a byte at a time is cut off', async () => {
  const port = watched.world.app.port()
  const begun = performance.now()
  const heads = [
    'POST /slack/events HTTP/1.1\r\nhost: x\r\n',
    `POST /slack/events HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\nx-slack-signature: v0=${'0'.repeat(64)}\r\nx-slack-request-timestamp: ${seconds()}\r\n\r\n`,
  ]
  await Promise.all(
    heads.map(async head => {
      const socket = connect(port, '127.0.0.1')
      socket.on('error', () => {})
      socket.resume()
      socket.write(head)
      const drip = setInterval(() => socket.write('a'), 200)
      await once(socket, 'close').finally(() => clearInterval(drip))
    }),
  )
  expect(performance.now() - begun).toBeLessThan(14_000)
  expect(await alive()).toBe(true)
})

test('bodies that are never finished hold no more than their share of memory', async () => {
  const head = `POST /slack/events HTTP/1.1\r\nhost: x\r\ncontent-length: 990000\r\nx-slack-signature: v0=${'0'.repeat(64)}\r\nx-slack-request-timestamp: ${seconds()}\r\n\r\n`
  const answers: string[] = []
  const sockets = Array.from({ length: 60 }, () => {
    const socket = connect(watched.world.app.port(), '127.0.0.1')
    socket.on('error', () => {})
    socket.on('data', data => answers.push(String(data).slice(9, 12)))
    socket.write(head)
    socket.write('x'.repeat(980_000))
    return socket
  })
  await until('some are told to come back', () => answers.filter(status => status === '503').length >= 20)
  expect(await alive()).toBe(true)
  for (const socket of sockets) socket.destroy()
  await until('a later request has room', async () => (await post({ body: command('help') })).status === 200)
})

test('a person who asks for too much in a minute is told so, and is heard again after it', async () => {
  const small = await startWatched({ requestsPerMinute: 3 })
  const hands = handsOf(small.world, 'Ada')
  for (const _ of [1, 2, 3]) await hands.say('help')
  await hands.told(0, /What saasm can do/)
  await hands.say('help')
  await hands.told(0, /a lot at once/)
  await handsOf(small.world, 'Olivia').say('help')
  await handsOf(small.world, 'Olivia').told(0, /What saasm can do/)
  small.world.clock.advance(60_000)
  const before = hands.heard().length
  await hands.say('help')
  await hands.told(before, /What saasm can do/)
  await small.close()
})

/** A door whose hearing does as told, on a port of its own. */
async function openDoor(hear: Partial<Hearing>) {
  const { signingSecret, botToken, slackApiUrl } = watched.world.sandbox.settings
  const door = createSlackDoor({
    ...{ botToken, signingSecret, appToken: null, apiUrl: slackApiUrl, port: 0, host: '127.0.0.1' },
    ...{ log: silentLog, clock: systemClock, hear: hear as Hearing, chat: true, routes: [] },
  })
  await door.start()
  return door
}

test('a submission that breaks, or takes too long, is answered in the window', async () => {
  let breaks = true
  const door = await openDoor({
    submission: () => (breaks ? Promise.reject(new Error('broken')) : new Promise(() => {})),
  })
  const submitted = () => {
    const view = { callback_id: 'x', id: 'V1', type: 'modal', state: { values: {} } }
    const body = payload({ type: 'view_submission', team, user: { id: 'U0ADA' }, trigger_id: newId(), view })
    return post({ body, port: door.port() })
  }
  const broken = await submitted()
  expect(broken.text).toMatch(/Something went wrong/)
  expect(broken.ms).toBeLessThan(1_000)
  breaks = false
  const slow = await submitted()
  expect(slow.text).toMatch(/longer than Slack waits/)
  expect(slow.ms).toBeLessThan(3_000)
  await door.stop()
})

test('an option load is answered with what Slack takes, however much was found, and with nothing when it breaks', async () => {
  let many = 500
  const door = await openDoor({
    options: async () => {
      if (many === 0) throw new Error('broken')
      return Array.from({ length: many }, (_, at) => ({ text: '😀'.repeat(100), value: String(at) }))
    },
  })
  const load = () => {
    const asked = {
      type: 'block_suggestion',
      team,
      user: { id: 'U0ADA' },
      action_id: 'x',
      block_id: 'b',
      value: 'a',
    }
    return post({ body: payload(asked), port: door.port() })
  }
  const found = JSON.parse((await load()).text) as { options: { text: { text: string } }[] }
  expect(found.options).toHaveLength(100)
  expect(Array.from(found.options[0]?.text.text ?? '')).toHaveLength(75)
  many = 0
  const broken = await load()
  expect(JSON.parse(broken.text)).toEqual({ options: [] })
  expect(broken.ms).toBeLessThan(1_000)
  await door.stop()
})
