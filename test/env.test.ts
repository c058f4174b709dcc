// What a person is told of a missing or malformed variable.
import { expect, test } from 'vitest'
import { readSettings } from '../src/env.ts'

const key = Buffer.alloc(32, 7).toString('base64')

test('nothing set means the sandbox on port 3000', () => {
  const read = readSettings({})
  expect(read).toMatchObject({
    ok: true,
    settings: { port: 3000, slack: null, databaseUrl: null, roles: { chat: true, work: true } },
  })
})

test('production without credentials is refused, naming every missing one and where to get it', () => {
  const read = readSettings({ NODE_ENV: 'production' })
  if (read.ok) throw new Error('production without credentials was accepted')
  const names = read.problems.map(line => line.split(' ')[0])
  expect(names).toEqual([
    'SLACK_BOT_TOKEN',
    'SLACK_SIGNING_SECRET',
    'SAASM_SECRET_KEY',
    'DATABASE_URL',
    'RESEND_API_KEY',
  ])
  for (const line of read.problems) expect(line).toMatch(/is missing: .{10,}\.$/)
})

test.each([
  ['PORT', 'many'],
  ['PORT', '70000'],
  ['SLACK_BOT_TOKEN', 'xoxp-user'],
  ['SLACK_APP_TOKEN', 'xoxb-bot'],
  ['SAASM_ADMINS', 'ada,olivia'],
  ['SAASM_OPERATORS', '#ops'],
  ['SAASM_VIEWERS', '@everyone'],
  ['SAASM_OWNERS_MANAGE', 'sometimes'],
  ['SAASM_GONE_DAYS', '0'],
  ['DATABASE_URL', 'localhost'],
  ['DATABASE_MIGRATION_URL', 'mongodb://x'],
  ['MONGODB_URI', 'postgres://x'],
  ['RESEND_API_KEY', 'key'],
  ['SAASM_EMAIL_FROM', 'nobody'],
  ['SAASM_SECRET_KEY', 'c2hvcnQ='],
  ['SAASM_ALLOW_PRIVATE_NETWORK', 'yes'],
  ['SAASM_ROLES', 'chat,play'],
  ['LOG_LEVEL', 'loud'],
])('a malformed %s (%s) is refused in one line with its name', (name, value) => {
  const read = readSettings({ [name]: value })
  if (read.ok) throw new Error('accepted')
  expect(read.problems).toHaveLength(1)
  expect(read.problems[0]).toMatch(new RegExp(`^${name} .+\\.$`))
  expect(read.problems[0]).not.toContain(value)
})

test('Socket Mode needs no signing secret, HTTP does', () => {
  const socket = { SLACK_BOT_TOKEN: 'xoxb-1', SLACK_APP_TOKEN: 'xapp-1', SAASM_SECRET_KEY: key }
  expect(readSettings(socket).ok).toBe(true)
  const read = readSettings({ SLACK_BOT_TOKEN: 'xoxb-1', SAASM_SECRET_KEY: key })
  expect(read.ok ? [] : read.problems.map(line => line.split(' ')[0])).toEqual(['SLACK_SIGNING_SECRET'])
})

test('several keys are read, the first first', () => {
  const second = Buffer.alloc(32, 9).toString('base64')
  const read = readSettings({ SAASM_SECRET_KEY: `${key},${second}` })
  expect(read.ok && read.settings.secretKeys?.map(one => one[0])).toEqual([7, 9])
})

test('spaces and line ends around a value, as a file of a secret ends, are no part of it', () => {
  const read = readSettings({
    SLACK_BOT_TOKEN: ' xoxb-1\n',
    SLACK_SIGNING_SECRET: '8f742231b10e8888abcd99yyyzzz85a5\n',
    SAASM_SECRET_KEY: `${key}\r\n`,
    LOG_LEVEL: 'warn ',
    SAASM_CHANNEL: '\n',
  })
  expect(read).toMatchObject({
    ok: true,
    settings: {
      slack: { botToken: 'xoxb-1', signingSecret: '8f742231b10e8888abcd99yyyzzz85a5' },
      logLevel: 'warn',
      channel: null,
    },
  })
})

test('a value in quotation marks, which Docker’s env files keep, is refused in one line with its name', () => {
  const read = readSettings({ SLACK_SIGNING_SECRET: '"8f742231b10e8888abcd99yyyzzz85a5"' })
  expect(read.ok ? [] : read.problems).toEqual([
    expect.stringMatching(/^SLACK_SIGNING_SECRET .*quotation marks.*\.$/),
  ])
})
