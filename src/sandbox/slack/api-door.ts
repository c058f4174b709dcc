// The door of the Web API: reads a call, holds it to token, scope and rate, applies faults that were asked for, answers as Slack does.
import type { IncomingMessage, ServerResponse } from 'node:http'
import { setTimeout as wait } from 'node:timers/promises'
import { readBody } from '../http.ts'
import { fileMethods } from './file-methods.ts'
import { historyMethods } from './history-methods.ts'
import { Refusal } from './refusal.ts'
import { methods, type Workspace } from './web-api.ts'

/** What goes wrong with one call: of `method`, or of any. Each is used once, in the order they were asked for. */
export type SlackFault = { method?: string } & (
  | { kind: 'delay'; ms: number }
  /** Stored, and then the connection breaks. */
  | { kind: 'lost-after-storing' }
  | { kind: 'status'; status: number; afterStoring?: boolean }
  | { kind: 'rate-limited'; retryAfterSeconds: number }
  /** `ok: false` with this error. */
  | { kind: 'error'; error: string }
)

export interface ApiCall {
  method: string
  args: Readonly<Record<string, unknown>>
  answer: Readonly<Record<string, unknown>>
}

export interface ApiDoor {
  handle(req: IncomingMessage, res: ServerResponse): Promise<boolean>
  next(fault: SlackFault): void
  /** Asked for each call that no fault was asked for. */
  each(choose: (method: string) => SlackFault | undefined): void
  /** The newest 1,000 calls, oldest first. */
  readonly journal: readonly ApiCall[]
}

const journalMax = 1_000
const bodyMaxBytes = 1_000_000

export function createApiDoor(workspace: Workspace, options: { enforceRates: boolean }): ApiDoor {
  const faults: SlackFault[] = []
  const journal: ApiCall[] = []
  const rate = createRates()
  let chosen: (method: string) => SlackFault | undefined = () => undefined

  function takeFault(method: string): SlackFault | undefined {
    const at = faults.findIndex(fault => fault.method === undefined || fault.method === method)
    return at < 0 ? chosen(method) : faults.splice(at, 1)[0]
  }

  function call(name: string, args: Record<string, unknown>, token: string): Record<string, unknown> {
    const method = methods[name] ?? fileMethods[name] ?? historyMethods[name]
    if (!method) throw new Refusal('unknown_method', { extra: { req_method: name } })
    if (token === '') throw new Refusal('not_authed')
    const wanted = method.appToken ? workspace.appToken : workspace.botToken
    const other = method.appToken ? workspace.botToken : workspace.appToken
    if (token === other) throw new Refusal('not_allowed_token_type')
    if (token !== wanted) throw new Refusal('invalid_auth')
    if (method.scope && !workspace.scopes.includes(method.scope)) {
      throw new Refusal('missing_scope', {
        extra: { needed: method.scope, provided: workspace.scopes.join(',') },
      })
    }
    if (options.enforceRates) rate(name, method.tier, String(args.channel ?? ''))
    return method.run(args, workspace)
  }

  return {
    journal,
    next: fault => void faults.push(fault),
    each(choose) {
      chosen = choose
    },
    async handle(req, res) {
      const { pathname, searchParams } = new URL(req.url ?? '/', 'http://slack')
      if (!pathname.startsWith('/api/')) return false
      const name = pathname.slice('/api/'.length)
      const args = { ...Object.fromEntries(searchParams), ...(await readArgs(req)) }
      const fault = takeFault(name)
      if (fault?.kind === 'delay') await wait(fault.ms)
      const token = (req.headers.authorization ?? '').replace(/^Bearer /, '') || String(args.token ?? '')
      const { token: _, ...shownArgs } = args
      const record = (answer: Record<string, unknown>) => {
        journal.push({ method: name, args: shownArgs, answer })
        if (journal.length > journalMax) journal.shift()
      }
      if (fault?.kind === 'rate-limited') {
        record({ ok: false, error: 'ratelimited' })
        answerRateLimited(res, fault.retryAfterSeconds)
        return true
      }
      if (fault?.kind === 'status' && !fault.afterStoring) {
        record({ status: fault.status })
        res.writeHead(fault.status, { 'content-type': 'text/plain' }).end('upstream')
        return true
      }
      const answer =
        fault?.kind === 'error' ? { ok: false, error: fault.error } : answerOf(() => call(name, args, token))
      record(answer)
      if (fault?.kind === 'lost-after-storing') req.socket.destroy()
      else if (fault?.kind === 'status')
        res.writeHead(fault.status, { 'content-type': 'text/plain' }).end('upstream')
      else if (answer.error === 'ratelimited') answerRateLimited(res, Number(answer.retry_after))
      else answerJson(res, answer, workspace)
      return true
    },
  }
}

function answerOf(run: () => Record<string, unknown>): Record<string, unknown> {
  try {
    return { ok: true, ...run() }
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    return {
      ok: false,
      error: error.code,
      ...error.extra,
      ...(error.retryAfterSeconds === undefined ? {} : { retry_after: error.retryAfterSeconds }),
      ...(error.messages.length > 0 ? { response_metadata: { messages: error.messages } } : {}),
    }
  }
}

function answerJson(res: ServerResponse, answer: Record<string, unknown>, workspace: Workspace): void {
  res.writeHead(200, {
    'content-type': 'application/json; charset=utf-8',
    'x-oauth-scopes': workspace.scopes.join(','),
  })
  res.end(JSON.stringify(answer))
}

function answerRateLimited(res: ServerResponse, retryAfterSeconds: number): void {
  res.writeHead(429, { 'content-type': 'application/json', 'retry-after': String(retryAfterSeconds) })
  res.end(JSON.stringify({ ok: false, error: 'ratelimited' }))
}

/** Arguments from a form or from JSON; fields that are JSON in a form (view, blocks, metadata) are read too. */
async function readArgs(req: IncomingMessage): Promise<Record<string, unknown>> {
  const raw = await readBody(req, bodyMaxBytes)
  if ((req.headers['content-type'] ?? '').startsWith('application/json')) {
    return parseJson(raw) as Record<string, unknown>
  }
  const args: Record<string, unknown> = Object.fromEntries(new URLSearchParams(raw))
  for (const key of ['view', 'blocks', 'metadata', 'files']) {
    if (typeof args[key] === 'string') args[key] = parseJson(args[key])
  }
  return args
}

function parseJson(raw: string): unknown {
  try {
    return JSON.parse(raw || '{}')
  } catch {
    return {}
  }
}

/** A message a second and channel (a burst of three, as clients see it), and calls a minute by tier; in the machine's time. */
function createRates() {
  const calls = new Map<string, number[]>()
  return (name: string, tier: 20 | 50 | 100 | 'post', channel: string): void => {
    const [key, windowMs, max] = tier === 'post' ? [`${name} ${channel}`, 3_000, 3] : [name, 60_000, tier]
    const now = Date.now()
    const recent = (calls.get(key as string) ?? []).filter(at => now - at < (windowMs as number))
    calls.set(key as string, recent)
    const oldest = recent[0]
    if (oldest !== undefined && recent.length >= (max as number)) {
      const retryAfterSeconds = Math.max(1, Math.ceil((oldest + (windowMs as number) - now) / 1000))
      throw new Refusal('ratelimited', { retryAfterSeconds })
    }
    recent.push(now)
  }
}
