// Serves stand-ins and hand-written vendors over real HTTP, with an engine whose waits pass at once and are written down.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Account } from '../../src/connectors/account.ts'
import type { Connector, Credentials } from '../../src/connectors/connector.ts'
import {
  type Cursor,
  createEngine,
  type Engine,
  type Page,
  type StreamEnd,
} from '../../src/connectors/engine.ts'
import { ProviderError } from '../../src/connectors/errors.ts'
import { type Clock, movableClock } from '../../src/lib/clock.ts'
import { silentLog } from '../../src/lib/log.ts'
import type { VendorStandIn } from '../../src/sandbox/vendors/vendor-stand-in.ts'

export interface Served {
  url: string
  close(): Promise<void>
}

/** Serve one handler on a free port. */
export async function serve(handle: (req: IncomingMessage, res: ServerResponse) => unknown): Promise<Served> {
  const server = createServer((req, res) => void handle(req, res))
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise(resolve => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

/** Serve a stand-in below `/vendors/ID`, as the sandbox does. */
export async function serveVendor(vendor: VendorStandIn): Promise<Served> {
  const mount = `/vendors/${vendor.id}`
  const served = await serve(async (req, res) => {
    req.url = (req.url ?? '').slice(mount.length)
    await vendor.handle(req, res)
  })
  return { ...served, url: served.url + mount }
}

/** A clock on which every wait passes at once; `waits` holds them in milliseconds. */
export interface SwiftClock extends Clock {
  waits: number[]
  /** Called as each wait begins. */
  onWait: () => void
}

export function swiftClock(): SwiftClock {
  const clock = movableClock()
  const swift: SwiftClock = {
    waits: [],
    onWait: () => {},
    now: clock.now,
    async sleep(ms, signal) {
      signal?.throwIfAborted()
      swift.waits.push(ms)
      swift.onWait()
      clock.advance(ms)
    },
  }
  return swift
}

export function engineOn(clock: Clock): Engine {
  return createEngine({ clock, log: silentLog, allowPrivateNetwork: true })
}

export interface Listed {
  accounts: Account[]
  pages: Page[]
  end: StreamEnd
}

/** Read a stream to its end. */
export async function listAll(
  engine: Engine,
  connector: Connector,
  credentials: Credentials,
  options: { patienceMs?: number; signal?: AbortSignal; from?: Cursor | undefined } = {},
): Promise<Listed> {
  const pages: Page[] = []
  const stream = engine.pages(connector, credentials, {
    from: options.from,
    patienceMs: options.patienceMs ?? 120_000,
    signal: options.signal ?? new AbortController().signal,
  })
  for (;;) {
    const next = await stream.next()
    if (next.done) return { accounts: pages.flatMap(page => page.accounts), pages, end: next.value }
    pages.push(next.value)
  }
}

/** The ProviderError that `doing` ends with. */
export async function refusal(doing: Promise<unknown>): Promise<ProviderError> {
  try {
    await doing
  } catch (error) {
    if (error instanceof ProviderError) return error
    throw error
  }
  throw new Error('It was not refused')
}
