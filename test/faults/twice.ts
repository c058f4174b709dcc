// Slack as it is on a bad day: every doing of a person is made twice, or its signed request comes again, at one of two processes or both.
import { createHmac, randomUUID } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect } from 'vitest'
import { startWorld, until } from '../support/world.ts'

/** What a doing is made of, for one person. */
export interface Doing {
  kind: 'block_actions' | 'view_submission'
  /** A button: its action id and value. */
  action?: { actionId: string; value: string }
  view?: {
    callbackId: string
    metadata: Record<string, string>
    values?: Record<string, Record<string, unknown>>
  }
}

interface Signed {
  body: string
  headers: Record<string, string>
}

export const modes = ['a double press', 'a replay', 'two admins'] as const
export type Mode = (typeof modes)[number]

/** A small random generator with a seed that is printed: the same seed is the same test. */
export function seeded(seed: number) {
  let state = seed >>> 0
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
  return { next, pick: <T>(of: readonly T[]): T => of[Math.floor(next() * of.length)] as T }
}

/** Where Slack's requests come from, for the app. */
export interface Sender {
  signingSecret: string
  team: string
  channel: string
  /** What a message's buttons are answered at. */
  replyUrl: string
}

/** One request, signed once: sent again it is the very same. */
export function requestOf(from: Sender, userId: string, doing: Doing): Signed {
  const view = doing.view && {
    id: `V${userId}`,
    hash: '1.a',
    type: 'modal',
    callback_id: doing.view.callbackId,
    private_metadata: JSON.stringify(doing.view.metadata),
    state: { values: doing.view.values ?? {} },
  }
  const where = view
    ? { container: { type: 'view', view_id: view.id }, view }
    : {
        container: { type: 'message', message_ts: '1.1', channel_id: from.channel },
        channel: { id: from.channel },
        response_url: from.replyUrl,
      }
  const { action } = doing
  const actions = action && [
    { type: 'button', action_id: action.actionId, block_id: 'b', value: action.value },
  ]
  const payload = {
    type: doing.kind,
    team: { id: from.team },
    user: { id: userId, team_id: from.team },
    api_app_id: 'A0SAASM',
    token: 'x',
    trigger_id: randomUUID(),
    ...where,
    ...(actions ? { actions } : {}),
  }
  return sign(from.signingSecret, payload, 'application/x-www-form-urlencoded')
}

function sign(secret: string, payload: Record<string, unknown>, type: string): Signed {
  const text = JSON.stringify(payload)
  const body = type === 'application/json' ? text : new URLSearchParams({ payload: text }).toString()
  const stamp = String(Math.floor(Date.now() / 1000))
  const signature = createHmac('sha256', secret).update(`v0:${stamp}:${body}`).digest('hex')
  const headers = {
    'content-type': type,
    'x-slack-request-timestamp': stamp,
    'x-slack-signature': `v0=${signature}`,
  }
  return { body, headers }
}

/** Send it to the app at `url`; what it answered. */
export async function post(url: string, signed: Signed): Promise<string> {
  const answer = await fetch(`${url}/slack/events`, { method: 'POST', ...signed })
  // 404 is Bolt's word for an answer that came too late for Slack.
  expect([200, 404]).toContain(answer.status)
  return answer.text()
}

/** A world whose app runs twice, and a Slack in front of both. */
export async function startTwice(seed: number) {
  const world = await startWorld()
  const other = await world.another()
  const urls = [world.app, other].map(app => `http://127.0.0.1:${app.port()}`)
  const { signingSecret, channel } = world.sandbox.settings
  const team = world.person('Ada').state().team.id
  const random = seeded(seed)
  /** Everything sent so far in this round, for sending it again. */
  let sent: Signed[] = []
  /** What the response addresses were told. */
  const replies: string[] = []
  const sink = createServer((req, res) => {
    let body = ''
    req.on('data', chunk => {
      body += chunk
    })
    req.on('end', () => {
      replies.push(body)
      res.end('ok')
    })
  })
  await new Promise<void>(done => sink.listen(0, '127.0.0.1', done))
  const replyUrl = `http://127.0.0.1:${(sink.address() as AddressInfo).port}/reply`
  const from = { signingSecret, team, channel, replyUrl }
  const postTo = (at: number, signed: Signed) => post(urls[at] ?? '', signed)

  return {
    world,
    random,
    team,
    replies,
    /** The same moment for all of them: what each was answered. */
    async strike(mode: Mode, doing: (userId: string) => Doing): Promise<string[]> {
      const make = (userId: string) => requestOf(from, userId, doing(userId))
      const ada = make('U0ADA')
      const requests =
        mode === 'a double press'
          ? [ada, make('U0ADA')]
          : mode === 'two admins'
            ? [ada, make('U0OLIVIA')]
            : [ada, ada, ada, ada]
      sent = [...requests]
      // A replay reaches both for certain; two presses land wherever they land.
      const places = requests.map((_, at) => (mode === 'a replay' ? at % 2 : Math.floor(random.next() * 2)))
      return Promise.all(requests.map((request, at) => postTo(places[at] ?? 0, request)))
    },
    /** Four deliveries of one event, as Slack sends it when it hears no answer. */
    async event(userId: string): Promise<void> {
      const event = sign(
        signingSecret,
        {
          type: 'event_callback',
          team_id: team,
          event_id: `Ev${randomUUID()}`,
          event: { type: 'app_home_opened', user: userId, tab: 'home', channel: 'D0HOME' },
        },
        'application/json',
      )
      sent = [event]
      await Promise.all([0, 1, 0, 1].map(at => postTo(at, event)))
    },
    /** What was sent in this round comes again, everywhere. */
    async again(): Promise<void> {
      await Promise.all(sent.flatMap(request => [postTo(0, request), postTo(1, request)]))
    },
    rows: (text: string, ...values: string[]) => world.database.db.sql.unsafe(text, values),
    /** No work waits or runs; what does, when it never ends, is said. */
    async quiet(): Promise<void> {
      let left: unknown = null
      await until('quiet', async () => {
        const found = await world.database.db.sql`
          select 'sync' as work, now(), to_jsonb(r) as row from sync_run r where state in ('requested', 'running')
          union all select 'removal', now(), to_jsonb(m) from removal m where state in ('requested', 'running')
          union all select 'telling', now(), to_jsonb(o) - 'announcement' from outbox o where state in ('pending', 'sending')`
        left = found
        return found.length === 0
      }).catch(cause => {
        throw new Error(`Work is left: ${JSON.stringify(left)}`, { cause })
      })
    },
    async close(): Promise<void> {
      sink.close()
      await world.close()
    },
  }
}

export type Twice = Awaited<ReturnType<typeof startTwice>>
