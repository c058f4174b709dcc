// bench:slack: how soon Slack is answered and Edit Instance opened, idle and while four large syncs run in the same process; beside a bare Bolt app.
import { type ChildProcess, fork } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import { type Db, openDb } from '../src/db/db.ts'
import { createSeal } from '../src/instances/seal.ts'
import { createInstance } from '../src/instances/store.ts'
import { newId } from '../src/lib/ids.ts'
import { startServer } from './server.ts'
import { type LoopDelay, type Part, type PartTask, parts, syncsAtOnce } from './slack-parts.ts'
import { createVoice, flood, paced, startSlack } from './slack-say.ts'
import { startSyncing } from './slack-syncs.ts'
import { print, type Round } from './slack-table.ts'
import { within } from './within.ts'

const numberOf = (name: string, otherwise: number) =>
  Number(new RegExp(`--${name}=(\\d+)`).exec(process.argv.join(' '))?.[1] ?? otherwise)

/** Requests of one kind before the next kind has its turn: what disturbs the machine disturbs them all. */
const blockMax = 20
const everyMs = { idle: 8, syncing: 15 }
/** A window is two calls, and a few questions to the database. */
const windowEveryMs = 30
/** The longest of few say little: idle, where they are short, acknowledgements are asked for this many times as often. */
const timesIdle = 2

if (process.argv[2] === 'part') await part(process.argv[3] as Part)
else await measure()

/** In a process of its own: told what to be, says where it listens. */
async function part(name: Part): Promise<void> {
  process.once('disconnect', () => process.exit(0))
  const task = await new Promise<PartTask>(resolve => process.once('message', resolve as () => void))
  process.send?.({ ports: await parts[name](task) })
}

async function measure(): Promise<void> {
  const rounds = numberOf('rounds', 5)
  const people = numberOf('people', 100_000)
  const page = numberOf('page', 200)
  const requests = numberOf('requests', 300)
  const server = await startServer()
  await server.sql.unsafe('alter system reset autovacuum')
  await server.sql`select pg_reload_conf()`
  const slack = await startSlack()
  const secretKey = randomBytes(32)
  const task: PartTask = {
    ...{
      databaseUrl: server.url,
      slackApiUrl: slack.url,
      people,
      page,
      secretKey: secretKey.toString('base64'),
    },
    ...{ signingSecret: randomBytes(16).toString('hex'), botToken: 'xoxb-bench' },
  }
  const children: ChildProcess[] = []
  const db = openDb(server.url)
  try {
    const start = async (name: Part) => {
      const prof = name === 'app' && process.argv.includes('--prof')
      const child = fork(fileURLToPath(import.meta.url), ['part', name], {
        execArgv: prof ? ['--cpu-prof', '--cpu-prof-dir=.saasm/bench'] : [],
      })
      children.push(child)
      child.send(task)
      const { ports } = await heard<{ ports: number[] }>(child)
      return { child, ports }
    }
    const [app, bolt, vendor] = [await start('app'), await start('bolt'), await start('vendor')]
    const [appPort, boltPort] = [app.ports[0] ?? 0, bolt.ports[0] ?? 0]
    const names = new Map<string, string>()
    for (const port of vendor.ports) names.set(await instanceAt(db, port, secretKey), `acme-${port}`)
    const voice = createVoice(slack, task.signingSecret)
    const say = (port: number) => () => voice.say(port, 'help')
    const open = () => voice.open(appPort, `manage acme-${vendor.ports[0]}`)

    async function asked(into: Round, state: 'idle' | 'syncing'): Promise<void> {
      for (let left = requests; left > 0; left -= blockMax) {
        const block = Math.min(blockMax, left)
        const acks = state === 'idle' ? timesIdle * block : block
        into[state].bolt.push(...(await paced(acks, everyMs[state], say(boltPort))))
        into[state].help.push(...(await paced(acks, everyMs[state], say(appPort))))
        for (const { asked, drawn } of await paced(Math.ceil(block / 2), windowEveryMs, open)) {
          into[state].edit.push(asked)
          into[state].drawn.push(drawn)
        }
      }
      into[state].perSecond = {
        bolt: await flood(2 * requests, say(boltPort)),
        help: await flood(2 * requests, say(appPort)),
      }
    }

    // Compiled and connected before anything is counted.
    await paced(200, 10, say(boltPort))
    await paced(200, 10, say(appPort))
    await paced(50, 20, open)
    const done: Round[] = []
    for (let at = 1; at <= rounds; at += 1) {
      const round: Round = { idle: nothing(), syncing: nothing() }
      await asked(round, 'idle')
      const syncing = await startSyncing(db.sql, [...names.keys()], id =>
        voice.say(appPort, `sync ${names.get(id)}`),
      )
      app.child.send('watch')
      await asked(round, 'syncing')
      app.child.send('watched')
      round.loop = await heard<LoopDelay>(app.child)
      round.synced = await syncing.stop()
      done.push(round)
      process.stderr.write(`round ${at} of ${rounds}\n`)
    }
    process.stdout.write(
      `a round: idle ${timesIdle * requests} acknowledgements of each kind, one every ${everyMs.idle} ms; syncing ${requests}, one every ${everyMs.syncing} ms; ${requests / 2} windows in each, one every ${windowEveryMs} ms; in turns\n${rounds} rounds; ${syncsAtOnce} syncs of ${people} people, ${page} an answer\n`,
    )
    print(done)
  } finally {
    for (const child of children) await ended(child)
    await within(15, db.close(), 'The connections did not close').catch(complain)
    slack.stop()
    await within(30, server.stop(), 'Postgres did not stop').catch(complain)
  }
  process.exit(0)
}

function nothing(): Round['idle'] {
  return { bolt: [], help: [], edit: [], drawn: [], perSecond: { bolt: 0, help: 0 } }
}

function complain(error: unknown): void {
  process.stderr.write(`${String(error)}\n`)
}

function heard<T>(child: ChildProcess): Promise<T> {
  const answer = new Promise<T>((resolve, reject) => {
    const ended = (code: number | null) => reject(new Error(`A measured process ended with ${code}`))
    child.once('exit', ended)
    child.once('message', message => {
      child.off('exit', ended)
      resolve(message as T)
    })
  })
  return within(60, answer, 'A measured process said nothing')
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const gone = new Promise<void>(resolve => child.once('exit', () => resolve()))
  child.disconnect()
  await within(10, gone, 'A measured process did not end').catch(() => child.kill('SIGKILL'))
}

async function instanceAt(db: Db, port: number, key: Buffer): Promise<string> {
  const id = newId()
  const place = { teamId: 'T0BENCH', instanceId: id, field: 'credentials' }
  const sealed = createSeal([key]).seal(JSON.stringify({ token: 'bench' }), place)
  const facts = { id, teamId: 'T0BENCH', name: `acme-${port}`, connector: 'okta', sealed }
  const by = { tenantKey: null, tenantName: null, owner: 'U1', createdBy: 'U1' }
  const settings = { domain: `http://127.0.0.1:${port}` }
  await db.transaction(tx => createInstance(tx, { ...facts, ...by, settings }, new Date()))
  return id
}
