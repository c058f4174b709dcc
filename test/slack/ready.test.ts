// Is Slack there, and is the token good? The log says once why not.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { silentLog } from '../../src/lib/log.ts'
import { createSlackClient } from '../../src/slack/client.ts'
import { type Served, serveSlack } from '../sandbox/served.ts'

let served: Served
beforeAll(async () => {
  served = await serveSlack()
})
afterAll(() => served.stop())

test('a bot token that Slack does not know is said in the log, with Slack’s word for it, once', async () => {
  const said: unknown[] = []
  const client = createSlackClient({
    botToken: 'xoxb-of-nobody',
    apiUrl: `${served.url}/api/`,
    clock: served.clock,
    log: { ...silentLog, warn: (facts, sentence) => void said.push([facts, sentence]) },
  })
  expect(await client.ready()).toBe(false)
  expect(await client.ready()).toBe(false)
  expect(said).toEqual([[{ code: 'invalid_auth' }, expect.stringContaining('SLACK_BOT_TOKEN')]])
})
