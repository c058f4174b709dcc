// Downloading an uploaded file: Slack's own hosts alone ever see the token, and what is too large or no file is refused.
import type { IncomingMessage, ServerResponse } from 'node:http'
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import { movableClock } from '../../src/lib/clock.ts'
import { silentLog } from '../../src/lib/log.ts'
import { createSlackClient } from '../../src/slack/client.ts'
import { download } from '../../src/slack/download.ts'
import type { SlackFailure } from '../../src/slack/post.ts'
import { type Served, serve } from '../connectors/served.ts'

type Answer = (req: IncomingMessage, res: ServerResponse) => unknown

let slack: Served
let stranger: Served
let answer: Answer
/** The tokens that each server was shown. */
let shown: { slack: string[]; stranger: string[] }

beforeAll(async () => {
  slack = await serve((req, res) => {
    shown.slack.push(String(req.headers.authorization))
    answer(req, res)
  })
  stranger = await serve((req, res) => {
    shown.stranger.push(String(req.headers.authorization))
    res.end('id\n1\n')
  })
})
beforeEach(() => {
  shown = { slack: [], stranger: [] }
})
afterAll(async () => {
  await slack.close()
  await stranger.close()
})

const options = () => ({ botToken: 'xoxb-secret', apiUrl: `${slack.url}/api/` })
const fetched = (url = `${slack.url}/files/F1`, maxBytes = 1_000) => download(options(), url, maxBytes)
const failure = (doing: Promise<unknown>) =>
  doing.then(
    () => 'nothing',
    (error: SlackFailure) => error.code,
  )

test('a file is fetched with the bot’s token', async () => {
  answer = (_, res) => res.writeHead(200, { 'content-type': 'text/csv' }).end('id\n1\n')
  expect(Buffer.from(await fetched()).toString()).toBe('id\n1\n')
  expect(shown.slack).toEqual(['Bearer xoxb-secret'])
})

test.each([
  ['another host', () => `${stranger.url}/files/F1`],
  ['a host that only begins like Slack', () => 'https://files.slack.com.evil.example/F1'],
  ['a host that only ends like Slack', () => 'https://evilslack.com/F1'],
  ['Slack without TLS', () => 'http://files.slack.com/F1'],
  ['Slack at another port', () => 'https://files.slack.com:8443/F1'],
  ['a name in front', () => 'https://files.slack.com@evil.example/F1'],
  ['a file of this machine', () => 'file:///etc/passwd'],
  ['nothing', () => ''],
])('%s is not asked', async (_, url) => {
  const asked = vi.spyOn(globalThis, 'fetch')
  expect(await failure(download({ botToken: 'xoxb-secret', apiUrl: null }, url(), 1_000))).toBe(
    'foreign_file',
  )
  expect(asked).not.toHaveBeenCalled()
  asked.mockRestore()
})

test('Slack’s own file host is asked', async () => {
  const asked = vi.spyOn(globalThis, 'fetch').mockResolvedValue(new Response('id\n1\n'))
  await download(
    { botToken: 'xoxb-secret', apiUrl: null },
    'https://files.slack.com/files-pri/T1-F1/a.csv',
    1_000,
  )
  expect(asked).toHaveBeenCalledOnce()
  asked.mockRestore()
})

test('a redirect to another host is not followed', async () => {
  answer = (_, res) => res.writeHead(302, { location: `${stranger.url}/files/F1` }).end()
  expect(await failure(fetched())).toBe('missing_scope')
  expect(shown.stranger).toEqual([])
})

test('a redirect on Slack’s own host is followed, and not without end', async () => {
  answer = (req, res) =>
    req.url === '/files/F1' ? res.writeHead(302, { location: '/elsewhere' }).end() : res.end('id\n1\n')
  expect((await fetched()).byteLength).toBe(5)
  answer = (_, res) => res.writeHead(302, { location: '/files/F1' }).end()
  expect(await failure(fetched())).toBe('too_many_redirects')
})

test.each([
  ['a redirect', (_: unknown, res: ServerResponse) => res.writeHead(302, { location: '/signin?x=1' }).end()],
  [
    'a page with status 200',
    (_: unknown, res: ServerResponse) =>
      res.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end('<!DOCTYPE html>'),
  ],
])('the sign-in page as %s means a missing scope', async (_, page) => {
  answer = page
  expect(await failure(fetched())).toBe('missing_scope')
})

test('a file above the limit is refused, whatever Slack said of its size', async () => {
  answer = (_, res) => res.end('x'.repeat(1_001))
  expect(await failure(fetched())).toBe('file_too_large')
  answer = (_, res) => res.end('x'.repeat(1_000))
  expect((await fetched()).byteLength).toBe(1_000)
  const client = createSlackClient({ ...options(), clock: movableClock(), log: silentLog })
  shown.slack = []
  const url = `${slack.url}/files/F1`
  expect(await failure(client.download({ id: 'F1', size: 1_001, url }, 1_000))).toBe('file_too_large')
  expect(shown.slack, 'not even asked for').toEqual([])
})

test.each([
  ['404', (_: unknown, res: ServerResponse) => res.writeHead(404).end(), 'http_404'],
  ['500', (_: unknown, res: ServerResponse) => res.writeHead(500).end(), 'http_500'],
  ['a lost connection', (_: unknown, res: ServerResponse) => res.socket?.destroy(), 'network'],
])('%s is told apart, without the token', async (_, spoil, code) => {
  answer = spoil
  const error = await fetched().catch((thrown: Error) => thrown)
  expect(error).toMatchObject({ code })
  expect(JSON.stringify(error) + String(error)).not.toContain('xoxb-secret')
})
