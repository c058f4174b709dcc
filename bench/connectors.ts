// bench:connectors: what the engine costs beside a bare fetch loop with JSON.parse, on the same server, in one run.
import { type ChildProcess, fork } from 'node:child_process'
import { mkdirSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Dispatcher, fetch, request } from 'undici'
import { createEngine } from '../src/connectors/engine.ts'
import { okta } from '../src/connectors/okta/okta.ts'
import { systemClock } from '../src/lib/clock.ts'
import { silentLog } from '../src/lib/log.ts'
import { readPages, writePages } from './people.ts'
import { median } from './ratios.ts'

/** CPU of the process and time, in milliseconds. */
interface Took {
  cpuMs: number
  wallMs: number
}

type Design = 'bare' | 'lean' | 'engine'

const people = Number(/--people=(\d+)/.exec(process.argv.join(' '))?.[1] ?? 20_000)
const rounds = Number(/--rounds=(\d+)/.exec(process.argv.join(' '))?.[1] ?? 9)
const aim = 1.5
const warmReads = 3
const reads = 3
const path = '/api/v1/users?limit=200&search=status+pr'

if (process.argv[2] === 'serve') serve(process.argv[3] ?? '')
else if (process.argv[2] === 'child') await child(process.argv[3] as Design, process.argv[4] ?? '')
else await measure()

/** The vendor, in a process of its own: the same pages for both, each with the next address in its Link header. */
function serve(file: string): void {
  const pages = Array.from(readPages(file), ({ bytes }) => Buffer.from(bytes))
  const server = createServer((req, res) => {
    const url = new URL(req.url ?? '', 'http://vendor')
    const at = Number(url.searchParams.get('after') ?? 0)
    const next = `<http://${req.headers.host}${path}&after=${at + 1}>; rel="next"`
    res.writeHead(200, {
      'content-type': 'application/json',
      ...(at + 1 < pages.length ? { link: next } : {}),
    })
    res.end(url.searchParams.get('limit') === '1' ? '[]' : pages[at])
  })
  server.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port))
}

/** In a process of its own: warmed up as one that has run for a while, then measured over several reads. */
async function child(design: Design, url: string): Promise<void> {
  const run = { bare, lean, engine: byEngine }[design]
  for (let read = 0; read < warmReads; read += 1) await run(url)
  const [cpu, from] = [process.cpuUsage(), performance.now()]
  let got = 0
  for (let read = 0; read < reads; read += 1) got += await run(url)
  const { user, system } = process.cpuUsage(cpu)
  const took = { cpuMs: (user + system) / 1_000 / reads, wallMs: (performance.now() - from) / reads }
  process.send?.({ took, got: got / reads })
  process.disconnect()
}

/** The least that reads the same pages: fetch, JSON.parse, the next address. */
async function bare(url: string): Promise<number> {
  let got = 0
  let next: string | undefined = url + path
  while (next !== undefined) {
    const res = await fetch(next, { headers: { authorization: 'SSWS t', accept: 'application/json' } })
    got += (JSON.parse(await res.text()) as unknown[]).length
    next = /<([^>]*)>; rel="next"/.exec(res.headers.get('link') ?? '')?.[1]
  }
  return got
}

/** The same with the client that the engine asks by, which costs less than fetch: what is above it is the engine's own. */
async function lean(url: string): Promise<number> {
  let got = 0
  let next: string | undefined = url + path
  while (next !== undefined) {
    const res: Dispatcher.ResponseData = await request(next, {
      headers: { authorization: 'SSWS t', accept: 'application/json' },
    })
    got += (JSON.parse(await res.body.text()) as unknown[]).length
    next = /<([^>]*)>; rel="next"/.exec(String(res.headers.link ?? ''))?.[1]
  }
  return got
}

async function byEngine(url: string): Promise<number> {
  const engine = createEngine({ clock: systemClock, log: silentLog, allowPrivateNetwork: true })
  const signal = new AbortController().signal
  let got = 0
  const given = { domain: url, token: 't' }
  for await (const page of engine.pages(okta, given, { signal, patienceMs: 0 })) got += page.accounts.length
  await engine.close()
  return got
}

async function measure(): Promise<void> {
  const folder = join('.saasm', 'bench', 'connectors')
  mkdirSync(folder, { recursive: true })
  const file = join(folder, 'pages')
  writePages(file, people, 'first')
  const server = fork(fileURLToPath(import.meta.url), ['serve', file])
  try {
    const url = `http://127.0.0.1:${await answer<number>(server)}`
    const samples: Record<Design, Took[]> = { bare: [], lean: [], engine: [] }
    for (let round = 0; round < rounds; round += 1)
      for (const design of ['bare', 'lean', 'engine'] as const) samples[design].push(await once(design, url))
    process.stdout.write(table(samples))
  } finally {
    server.kill()
    rmSync(folder, { recursive: true, force: true })
  }
}

async function once(design: Design, url: string): Promise<Took> {
  const flags = [`--people=${people}`]
  const process_ = fork(fileURLToPath(import.meta.url), ['child', design, url, ...flags])
  const { took, got } = await answer<{ took: Took; got: number }>(process_)
  await new Promise(resolve => process_.once('exit', resolve))
  if (got !== people) throw new Error(`${design} read ${got} and not ${people} people`)
  return took
}

function answer<T>(process_: ChildProcess): Promise<T> {
  return new Promise((resolve, reject) => {
    const ended = (code: number | null) => reject(new Error(`A measured process ended with ${code}`))
    process_.once('exit', ended)
    process_.once('message', message => {
      process_.off('exit', ended)
      resolve(message as T)
    })
  })
}

function table(samples: Record<Design, Took[]>): string {
  const of = (design: Design, what: keyof Took) =>
    median(samples[design].map(one => one[what])) / (people / 1_000)
  const line = (label: string, design: Design) =>
    `${label.padEnd(34)}${of(design, 'cpuMs').toFixed(2).padStart(8)} ms${of(design, 'wallMs').toFixed(2).padStart(8)} ms\n`
  const ratio = of('engine', 'cpuMs') / of('bare', 'cpuMs')
  return [
    `\n${people.toLocaleString('en-US')} people in pages of 200; medians of ${rounds} rounds, per 1,000 people\n`,
    `${''.padEnd(34)}${'CPU'.padStart(11)}${'wall'.padStart(11)}\n`,
    line('bare fetch loop and JSON.parse', 'bare'),
    line('bare request loop and JSON.parse', 'lean'),
    line('the engine, to clean accounts', 'engine'),
    `CPU: ${ratio.toFixed(2)} times the bare loop (aim ${aim}: ${ratio <= aim ? 'met' : 'MISSED'}), ${(of('engine', 'cpuMs') / of('lean', 'cpuMs')).toFixed(2)} times the request loop\n`,
  ].join('')
}
