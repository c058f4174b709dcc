// What the contract suite's stand-in of a vendor declares, and the server that answers for it at the vendor's own addresses.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { AccountStatus } from '../../src/connectors/account.ts'
import type { Credentials } from '../../src/connectors/connector.ts'
import { createHttp, type Http } from '../../src/connectors/http.ts'

/** Somebody in a vendor's directory, before the vendor's own wire shape. */
export interface Person {
  /** 0 for the first. */
  n: number
  /** `acme-7`: unique over all tenants. */
  id: string
  first: string
  last: string
  email: string
  status: AccountStatus
  bot: boolean
}

export interface Asked {
  method: string
  /** The address that was asked, the vendor's own host in it. */
  url: URL
  /** Names in lower case. */
  headers: Readonly<Record<string, string>>
  body: string
  /** The body as JSON; {} when it is none. */
  // biome-ignore lint/suspicious/noExplicitAny: a stand-in reads whatever a vendor would.
  json: any
  /** The body as a form. */
  form: URLSearchParams
  /** What `:name` in the route stood for. */
  params: Readonly<Record<string, string>>
}

export interface Answer {
  status?: number
  headers?: Record<string, string>
  /** Sent as JSON. */
  body?: unknown
  /** Sent as it stands instead. */
  text?: string
}

/** One tenant of the vendor. */
export interface World {
  tenant: string
  /** What the connector is given; holds the tenant's name. */
  secret: string
  /** What a grant gives at present; holds the tenant's name. */
  access(): string
  people: readonly Person[]
  scoped: boolean
  now(): Date
  /** The people from `from` on, at most `size`: asking for more than one counts as a page of the listing. */
  slice(people: readonly Person[], from: number, size: number): readonly Person[]
}

type Route = (asked: Asked, world: World) => Answer

/** A vendor, as a declaration; `default` of `vendors/ID.ts`. */
export interface VendorPlan {
  /** The connector's. */
  id: string
  /** What is typed into the form for this tenant. */
  credentials(given: { tenant: string; secret: string; people?: readonly Person[] }): Credentials
  /** Why nothing is asked by HTTP: the people are in the credentials, and what HTTP can do wrong does not apply. */
  local?: string
  /** The statuses that the vendor can tell; default: active only. */
  statuses?: readonly AccountStatus[]
  /** There are bots among the people, to be left out. */
  bots?: true
  /** False: no addresses are reported. */
  emails?: false
  /** The order in which the listings give them; default: as they are. */
  inOrder?(people: readonly Person[]): Person[]
  /** The account's id; default: the person's. */
  accountId?(person: Person): string
  /** Whether a request proves who asks; default: a bearer token (the grant's when there is one). */
  proves?(asked: Asked, world: World): boolean
  /** The answer to who cannot. */
  refused: Answer
  /** The answer without the permission, and what it is called; null: the vendor's token has no permissions of its own. */
  forbidden: { answer: Answer; names: readonly string[] } | null
  /** The vendor's rate limit, and the wait that follows from it. */
  limited: { answer: Answer | ((now: Date) => Answer); waitMs: number }
  /** Routes that bring a token: `POST https://host/path`. Answer `refused` for a wrong secret. */
  grants?: Record<string, Route>
  /** `GET https://:tenant.host/path/:part`; asked only after `proves` and the permission. */
  routes: Record<string, Route>
  /** Routes that need no permission, such as the check. */
  always?: Record<string, Route>
  /** The answer with its next address set to this one; absent: the vendor's pages have no address. */
  foreign?(answer: Answer, address: string): Answer
  /** Everybody comes in one answer. */
  onePage?: true
}

/** What a test does to the pages of a listing; `nth` counts from 1. */
export type Fault = (answer: Answer, nth: number) => Answer

export interface StandIn extends World {
  credentials(): Credentials
  /** The accounts' ids in order, without bots. */
  expected(): { id: string; status: AccountStatus; email: string }[]
  fault: Fault
  /** How many pages of the listing were asked for. */
  pagesAsked(): number
  expireToken(): void
}

export interface Vendors {
  /** The engine's client: every address leads to the stand-ins. */
  http: Http
  add(plan: VendorPlan, tenant: string, now: () => Date): StandIn
  /** Forget all tenants. */
  clear(): void
  close(): Promise<void>
}

/** Serve stand-ins on a free port, whatever the address that is asked for. */
export async function serveVendors(): Promise<Vendors> {
  const tenants: { plan: VendorPlan; world: TenantWorld }[] = []
  const server = createServer((req, res) => void answerTo(req, res, tenants))
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const port = (server.address() as AddressInfo).port
  const http = createHttp({ allowPrivateNetwork: true })
  return {
    http: {
      request(request) {
        const { origin } = new URL(request.url)
        const rest = request.url.slice(origin.length)
        return http.request({
          ...request,
          url: `http://127.0.0.1:${port}/${encodeURIComponent(origin)}${rest}`,
        })
      },
      close: () => http.close(),
    },
    add(plan, tenant, now) {
      const world = createWorld(plan, tenant, now)
      tenants.push({ plan, world })
      return world
    },
    clear: () => void tenants.splice(0),
    async close() {
      await http.close()
      await new Promise<void>(resolve => {
        server.close(() => resolve())
        server.closeAllConnections()
      })
    },
  }
}

interface TenantWorld extends StandIn {
  /** True once since it was last asked: the request sliced a page. */
  sliced(): boolean
  nextPage(): number
}

const others: AccountStatus[] = ['invited', 'suspended', 'deactivated']

function createWorld(plan: VendorPlan, tenant: string, now: () => Date): TenantWorld {
  const told = others.filter(status => plan.statuses?.includes(status))
  const people = Array.from({ length: plan.bots ? 455 : 450 }, (_, n): Person => {
    const name = { first: `First${n}`, last: `Last${n}` }
    const status = n % 10 === 3 ? (told[Math.floor(n / 10) % (told.length || 1)] ?? 'active') : 'active'
    const email = `person${n}@${tenant}.example`
    return { n, id: `${tenant}-${n + 1}`, ...name, email, status, bot: plan.bots === true && n % 100 === 50 }
  })
  let [pages, tokens, pageSliced] = [0, 1, false]
  const world: TenantWorld = {
    ...{ tenant, secret: `${tenant}-secret`, people, scoped: true, now },
    access: () => `${tenant}-access-${tokens}`,
    slice(all, from, size) {
      if (size > 1) pageSliced = true
      return all.slice(from, from + size)
    },
    credentials: () => plan.credentials({ tenant, secret: world.secret, people }),
    expected: () =>
      (plan.inOrder?.(people) ?? people)
        .filter(one => !one.bot)
        .map(one => ({ id: plan.accountId?.(one) ?? one.id, status: one.status, email: one.email })),
    fault: answer => answer,
    pagesAsked: () => pages,
    expireToken: () => void tokens++,
    sliced() {
      const was = pageSliced
      pageSliced = false
      return was
    },
    nextPage: () => ++pages,
  }
  return world
}

async function answerTo(
  req: IncomingMessage,
  res: ServerResponse,
  tenants: readonly { plan: VendorPlan; world: TenantWorld }[],
): Promise<void> {
  let body = ''
  for await (const chunk of req) body += chunk
  const [, origin = '', rest = ''] = /^\/([^/?]+)(.*)$/.exec(req.url ?? '') ?? []
  const url = new URL(decodeURIComponent(origin) + rest)
  const headers = Object.fromEntries(Object.entries(req.headers).map(([key, value]) => [key, String(value)]))
  const asked = {
    method: req.method ?? '',
    url,
    headers,
    body,
    json: jsonIn(body),
    form: new URLSearchParams(body),
  }
  const { plan, world } = tenants.find(one => mentions(asked, one.world.tenant)) ?? tenants[0] ?? {}
  if (!plan || !world) return send(res, { status: 404, text: 'no such tenant' })
  const answer = serve({ ...asked, params: {} }, plan, world)
  send(res, world.sliced() ? world.fault(answer, world.nextPage()) : answer)
}

function serve(asked: Asked, plan: VendorPlan, world: World): Answer {
  const granted = match(plan.grants ?? {}, asked)
  if (granted) return granted.route({ ...asked, params: granted.params }, world)
  if (!(plan.proves ?? byBearer(plan))(asked, world)) return plan.refused
  const always = match(plan.always ?? {}, asked)
  if (always) return always.route({ ...asked, params: always.params }, world)
  const found = match(plan.routes, asked)
  if (!found) return { status: 404, text: '<html><h1>Not Found</h1></html>' }
  if (!world.scoped && plan.forbidden) return plan.forbidden.answer
  return found.route({ ...asked, params: found.params }, world)
}

function byBearer(plan: VendorPlan) {
  return (asked: Asked, world: World) =>
    asked.headers.authorization === `Bearer ${plan.grants ? world.access() : world.secret}`
}

function match(routes: Record<string, Route>, asked: Asked) {
  const at = `${asked.method} ${asked.url.origin}${asked.url.pathname}`
  for (const [pattern, route] of Object.entries(routes)) {
    const source = pattern.replace(/[.*+?^${}()|[\]\\]/g, '\\$&').replace(/:([a-z]\w*)/gi, '(?<$1>[^/]+)')
    const found = new RegExp(`^${source}$`).exec(at)
    if (found) return { route, params: { ...found.groups } }
  }
  return undefined
}

/** Whether the tenant's name is anywhere in the request, also in what is encoded there. */
function mentions(asked: Omit<Asked, 'params'>, tenant: string): boolean {
  const plain = [asked.url.href, asked.body, ...Object.values(asked.headers)].join(' ')
  const encoded = plain.match(/[\w+/=-]{8,}/g) ?? []
  return [plain, ...encoded.map(one => Buffer.from(one, 'base64').toString('latin1'))].some(one =>
    one.includes(tenant),
  )
}

function jsonIn(body: string): object {
  try {
    return JSON.parse(body) as object
  } catch {
    return {}
  }
}

function send(res: ServerResponse, { status = 200, headers = {}, body, text }: Answer): void {
  const type = text === undefined ? 'application/json' : 'text/html'
  res.writeHead(status, { 'content-type': type, ...headers })
  res.end(text ?? (body === undefined ? '' : JSON.stringify(body)))
}
