// Delivery under bad luck: two workers at once, a worker that died, a busy channel, a deleted message; each telling once.
import { randomUUID } from 'node:crypto'
import { createServer, type Server } from 'node:http'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { announce, tellAdmins, tellPerson } from '../../src/announce/announce.ts'
import type { Announcement, AnnouncementKind } from '../../src/announce/announcement.ts'
import { createDeliverer } from '../../src/announce/deliver.ts'
import { createMailer } from '../../src/announce/mailer.ts'
import { retryParked } from '../../src/announce/parked.ts'
import { createInstance } from '../../src/instances/store.ts'
import { silentLog } from '../../src/lib/log.ts'
import { createMailbox, type Mailbox } from '../../src/sandbox/mailbox.ts'
import { createSlackClient } from '../../src/slack/client.ts'
import { botToken, type Served, serveSlack } from '../sandbox/served.ts'
import { type TestDatabase, testDatabase } from '../support/postgres.ts'

let database: TestDatabase
let served: Served
let mailbox: Mailbox
let server: Server
let mailUrl = ''

beforeAll(async () => {
  database = await testDatabase()
  served = await serveSlack()
  mailbox = createMailbox({ apiKey: 're_test', clock: served.clock, enforceRates: false })
  server = createServer((req, res) => void mailbox.handle(req, res))
  mailUrl = await new Promise<string>(done =>
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      done(`http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`)
    }),
  )
})
afterAll(async () => {
  server.closeAllConnections()
  server.close()
  await served.stop()
  await database.drop()
})
beforeEach(async () => {
  await database.db.sql`delete from outbox`
})

function deliverer(owner: string) {
  const { clock } = served
  const slack = createSlackClient({ botToken, apiUrl: `${served.url}/api/`, clock, log: silentLog })
  const mailer = createMailer({
    apiKey: 're_test',
    from: 'saasm <saasm@acme.example>',
    timeoutMs: 6_000,
    baseUrl: mailUrl,
  })
  return createDeliverer({
    db: database.db,
    clock,
    log: silentLog,
    slack,
    mailer,
    owner,
    admins: () => slack.workspaceAdmins(),
  })
}

/** Deliver until nothing waits, moving the clock over every wait. */
async function deliverAll(...owners: string[]): Promise<void> {
  const workers = owners.map(deliverer)
  const signal = new AbortController().signal
  const moving = setInterval(() => served.clock.advance(1_000), 5)
  try {
    for (let round = 0; round < 200; round += 1) {
      await Promise.all(workers.map(worker => worker.deliverDue(signal)))
      const [left] = await database.db
        .sql`select count(*)::int n from outbox where state in ('pending', 'sending') and (lease_until is null or lease_until > now() - interval '1 day')`
      if (Number(left?.n) === 0) return
      served.clock.advance(5_000)
    }
    throw new Error('Something waits for ever')
  } finally {
    clearInterval(moving)
  }
}

async function instance(name: string, channel: string | null = null) {
  const team = served.slack.stateFor('U0ADA').team.id
  return database.db.transaction(tx =>
    createInstance(
      tx,
      {
        id: randomUUID(),
        teamId: team,
        name,
        connector: 'okta',
        tenantKey: null,
        tenantName: null,
        settings: {},
        sealed: null,
        owner: 'U0ADA',
        createdBy: 'U0ADA',
        channel,
      },
      served.clock.now(),
    ),
  )
}

type Instance = Awaited<ReturnType<typeof instance>>
async function tell(
  of: Instance,
  kind: AnnouncementKind,
  incident: 'open' | 'continue' | 'resolve' | 'none' = 'none',
  fails = false,
) {
  const announcement: Announcement = {
    kind,
    instanceId: of.id,
    instanceName: of.name,
    app: 'Okta',
    at: served.clock.now().toISOString(),
    actor: null,
    lastSuccessAt: null,
    users: 1,
    next: 'Next.',
    ...(kind === 'recovered' || kind === 'reactivated'
      ? {}
      : {
          failure: { code: 'broken', message: 'Okta does not answer.', missing: [], reference: 'E2345678' },
        }),
  }
  await database.db.transaction(async tx => {
    await announce(
      tx,
      { announcement, instance: of, incident },
      { channel: 'C0SYNC', now: served.clock.now(), ring: () => {} },
    )
    if (fails) throw new Error('rolled back')
  })
}

const said = (name: string, channel = 'C0SYNC') =>
  (served.slack.stateFor('U0ADA').channels.find(one => one.id === channel)?.messages ?? []).filter(message =>
    JSON.stringify(message).includes(name),
  )
const mailed = (name: string) => mailbox.mails.filter(mail => mail.subject.includes(name))

test('two workers at once tell each thing once', async () => {
  const all = await Promise.all(Array.from({ length: 20 }, (_, at) => instance(`twice-${at}-x`)))
  for (const one of all) await tell(one, 'reactivated')
  await deliverAll('a', 'b', 'c')
  for (const one of all) {
    expect(said(one.name), one.name).toHaveLength(1)
    expect(mailed(one.name), one.name).toHaveLength(1)
  }
})

test('what is rolled back is told to nobody', async () => {
  const one = await instance('rolled-back')
  await expect(tell(one, 'reactivated', 'none', true)).rejects.toThrow('rolled back')
  await deliverAll('a')
  expect(said('rolled-back')).toHaveLength(0)
})

test('a worker that died between send and settle is taken over, and what it sent is not sent again', async () => {
  const one = await instance('died')
  await tell(one, 'reactivated')
  await deliverAll('a')
  // As it would be had the worker died before it wrote down what it had sent.
  await database.db
    .sql`update outbox set state = 'sending', lease_until = now() - interval '1 second', sent_ref = null, sent_at = null where instance_id = ${one.id}`
  await deliverAll('b')
  expect(said('died')).toHaveLength(1)
  expect(mailed('died')).toHaveLength(1)
  const rows = await database.db.sql`select state, fence from outbox where instance_id = ${one.id}`
  for (const row of rows) expect(row).toMatchObject({ state: 'sent', fence: '2' })
})

test('a busy channel waits as long as Slack says, and another channel goes on meanwhile', async () => {
  const busy = await instance('busy-one')
  const free = await instance('free-one', 'C0GENERAL')
  await tell(busy, 'reactivated')
  await tell(free, 'reactivated')
  served.slack.faults.next({ method: 'chat.postMessage', kind: 'rate-limited', retryAfterSeconds: 300 })
  await deliverer('a').deliverDue(new AbortController().signal)
  expect(said('busy-one').length + said('free-one', 'C0GENERAL').length).toBe(1)
  const [waiting] = await database.db.sql`select reason, attempt from outbox where state = 'pending'`
  expect(waiting).toMatchObject({ reason: 'Slack: ratelimited', attempt: 0 })
  await deliverAll('a')
  expect(said('busy-one')).toHaveLength(1)
  expect(said('free-one', 'C0GENERAL')).toHaveLength(1)
})

test('and looks again after an hour where Slack says a year', async () => {
  const one = await instance('for-a-year')
  await tell(one, 'reactivated')
  const year = 31_536_000
  served.slack.faults.next({ method: 'chat.postMessage', kind: 'rate-limited', retryAfterSeconds: year })
  await deliverer('a').deliverDue(new AbortController().signal)
  const [row] = await database.db.sql`
    select extract(epoch from due_at - created_at)::int as seconds from outbox where instance_id = ${one.id} and reason is not null`
  expect(row?.seconds).toBeGreaterThan(3_500)
  expect(row?.seconds).toBeLessThan(3_700)
})

test('an incident is one message: edited when its cause changes, resolved in place, followed by one post', async () => {
  const one = await instance('incident')
  await tell(one, 'failed', 'open')
  await tell(one, 'cause-changed', 'continue')
  await tell(one, 'recovered', 'resolve')
  await deliverAll('a', 'b')
  const [first, second, ...more] = said('incident')
  expect(first?.text).toMatch(/^\[Resolved\]/)
  expect(second?.text).toMatch(/syncing again/)
  expect(more).toEqual([])
})

test('an incident whose message somebody deleted is told as a message again, into which goes what follows', async () => {
  const one = await instance('deleted-message')
  await tell(one, 'failed', 'open')
  await deliverAll('a')
  const channel = served.slack.channel('saas-sync')
  const at = channel.messages.findIndex(message => JSON.stringify(message).includes('deleted-message'))
  channel.messages.splice(at, 1)
  await tell(one, 'cause-changed', 'continue')
  await deliverAll('a')
  const [anew] = said('deleted-message')
  await tell(one, 'cause-changed', 'continue')
  await tell(one, 'inactivated', 'continue')
  await deliverAll('a')
  expect(said('deleted-message').map(message => message.ts)).toEqual([anew?.ts])
})

test('several failures that wait together are one message; what follows on one of them goes into its thread', async () => {
  served.clock.advance(600_000)
  const all = await Promise.all(Array.from({ length: 6 }, (_, at) => instance(`many-${at}-x`)))
  for (const one of all) await tell(one, 'failed', 'open')
  await deliverAll('a')
  const [bundle] = said('many-0-x')
  expect(bundle?.text).toBe('6 instances failed to sync')
  const [, second] = all
  if (second) await tell(second, 'recovered', 'resolve')
  await deliverAll('a')
  const replies = said('many-1-x').filter(message => message.threadTs === bundle?.ts)
  expect(replies).toHaveLength(1)
})

test('a mail the service refuses for good is parked, and the admins hear of it in Slack, once a day', async () => {
  for (let times = 0; times < 2; times += 1) {
    const one = await instance(`refused-${times}`)
    mailbox.faults.next({
      kind: 'status',
      status: 403,
      body: { statusCode: 403, name: 'validation_error', message: 'The domain is not verified.' },
    })
    await tell(one, 'reactivated')
    await deliverAll('a')
    const [row] = await database.db
      .sql`select state, reason from outbox where instance_id = ${one.id} and medium = 'email'`
    expect(row).toMatchObject({ state: 'parked', reason: 'Resend: validation_error' })
  }
  const direct = served.slack
    .stateFor('U0OLIVIA')
    .channels.filter(channel => channel.isDirect)
    .flatMap(channel => channel.messages)
  expect(direct.filter(message => /could not deliver/.test(message.text))).toHaveLength(1)
})

/** Deliver, and move the clock on to whatever is due next, until nothing waits or `hours` are over; returns the hours it took. */
async function deliverFor(hours: number): Promise<number> {
  const worker = deliverer('a')
  const signal = new AbortController().signal
  const began = served.clock.now().getTime()
  const took = () => (served.clock.now().getTime() - began) / 3_600_000
  // What is looked for twice sleeps two seconds between.
  const moving = setInterval(() => served.clock.advance(2_000), 5)
  try {
    while (took() < hours) {
      await worker.deliverDue(signal)
      const [left] = await database.db
        .sql`select count(*)::int n from outbox where state in ('pending', 'sending')`
      if (left?.n === 0) break
      served.clock.advance((await worker.nextDue()) ?? 0)
    }
    return took()
  } finally {
    clearInterval(moving)
  }
}

const mailsAbout = (what: RegExp) => mailbox.mails.filter(mail => what.test(mail.text ?? ''))
const slackAnswers = (
  fault: Exclude<Parameters<typeof served.slack.faults.next>[0], undefined> | undefined,
) =>
  served.slack.faults.each(method =>
    fault && (fault.method === undefined || fault.method === method) ? fault : undefined,
  )

test('what Slack does not take for an hour is told once, within minutes of its return, and nobody is bothered', async () => {
  const one = await instance('an-hour-away')
  await tell(one, 'reactivated')
  slackAnswers({ kind: 'status', status: 503 })
  await deliverFor(1)
  expect(said('an-hour-away')).toEqual([])
  // Whose address a mail goes to is asked of Slack, too.
  expect(await rowsOf(one)).toEqual([
    { medium: 'email', state: 'pending', reason: 'Slack: http_503' },
    { medium: 'slack', state: 'pending', reason: 'Slack: http_503' },
  ])
  const [next] = await database.db
    .sql`select extract(epoch from max(due_at))::float8 as due from outbox where state = 'pending'`
  expect(Number(next?.due) * 1000 - served.clock.now().getTime()).toBeLessThanOrEqual(120_000)
  slackAnswers(undefined)
  expect(await deliverFor(1)).toBeLessThan(0.1)
  expect(said('an-hour-away')).toHaveLength(1)
  expect(mailed('an-hour-away')).toHaveLength(1)
  expect(mailsAbout(/http_503/)).toEqual([])
})

test('what Slack does not take for six hours is parked, and the admins hear of it by e-mail', async () => {
  const one = await instance('a-day-away')
  await tell(one, 'reactivated')
  slackAnswers({ method: 'chat.postMessage', kind: 'status', status: 503 })
  const hours = await deliverFor(24)
  slackAnswers(undefined)
  expect(hours).toBeGreaterThan(6)
  expect(hours).toBeLessThan(7)
  expect(await rowsOf(one)).toEqual([
    { medium: 'email', state: 'sent', reason: null },
    { medium: 'slack', state: 'parked', reason: 'Slack: http_503' },
  ])
  expect(
    mailsAbout(/did not say whether a message to C0SYNC has arrived \(http_503\)/).length,
  ).toBeGreaterThan(0)
})

test.each([
  { what: 'a direct message', medium: 'slack-direct' },
  { what: 'the end of what was shown in one that is gone', medium: 'slack-edit' },
])(
  '$what, which nobody can look for, is sent twelve times at most, whatever else Slack does not answer',
  async ({ medium }) => {
    const one = await instance(`copies-of-${medium}`)
    await tell(one, 'reactivated')
    await database.db
      .sql`update outbox set medium = ${medium}, destination = 'U0ADA' where instance_id = ${one.id} and medium = 'slack'`
    slackAnswers({ kind: 'status', status: 503, afterStoring: true })
    await deliverFor(2)
    slackAnswers(undefined)
    const direct = served.slack.stateFor('U0ADA').channels.filter(channel => channel.isDirect)
    const copies = direct
      .flatMap(one => one.messages)
      .filter(one => JSON.stringify(one).includes(`copies-of-${medium}`))
    expect(copies).toHaveLength(12)
  },
)

test('a mail that is refused for good is sent once, and its word waits while Slack does not say who the admins are', async () => {
  const one = await instance('refused-meanwhile')
  await tell(one, 'reactivated')
  await database.db
    .sql`update outbox set destination = 'ops@acme.example' where instance_id = ${one.id} and medium = 'email'`
  const body = { statusCode: 403, name: 'invalid_to', message: 'No.' }
  mailbox.faults.next({ kind: 'status', status: 403, body })
  slackAnswers({ method: 'users.list', kind: 'status', status: 503 })
  await deliverFor(1)
  expect(await rowsOf(one)).toEqual([
    { medium: 'email', state: 'parked', reason: 'Resend: invalid_to' },
    { medium: 'slack', state: 'sent', reason: null },
  ])
  const word = () =>
    served.slack
      .stateFor('U0OLIVIA')
      .channels.filter(channel => channel.isDirect)
      .flatMap(channel => channel.messages)
      .filter(message => JSON.stringify(message).includes('invalid_to'))
  expect(word()).toEqual([])
  slackAnswers(undefined)
  await deliverFor(1)
  expect(word()).toHaveLength(1)
  expect(mailed('refused-meanwhile')).toEqual([])
})

test('a token that Slack does not know is an outage: what there is to tell is told once it is good', async () => {
  const one = await instance('no-token')
  await tell(one, 'reactivated')
  slackAnswers({ kind: 'error', error: 'invalid_auth' })
  await deliverFor(2)
  expect(await rowsOf(one)).toEqual([
    { medium: 'email', state: 'pending', reason: 'Slack: invalid_auth' },
    { medium: 'slack', state: 'pending', reason: 'Slack: invalid_auth' },
  ])
  slackAnswers(undefined)
  await deliverFor(1)
  expect(said('no-token')).toHaveLength(1)
  expect(mailed('no-token')).toHaveLength(1)
})

test('mails go on while Slack hangs', async () => {
  const all = await Promise.all(Array.from({ length: 4 }, (_, at) => instance(`hangs-${at}-x`)))
  for (const one of all) await tell(one, 'reactivated')
  await database.db
    .sql`update outbox set destination = 'ops-' || id || '@acme.example' where medium = 'email'`
  await database.db.sql`update outbox set due_at = due_at - interval '1 minute' where medium = 'slack'`
  slackAnswers({ method: 'chat.postMessage', kind: 'delay', ms: 30_000 })
  const before = served.slack.journal.length
  await deliverer('a').deliverDue(new AbortController().signal)
  slackAnswers(undefined)
  for (const one of all) expect(mailed(one.name)).toHaveLength(1)
  const [left] = await database.db
    .sql`select sum(attempt)::int as attempts from outbox where medium = 'slack'`
  expect(left, 'one has asked Slack').toEqual({ attempts: 1 })
  expect(served.slack.journal.length - before).toBeLessThan(2)
}, 30_000)

async function rowsOf(of: Instance) {
  const rows = await database.db
    .sql`select medium, state, reason from outbox where instance_id = ${of.id} order by medium`
  return rows.map(row => ({ ...row }))
}

/** What the one row of this medium says to the channel. */
const setRow = (of: Instance, medium: string, to: { state: string; reason: string }) =>
  database.db.sql`update outbox set state = ${to.state}, reason = ${to.reason}
    where instance_id = ${of.id} and medium = ${medium} and state in ('pending', 'sending')`

async function retryAll() {
  const { id } = served.slack.stateFor('U0ADA').team
  const now = served.clock.now()
  return database.db.transaction(tx => retryParked(tx, id, { ids: 'all', again: true, now }))
}

test('an older word that is tried again after a newer one leaves the message as it is', async () => {
  const one = await instance('older-word')
  await tell(one, 'failed', 'open')
  await deliverAll('a')
  await tell(one, 'cause-changed', 'continue')
  await setRow(one, 'slack-edit', { state: 'parked', reason: 'Slack: http_503' })
  await tell(one, 'recovered', 'resolve')
  await deliverAll('a')
  expect(said('older-word')[0]?.text).toMatch(/^\[Resolved\]/)
  expect(await retryAll()).toHaveLength(1)
  await deliverAll('a')
  expect(said('older-word')[0]?.text).toMatch(/^\[Resolved\]/)
})

test.each(['deleted', 'parked'])(
  'a recovery is posted once where its incident’s message is %s',
  async how => {
    const one = await instance(`recovery-${how}`)
    await tell(one, 'failed', 'open')
    if (how === 'parked') await setRow(one, 'slack', { state: 'parked', reason: 'Slack: is_archived' })
    await deliverAll('a')
    const { messages } = served.slack.channel('saas-sync')
    if (how === 'deleted')
      messages.splice(
        messages.findIndex(message => JSON.stringify(message).includes(one.name)),
        1,
      )
    await tell(one, 'recovered', 'resolve')
    await deliverAll('a')
    expect(said(one.name).map(message => message.text)).toEqual([expect.stringMatching(/syncing again/)])
  },
)

test('a reply in a bundle’s thread whose answer was lost is not posted again', async () => {
  served.clock.advance(600_000)
  const all = await Promise.all(Array.from({ length: 6 }, (_, at) => instance(`reply-${at}-x`)))
  for (const one of all) await tell(one, 'failed', 'open')
  await deliverAll('a')
  const [, second] = all
  if (second) await tell(second, 'cause-changed', 'continue')
  served.slack.faults.next({ method: 'chat.postMessage', kind: 'status', status: 503, afterStoring: true })
  await deliverAll('a')
  expect(said('reply-1-x').filter(message => message.threadTs)).toHaveLength(1)
})

test('a failure that is tried again after its recovery says that it is over', async () => {
  const one = await instance('tried-late')
  await tell(one, 'failed', 'open')
  await setRow(one, 'slack', { state: 'parked', reason: 'Slack: is_archived' })
  await tell(one, 'recovered', 'resolve')
  await deliverAll('a')
  await retryAll()
  await deliverAll('a')
  expect(said('tried-late').map(message => message.text)).toEqual([
    expect.stringMatching(/syncing again/),
    expect.stringMatching(/^\[Resolved\] tried-late/),
  ])
})

test('what follows on a bundle that somebody deleted is posted, and is what later news is put into', async () => {
  served.clock.advance(600_000)
  const all = await Promise.all(Array.from({ length: 6 }, (_, at) => instance(`no-bundle-${at}-x`)))
  for (const one of all) await tell(one, 'failed', 'open')
  await deliverAll('a')
  const { messages } = served.slack.channel('saas-sync')
  messages.splice(
    messages.findIndex(message => message.ts === said('no-bundle-1-x')[0]?.ts),
    1,
  )
  const [, second] = all
  if (!second) throw new Error('no instance')
  await tell(second, 'cause-changed', 'continue')
  await deliverAll('a')
  await tell(second, 'recovered', 'resolve')
  await deliverAll('a')
  expect(said('no-bundle-1-x').map(message => message.text)).toEqual([
    expect.stringMatching(/^\[Resolved\]/),
    expect.stringMatching(/syncing again/),
  ])
})

test('what follows on a message in a channel that is archived goes to the channel of now', async () => {
  const one = await instance('moved-on')
  await tell(one, 'failed', 'open')
  await deliverAll('a')
  served.slack.faults.next({ method: 'chat.update', kind: 'error', error: 'is_inactive' })
  await tell({ ...one, channel: 'C0GENERAL' }, 'cause-changed', 'continue')
  await deliverAll('a')
  await tell({ ...one, channel: 'C0GENERAL' }, 'cause-changed', 'continue')
  await deliverAll('a')
  expect(said('moved-on', 'C0GENERAL')).toHaveLength(1)
})

test('an older word that Slack did not take at once does not come over a newer one that was for another channel', async () => {
  const one = await instance('moved-meanwhile')
  await tell(one, 'failed', 'open')
  await deliverAll('a')
  await tell(one, 'cause-changed', 'continue')
  slackAnswers({ method: 'chat.update', kind: 'status', status: 503 })
  await deliverer('a').deliverDue(new AbortController().signal)
  slackAnswers(undefined)
  await tell({ ...one, channel: 'C0GENERAL' }, 'recovered', 'resolve')
  await deliverAll('a')
  expect(said('moved-meanwhile')[0]?.text).toMatch(/^\[Resolved\]/)
})

test('a mail that finds the quota used up waits a day, is parked as one that was not sent, and the admins hear why', async () => {
  const one = await instance('no-quota')
  await tell(one, 'reactivated')
  mailbox.faults.each(() => ({
    kind: 'status',
    status: 429,
    body: { statusCode: 429, name: 'monthly_quota_exceeded', message: 'No.' },
  }))
  const hours = await deliverFor(72)
  mailbox.faults.each(() => undefined)
  expect(hours).toBeLessThan(26)
  const [row] = await database.db
    .sql`select state, reason, first_sent_at from outbox where instance_id = ${one.id} and medium = 'email'`
  expect(row).toEqual({ state: 'parked', reason: 'Resend: monthly_quota_exceeded', first_sent_at: null })
  const direct = served.slack.stateFor('U0OLIVIA').channels.filter(channel => channel.isDirect)
  expect(JSON.stringify(direct)).toMatch(/quota is used up/)
})

test('Slack hears of it while the mail service hangs', async () => {
  const all = await Promise.all(Array.from({ length: 4 }, (_, at) => instance(`mail-hangs-${at}-x`)))
  for (const one of all) await tell(one, 'reactivated')
  await database.db
    .sql`update outbox set destination = 'ops-' || id || '@acme.example', due_at = due_at - interval '1 minute' where medium = 'email'`
  mailbox.faults.each(() => ({ kind: 'delay', ms: 30_000 }))
  await deliverer('a').deliverDue(new AbortController().signal)
  mailbox.faults.each(() => undefined)
  for (const one of all) expect(said(one.name)).toHaveLength(1)
  const [left] = await database.db
    .sql`select sum(attempt)::int as attempts from outbox where medium = 'email'`
  expect(left, 'one has asked the mail service').toEqual({ attempts: 1 })
}, 60_000)

test('a key that the mail service does not know is an outage: what there is to tell is told once it is good', async () => {
  const one = await instance('no-key')
  await tell(one, 'reactivated')
  mailbox.faults.each(() => ({
    kind: 'status',
    status: 401,
    body: { statusCode: 401, name: 'validation_error', message: 'API key is invalid' },
  }))
  await deliverFor(2)
  mailbox.faults.each(() => undefined)
  const [row] = await database.db
    .sql`select state, reason, first_sent_at from outbox where instance_id = ${one.id} and medium = 'email'`
  expect(row).toEqual({ state: 'pending', reason: 'Resend: invalid_api_key', first_sent_at: null })
  const direct = served.slack.stateFor('U0OLIVIA').channels.filter(channel => channel.isDirect)
  const words = direct.flatMap(channel => channel.messages.map(message => JSON.stringify(message)))
  expect(words.filter(word => /Check RESEND_API_KEY.*tries again for six hours/.test(word))).toHaveLength(1)
  await deliverFor(1)
  expect(mailed('no-key')).toHaveLength(1)
})

test('a mail whose address Slack does not tell for want of a scope says so, and nothing of the mail service', async () => {
  const one = await instance('no-scope')
  await tell(one, 'reactivated')
  slackAnswers({ method: 'users.info', kind: 'error', error: 'missing_scope' })
  await deliverFor(1)
  slackAnswers(undefined)
  const direct = served.slack.stateFor('U0OLIVIA').channels.filter(channel => channel.isDirect)
  expect(JSON.stringify(direct)).toMatch(
    /Slack did not say what the e-mail address of U0ADA is \(missing_scope\)/,
  )
  expect(JSON.stringify(direct)).not.toMatch(/The mail service refused an e-mail to U0ADA \(missing_scope\)/)
})

test.each([
  ['U0ADA', 'an admin who did not ask hears it, too'],
  ['U0OLIVIA', 'an admin who asked hears it once'],
])('what goes to who asked (%s) and to the admins is one message each: %s', async (userId, what) => {
  const one = await instance(`stuck ${what}`)
  const now = served.clock.now()
  const failure = { code: 'internal', message: 'It could not finish.', missing: [], reference: one.id }
  const announcement: Announcement = {
    ...{ kind: 'removal-stuck', instanceId: one.id, instanceName: one.name, app: 'Okta', actor: userId },
    ...{ at: now.toISOString(), lastSuccessAt: null, users: 1, failure, next: 'Next.' },
  }
  const told = { announcement, teamId: one.teamId }
  await database.db.transaction(async tx => {
    await tellPerson(tx, { ...told, userId, key: randomUUID() }, { now, ring: () => {} })
    await tellAdmins(tx, { ...told, key: randomUUID() }, { now, ring: () => {} })
  })
  await deliverAll('a')
  const heard = (who: string) =>
    served.slack
      .stateFor(who)
      .channels.filter(channel => channel.isDirect)
      .flatMap(channel => channel.messages)
      .filter(message => JSON.stringify(message).includes(one.name))
  expect(heard('U0OLIVIA')).toHaveLength(1)
  expect(heard(userId)).toHaveLength(1)
})
