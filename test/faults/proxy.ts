// A TCP proxy for the faults of a network: it passes bytes on, swallows them, holds them back, refuses, or resets.
import { connect, createServer, type Socket } from 'node:net'

export type ProxyMood =
  | { kind: 'pass' }
  /** Connections stay open, new ones are taken, and no byte gets through in either direction: a half-open connection. */
  | { kind: 'swallow' }
  /** Each piece arrives this much later. */
  | { kind: 'delay'; ms: number }
  /** Connections that are there are reset, and new ones as well. */
  | { kind: 'reset' }

export interface Proxy {
  readonly port: number
  /** The same address, by way of this proxy. */
  through(url: string): string
  /** How it treats every connection from now on, or only those whose first bytes contain `about`. */
  set(mood: ProxyMood, about?: string): void
  stop(): Promise<void>
}

interface Pair {
  client: Socket
  server: Socket
  /** The first bytes that the client sent, as text: Postgres's name of the application is in them. */
  first: string
}

/** Listen on loopback, at `at` or any free port, in front of a port on it. */
export async function startProxy(target: { port: number }, at = 0): Promise<Proxy> {
  const pairs = new Set<Pair>()
  let mood: ProxyMood = { kind: 'pass' }
  let only: string | undefined

  const moodOf = (pair: Pair): ProxyMood =>
    only === undefined || pair.first.includes(only) ? mood : { kind: 'pass' }

  function pass(pair: Pair, to: Socket, bytes: Buffer): void {
    const now = moodOf(pair)
    if (now.kind === 'reset') return void reset(pair)
    if (now.kind === 'swallow') return
    if (now.kind === 'delay') setTimeout(() => to.writable && to.write(bytes), now.ms)
    else if (to.writable) to.write(bytes)
  }

  const server = createServer(client => {
    const pair: Pair = { client, server: connect({ host: '127.0.0.1', port: target.port }), first: '' }
    pairs.add(pair)
    client.on('data', bytes => {
      if (pair.first === '') pair.first = bytes.toString('latin1')
      pass(pair, pair.server, bytes)
    })
    pair.server.on('data', bytes => pass(pair, client, bytes))
    for (const [one, other] of [
      [client, pair.server],
      [pair.server, client],
    ] as const) {
      one.setNoDelay(true)
      one.on('error', () => {})
      one.on('close', () => {
        pairs.delete(pair)
        // What is swallowed does not even hear that the other side went away.
        if (moodOf(pair).kind !== 'swallow') other.destroy()
      })
    }
  })
  await new Promise<void>(done => server.listen(at, '127.0.0.1', done))
  const address = server.address()
  const port = typeof address === 'object' && address ? address.port : 0

  return {
    port,
    through(url) {
      const there = new URL(url)
      there.port = String(port)
      return there.href
    },
    set(wanted, about) {
      mood = wanted
      only = about
      for (const pair of pairs) if (moodOf(pair).kind === 'reset') reset(pair)
    },
    async stop() {
      for (const pair of pairs) reset(pair)
      await new Promise(done => server.close(done))
    },
  }
}

function reset({ client, server }: Pair): void {
  client.resetAndDestroy()
  server.destroy()
}
