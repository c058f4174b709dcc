// The door: Bolt behind signed HTTP or Socket Mode. Everything is acknowledged first; what was done is handed on as a turn.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { App, HTTPReceiver, type Receiver } from '@slack/bolt'
import { WebClient } from '@slack/web-api'
import type { Clock } from '../lib/clock.ts'
import type { Log } from '../lib/log.ts'
import { clampText } from '../lib/text.ts'
import { webOptions } from './client.ts'
import { createEntrance } from './entrance.ts'
import { noticeView } from './modal.ts'
import { shownView } from './payload.ts'
import { sdkLog } from './sdk-log.ts'
import { createSocket } from './socket.ts'
import type { Hearing, Option, SubmissionAnswer } from './turn.ts'
import { type CommandBody, createTurns, type InteractiveBody } from './turns.ts'

export interface Route {
  path: string
  method: 'GET'
  handle(req: IncomingMessage, res: ServerResponse): void | Promise<void>
}

export interface SlackDoorOptions {
  botToken: string
  /** Needed for HTTP; not used in Socket Mode. */
  signingSecret: string | null
  /** Present: Socket Mode. */
  appToken: string | null
  apiUrl: string | null
  port: number
  host?: string
  log: Log
  clock: Clock
  hear: Hearing
  /** False: only `routes` are served, and nothing is heard. */
  chat: boolean
  routes: readonly Route[]
}

export interface SlackDoor {
  start(): Promise<void>
  /** Takes nothing new; what was acknowledged goes on, `graceMs` at most. */
  stop(): Promise<void>
  /** Slack can be heard: in Socket Mode, the socket is open. */
  hears(): boolean
  port(): number
}

const eventsPath = '/slack/events'
/** Slack gives 3 s; the answer has to travel. */
const answerMs = 2_500
const graceMs = 3_000
/** Who sends slower than this is cut off; looked at every second. */
const headersTimeoutMs = 5_000
const requestTimeoutMs = 10_000
const connectionsMax = 1_000
const optionsMax = 100
const command = '/saasm'
const events = ['app_home_opened'] as const
/** On every answer: nothing here is a page, or may be kept, framed or guessed at. */
const securityHeaders = {
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'referrer-policy': 'no-referrer',
  'strict-transport-security': 'max-age=31536000',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
}

export function createSlackDoor(options: SlackDoorOptions): SlackDoor {
  const { log, hear } = options
  const underWay = new Set<Promise<void>>()
  const { appToken, apiUrl } = options
  const socket = options.chat && appToken ? createSocket({ appToken, apiUrl, log }) : undefined
  const receiver = options.chat && !socket ? httpReceiver(options) : undefined
  const heardFrom = socket?.receiver ?? receiver
  const app = heardFrom && boltApp(options, heardFrom)
  const entrance = receiver && createEntrance({ signingSecret: options.signingSecret ?? '', command, events })
  let server: Server | undefined

  /** Go on after the acknowledgement; what fails here was already said to the person, or is logged. */
  function later(work: Promise<void>): void {
    const guarded = work.catch(error =>
      log.error({ err: error }, 'A gesture failed after it was acknowledged'),
    )
    underWay.add(guarded)
    void guarded.finally(() => underWay.delete(guarded))
  }

  function listen(bolt: App): void {
    const turns = createTurns(new WebClient(options.botToken, webOptions(options.apiUrl, log)), log)
    bolt.error(async error => log.error({ err: error }, 'A request from Slack could not be handled'))
    bolt.command(command, async ({ ack, body, respond }) => {
      await ack()
      later(hear.command(turns.command(body as unknown as CommandBody, respond)))
    })
    bolt.action(/.*/, async ({ ack, body, respond }) => {
      await ack()
      later(hear.action(turns.action(body as unknown as InteractiveBody, respond)))
    })
    bolt.view({ type: 'view_submission', callback_id: /.*/ }, async ({ ack, body }) => {
      const turn = turns.submission(body as unknown as InteractiveBody)
      // Answered whatever happens: left alone, Slack would show the person three seconds of nothing and then an error.
      const answer = await within(answerMs, hear.submission(turn), late).catch((error: unknown) => {
        log.error({ err: error }, 'A submission failed')
        return failed
      })
      await (ack as (body?: unknown) => Promise<void>)(acknowledgement(answer))
      if ('after' in answer) later(turns.after(answer, turn))
    })
    bolt.view({ type: 'view_closed', callback_id: /.*/ }, async ({ ack, body }) => {
      await ack()
      const closed = body as unknown as InteractiveBody
      later(hear.closed(turns.who(closed), shownView(closed.view ?? {})))
    })
    bolt.options(/.*/, async ({ ack, body }) => {
      const turn = turns.options(body as unknown as InteractiveBody)
      const found: Option[] = await within(answerMs, hear.options(turn), []).catch((error: unknown) => {
        log.error({ err: error }, 'Options could not be loaded')
        return []
      })
      await ack({
        options: found.slice(0, optionsMax).map(one => ({
          text: { type: 'plain_text', text: clampText(one.text, 75) },
          value: one.value,
        })),
      })
    })
    bolt.event(events[0], async ({ event, body }) => {
      if (event.tab !== 'home') return
      later(hear.home(turns.home({ teamId: String(body.team_id), userId: event.user }, body.event_id)))
    })
  }

  async function serve(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const path = (req.url ?? '/').split('?', 1)[0] ?? '/'
    const route = options.routes.find(one => one.path === path && one.method === req.method)
    try {
      for (const [name, value] of Object.entries(securityHeaders)) res.setHeader(name, value)
      if (route) await route.handle(req, res)
      else if (receiver && entrance && path === eventsPath) {
        if (await entrance(req, res)) receiver.requestListener(req, res)
      } else res.writeHead(404, { 'content-type': 'text/plain' }).end('There is nothing here.\n')
    } catch (error) {
      log.error({ err: error, path }, 'A request could not be answered')
      if (!res.headersSent) res.writeHead(500)
      res.end()
    }
  }

  return {
    async start() {
      if (app) {
        listen(app)
        await app.init()
      }
      const slow = { headersTimeout: headersTimeoutMs, requestTimeout: requestTimeoutMs }
      server = createServer(
        { ...slow, connectionsCheckingInterval: 1_000 },
        (req, res) => void serve(req, res),
      )
      server.maxConnections = connectionsMax
      await listenOn(server, options)
      // Health is answered for by then, whatever Slack says.
      if (app && socket) await socket.opened(Promise.resolve(app.start()))
    },
    async stop() {
      if (app && socket) await within(graceMs, Promise.resolve(app.stop()), undefined)
      const listening = server
      if (listening) {
        const closed = new Promise(done => listening.close(done))
        listening.closeIdleConnections()
        await within(graceMs, closed, undefined)
        listening.closeAllConnections()
      }
      await within(graceMs, Promise.allSettled([...underWay]), undefined)
    },
    hears: () => !socket || socket.isOpen(),
    port() {
      const address = server?.address()
      return typeof address === 'object' && address ? address.port : options.port
    },
  }
}

function httpReceiver(options: SlackDoorOptions): HTTPReceiver {
  if (!options.signingSecret) throw new Error('SLACK_SIGNING_SECRET is needed for HTTP')
  return new HTTPReceiver({
    signingSecret: options.signingSecret,
    endpoints: eventsPath,
    logger: sdkLog(options.log),
    unhandledRequestTimeoutMillis: answerMs + 400,
    processEventErrorHandler: async ({ error, response, logger }) => {
      logger.warn(error)
      // Answered here: left alone, Bolt would let the person wait for a 404 after 3 s. Our listeners catch what is theirs, so
      // that what ends here is a request that Bolt itself could not read.
      if (!response.headersSent) response.writeHead(400)
      response.end()
      return true
    },
  })
}

function boltApp(options: SlackDoorOptions, receiver: Receiver): App {
  return new App({
    // No call to Slack before an event is heard: the token is proven by /readyz, and each gesture asks who may.
    authorize: async ({ teamId }) => ({ botToken: options.botToken, ...(teamId ? { teamId } : {}) }),
    ignoreSelf: false,
    convoStore: false,
    deferInitialization: true,
    clientOptions: webOptions(options.apiUrl, options.log),
    logger: sdkLog(options.log),
    receiver,
  })
}

const late: SubmissionAnswer = {
  kind: 'update',
  view: noticeView(
    'saasm',
    'saasm is taking longer than Slack waits. Look in a minute whether it was saved, and try again if it was not.',
    'warning',
  ),
}
const failed: SubmissionAnswer = {
  kind: 'update',
  view: noticeView(
    'saasm',
    'Something went wrong on saasm’s side. Nothing was changed: please try again.',
    'error',
  ),
}

/** Slack's acknowledgement of a submission. */
function acknowledgement(answer: SubmissionAnswer): unknown {
  if (answer.kind === 'close') return undefined
  if (answer.kind === 'clear') return { response_action: 'clear' }
  if (answer.kind === 'errors') return { response_action: 'errors', errors: answer.errors }
  return { response_action: answer.kind, view: answer.view }
}

async function within<T, U>(ms: number, work: Promise<T>, late: U): Promise<T | U> {
  let timer: NodeJS.Timeout | undefined
  const timeout = new Promise<U>(done => {
    timer = setTimeout(() => done(late), ms)
  })
  return Promise.race([work, timeout]).finally(() => clearTimeout(timer))
}

function listenOn(server: Server, where: { port: number; host?: string }): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen({ port: where.port, ...(where.host ? { host: where.host } : {}) }, () => {
      server.off('error', reject)
      resolve()
    })
  })
}
