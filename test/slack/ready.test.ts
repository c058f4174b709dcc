// Is Slack there, and is the token good? The log says once why not.
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
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

test('what Slack’s SDK has to say of a Slack that is away stands in the log, and nowhere else', async () => {
  const said: unknown[] = []
  const beside = vi.spyOn(console, 'warn')
  const client = createSlackClient({
    botToken: 'xoxb-1',
    apiUrl: 'http://127.0.0.1:1/api/',
    clock: served.clock,
    log: { ...silentLog, warn: facts => void said.push(facts) },
  })
  expect(await client.ready()).toBe(false)
  expect(said).toContainEqual({ from: 'slack' })
  expect(beside).not.toHaveBeenCalled()
  beside.mockRestore()
})
