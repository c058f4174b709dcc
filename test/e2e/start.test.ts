// The start as a person sees it: the built app as a process of its own, in a folder of its own.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterEach, beforeAll, expect, test } from 'vitest'
import { openDb } from '../../src/db/db.ts'
import { startEmbedded } from '../../src/db/embedded.ts'
import { migrate } from '../../src/db/migrate.ts'

const main = resolve('dist/main.js')
const folders: string[] = []
const children: ChildProcess[] = []

beforeAll(() => {
  execFileSync('npm', ['run', '--silent', 'build'])
})
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL')
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
})

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'saasm-start-'))
  folders.push(folder)
  return folder
}

/** Start saasm in `cwd`; `shown` resolves with all it printed once `pattern` is in it, and rejects after 60 s. */
function start(cwd: string, env: Record<string, string> = {}, script = main) {
  const child = spawn(process.execPath, [script], {
    cwd,
    env: { PATH: process.env.PATH ?? '', HOME: cwd, PORT: '0', ...env },
  })
  children.push(child)
  let printed = ''
  const listeners = new Set<() => void>()
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', chunk => {
      printed += String(chunk)
      for (const listener of listeners) listener()
    })
  }
  const ended = new Promise<number | null>(done => child.once('exit', code => done(code)))
  const shown = (pattern: RegExp) =>
    new Promise<string>((found, refuse) => {
      const look = () => {
        if (pattern.test(printed)) found(printed)
      }
      listeners.add(look)
      look()
      setTimeout(() => refuse(new Error(`Not shown within 60 s: ${pattern}\n${printed}`)), 60_000).unref()
      void ended.then(code => refuse(new Error(`It ended with ${code}\n${printed}`)))
    })
  return { child, ended, shown, printed: () => printed }
}

test('without credentials it opens the sandbox, is ready, stops cleanly, and starts again with its data', async () => {
  const folder = newFolder()
  const first = start(folder)
  const text = await first.shown(/Three things to try/)
  const page = /open (http:\/\/\S+)/.exec(text)?.[1] ?? ''
  expect((await fetch(page)).status).toBe(200)
  const ready = /(http:\/\/\S+\/readyz)/.exec(text)?.[1] ?? ''
  await expect.poll(async () => (await fetch(ready)).status, { timeout: 10_000 }).toBe(200)
  expect((await fetch(ready.replace('readyz', 'healthz'))).status).toBe(200)
  first.child.kill('SIGTERM')
  expect(await first.ended).toBe(0)
  const second = start(folder)
  await second.shown(/Three things to try/)
  second.child.kill('SIGINT')
  expect(await second.ended).toBe(0)
})

function freePort(): Promise<number> {
  return new Promise(done => {
    const server = createServer()
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => done(typeof address === 'object' && address ? address.port : 0))
    })
  })
}

test('a port that is taken is answered with the next free one, printed', async () => {
  const server = createServer()
  const taken = await new Promise<number>(done =>
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      done(typeof address === 'object' && address ? address.port : 0)
    }),
  )
  const started = start(newFolder(), { PORT: String(taken) })
  const text = await started.shown(/Three things to try/)
  server.close()
  const port = Number(/open http:\/\/[^:]+:(\d+)/.exec(text)?.[1])
  expect(port).toBeGreaterThan(taken)
})

test('a stop while its Postgres starts leaves no server behind', async () => {
  const folder = newFolder()
  const first = start(folder)
  const lock = join(folder, '.saasm/postgres/data/postmaster.pid')
  // While initdb makes the data there is a negative number in it.
  const serves = () => existsSync(lock) && /^\d+\n/.test(readFileSync(lock, 'utf8'))
  await expect.poll(serves, { timeout: 30_000, interval: 1 }).toBe(true)
  first.child.kill('SIGTERM')
  await first.ended
  expect(first.printed()).not.toMatch(/Three things to try/)
  await start(folder).shown(/Three things to try/)
})

test('two starts in one folder: the second says so and ends', async () => {
  const folder = newFolder()
  await start(folder).shown(/Three things to try/)
  const second = start(folder)
  expect(await second.ended).not.toBe(0)
  expect(second.printed()).toMatch(/Another saasm .* Stop it first/)
})

test.each([
  ['signed HTTP', {}],
  ['Socket Mode', { socket: true }],
])(
  'with Slack credentials the same app runs against Slack, over %s',
  async (_door, { socket }: { socket?: boolean }) => {
    // A sandbox of its own plays Slack: its API, its tokens.
    const slackFolder = newFolder()
    const slack = await start(slackFolder).shown(/Three things to try/)
    const page = /open (http:\/\/[^\s]+)/.exec(slack)?.[1] ?? ''
    const kept = JSON.parse(readFileSync(join(slackFolder, '.saasm/sandbox.json'), 'utf8')) as Record<
      string,
      string
    >
    const port = String(await freePort())
    const app = start(newFolder(), {
      PORT: port,
      SLACK_BOT_TOKEN: kept.botToken ?? '',
      SLACK_API_URL: `${page}/api/`,
      SAASM_CHANNEL: 'saas-sync',
      SAASM_SECRET_KEY: Buffer.alloc(32, 7).toString('base64'),
      LOG_LEVEL: 'info',
      ...(socket
        ? { SLACK_APP_TOKEN: kept.appToken ?? '' }
        : { SLACK_SIGNING_SECRET: kept.signingSecret ?? '' }),
    })
    await app.shown(/saasm is up/)
    await expect
      .poll(async () => (await fetch(`http://127.0.0.1:${port}/readyz`)).status, { timeout: 15_000 })
      .toBe(200)
    if (!socket) {
      const unsigned = await fetch(`http://127.0.0.1:${port}/slack/events`, {
        method: 'POST',
        body: 'command=/saasm',
      })
      expect(unsigned.status, 'an unsigned request is refused').toBe(401)
    }
    app.child.kill('SIGTERM')
    expect(await app.ended).toBe(0)
  },
)

test('without credentials a database of a company’s is neither opened nor changed', async () => {
  const postgres = await startEmbedded(join(newFolder(), 'postgres'), { fast: true })
  await migrate(postgres.url, 'drizzle/migrations')
  const db = openDb(postgres.url, { connectionsMax: 1 })
  try {
    await db.sql`insert into instance (id, team_id, name, connector, status, owner, created_by, created_at, updated_at)
      values (gen_random_uuid(), 'T0ACME', 'okta', 'okta', 'live', 'U1', 'U1', now(), now())`
    const started = start(newFolder(), { DATABASE_URL: postgres.url })
    expect(await started.ended).toBe(1)
    expect(started.printed()).toMatch(
      /belongs to the Slack workspace T0ACME.*Set SLACK_BOT_TOKEN.*leave DATABASE_URL out/,
    )
    await db.sql`update instance set team_id = 'T0SANDBOX'`
    await start(newFolder(), { DATABASE_URL: postgres.url }).shown(/Three things to try/)
  } finally {
    for (const child of children) child.kill('SIGKILL')
    await db.close(1)
    await postgres.stop()
  }
})

test('production without credentials is refused with one line a variable', async () => {
  const started = start(newFolder(), { NODE_ENV: 'production' })
  expect(await started.ended).toBe(1)
  expect(started.printed()).toMatch(/SLACK_BOT_TOKEN is missing: .+\n.*SLACK_SIGNING_SECRET is missing/)
})

test('the image’s install and start steps work in a clean folder', async () => {
  const folder = newFolder()
  for (const name of ['package.json', 'package-lock.json', '.npmrc', 'manifest.yml', 'dist', 'drizzle']) {
    cpSync(name, join(folder, name), { recursive: true })
  }
  const dockerfile = readFileSync('Dockerfile', 'utf8')
  const install = /FROM \S+ AS dependencies\n(?:.*\n)*?RUN (npm ci .*)/.exec(dockerfile)?.[1] ?? ''
  expect(install).toBe('npm ci --omit=dev --omit=optional --ignore-scripts')
  execFileSync('npm', install.split(' ').slice(1), { cwd: folder, stdio: 'pipe' })
  const refused = start(folder, { NODE_ENV: 'production' }, join(folder, 'dist/main.js'))
  expect(await refused.ended).toBe(1)
  expect(refused.printed(), 'it got as far as its settings').toMatch(/DATABASE_URL is missing/)
  const noServer = start(folder, {}, join(folder, 'dist/main.js'))
  expect(await noServer.ended).toBe(1)
  expect(noServer.printed()).toMatch(/DATABASE_URL is not set and the embedded Postgres is not installed/)
})
