// What could not be delivered is said, listed, and tried again once: in one transaction, by admins, and never twice unasked.
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { newId } from '../../src/lib/ids.ts'
import { startWorld, until, type World } from '../support/world.ts'
import { handsOf } from './hands.ts'

let world: World
let instance: string
beforeAll(async () => {
  world = await startWorld()
  instance = newId()
  await rows(
    `insert into instance (id, team_id, owner, created_by, name, status, inactive_reason, connector, last_outcome, created_at, updated_at)
     values ($1, $2, 'U0ADA', 'U0ADA', 'okta', 'inactive', 'user', 'okta', 'succeeded', now(), now())`,
    ...[instance, world.person('Ada').state().team.id],
  )
  // A telling has its change in the audit.
  await rows(
    "insert into audit (team_id, actor, source, action, instance_id) values ('T', 'saasm', 'run', 'sync.failed', $1)",
    instance,
  )
})
afterAll(() => world.close())
afterEach(async () => {
  await ada().leave()
  await rows('delete from outbox')
})

const ada = () => handsOf(world, 'Ada')
const olivia = () => handsOf(world, 'Olivia')
const rows = (text: string, ...values: string[]) => world.database.db.sql.unsafe(text, values)
const { channel, mails, posts } = {
  channel: () => world.sandbox.settings.channel,
  mails: () => world.sandbox.mailbox.mails,
  posts: () => world.sandbox.slack.channel('saas-sync').messages.filter(message => message.onlyFor === null),
}
let seq = 0

/** A parked telling; `sentAgo`: an attempt whose answer was lost, so long ago. */
async function parked(
  medium: 'email' | 'slack' | 'slack-direct',
  facts: { to?: string; reason?: string; sentAgo?: string; name?: string } = {},
): Promise<string> {
  const id = newId()
  seq += 1
  const to =
    facts.to ?? { email: `p${seq}@example.com`, slack: channel(), 'slack-direct': 'U0OLIVIA' }[medium]
  const told = {
    ...{ kind: 'failed', instanceId: instance, instanceName: facts.name ?? `okta-${seq}`, app: 'Okta' },
    ...{ at: new Date().toISOString(), actor: null, lastSuccessAt: null, users: 3, next: 'Next.' },
    failure: { code: 'broken', message: 'Okta does not answer.', missing: [], reference: 'E2345678' },
  }
  await rows(
    `insert into outbox (id, team_id, instance_id, transition_seq, medium, destination, announcement, state, attempt, due_at, first_sent_at, reason, created_at)
      values ($1, $2, $3, $4::int, $5, $6, $7::text::jsonb, 'parked', 12, now() - interval '2 hours', now() - nullif($8, '')::interval, $9, now() - interval '2 days')`,
    ...[id, world.person('Ada').state().team.id, instance, String(seq), medium, to, JSON.stringify(told)],
    ...[facts.sentAgo ?? '', facts.reason ?? 'Slack: is_archived'],
  )
  return id
}

const state = async (id: string) => (await rows('select state, attempt from outbox where id = $1', id))[0]
const sent = (id: string) => until('it is sent', async () => (await state(id))?.state === 'sent')
const retried = () =>
  rows("select actor, after from audit where action = 'announcements.retried' order by id")

test('while nothing is parked nobody is told so', async () => {
  const before = ada().heard().length
  await ada().say('integrations')
  expect(await ada().told(before, /Integrations/)).not.toMatch(/could not be delivered/)
  await ada().say('undelivered')
  await ada().seen('that all went well', /Every announcement .* was delivered/)
})

test('/saasm integrations and Home say how many are parked, with a button that lists them', async () => {
  await parked('email', { reason: 'Resend: validation_error' })
  await parked('slack')
  await parked('slack-direct', { sentAgo: '1 hour', reason: 'Slack: network' })
  const before = ada().heard().length
  await ada().say('integrations')
  await ada().told(before, /3 announcements could not be delivered/)
  await ada().person.openHome()
  const home = () => JSON.stringify(ada().person.state().home)
  await until('Home', () => /3 announcements could not be delivered/.test(home()))
  const blocks = ada().person.state().home?.blocks as {
    block_id: string
    accessory?: { action_id: string }
  }[]
  const button = blocks.find(block => block.accessory?.action_id === 'undelivered')
  await ada().person.act({ home: true }, { blockId: button?.block_id ?? '', actionId: 'undelivered' })
  await ada().seen('the list', /3 announcements could not be delivered/)
  const shown = ada().shown()
  expect(shown).toMatch(/okta-\d+: sync failed\nTo|okta-\d+: sync failed/)
  expect(shown).toMatch(/To p\d+@example\.com · since/)
  expect(shown).toMatch(/The mail service refused an e-mail .*validation_error/)
  expect(shown).toMatch(/The channel is archived: choose another one/)
  expect(shown).toMatch(/Slack did not say whether a message to U0OLIVIA has arrived/)
  expect(shown).toMatch(/Send again/)
})

test('Try again sends one of them, with all its attempts, once, and writes down who asked', async () => {
  const id = await parked('email', { reason: 'Resend: validation_error' })
  const before = { mails: mails().length, audits: (await retried()).length }
  await ada().say('undelivered')
  await ada().seen('the list', /1 announcement could not be delivered/)
  await ada().press('undelivered-retry')
  await ada().seen('what is done', /1 announcement is tried again now/)
  await sent(id)
  expect(await state(id)).toMatchObject({ attempt: 1 })
  expect(mails().length - before.mails).toBe(1)
  expect((await retried()).slice(before.audits)).toMatchObject([
    { actor: 'U0ADA', after: { announcements: 1 } },
  ])
})

test('Try all again sends all that can be sent safely, a page or more, and leaves the others', async () => {
  const ids: string[] = []
  for (let n = 0; n < 13; n += 1) ids.push(await parked('email', { reason: 'Resend: validation_error' }))
  const unsafe = await parked('slack-direct', { sentAgo: '1 minute', reason: 'Slack: network' })
  const before = mails().length
  await ada().say('undelivered')
  await ada().seen('the first page', /14 announcements could not.*Page 1 of 2/s)
  await ada().press('undelivered-page')
  await ada().seen('the second page', /Page 2 of 2/)
  await ada().press('undelivered-all')
  await ada().seen('what is done', /13 announcements are tried again now/)
  for (const id of ids) await sent(id)
  expect(mails().length - before).toBe(13)
  expect(await state(unsafe)).toMatchObject({ state: 'parked' })
})

test('two admins who press at the same moment try it again once', async () => {
  const id = await parked('email', { reason: 'Resend: validation_error' })
  const before = { mails: mails().length, audits: (await retried()).length }
  await ada().say('undelivered')
  await olivia().say('undelivered')
  await ada().seen('the list', /1 announcement could/)
  await olivia().seen('the list', /1 announcement could/)
  await Promise.all([ada().press('undelivered-retry'), olivia().press('undelivered-retry')])
  await sent(id)
  const answers = () => [ada().shown(), olivia().shown()].join('\n')
  await until(
    'both answers',
    () => /is tried again now/.test(answers()) && /tried again already/.test(answers()),
  )
  expect(mails().length - before.mails).toBe(1)
  expect((await retried()).length - before.audits).toBe(1)
  await olivia().leave()
})

test('a post whose answer was lost is looked for before it is sent again, and found it is not', async () => {
  const id = await parked('slack', { sentAgo: '1 hour', reason: 'Slack: http_502', name: 'looked-for' })
  const before = posts().length
  // It had arrived: posted as the deliverer does, with its key.
  await fetch(`${world.sandbox.settings.slackApiUrl}chat.postMessage`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${world.sandbox.settings.botToken}`,
      'content-type': 'application/json',
    },
    body: JSON.stringify({
      ...{ channel: channel(), text: 'looked-for: sync failed' },
      metadata: { event_type: 'saasm_notice', event_payload: { key: id } },
    }),
  })
  expect(posts().length - before).toBe(1)
  await ada().say('undelivered')
  await ada().seen('the list', /did not say whether a message/)
  await ada().press('undelivered-retry')
  const moving = setInterval(() => world.clock.advance(2_000), 20)
  await sent(id).finally(() => clearInterval(moving))
  expect(posts().length - before).toBe(1)
})

test('an e-mail whose answer was lost more than a day ago is sent again only by somebody who says that it may arrive twice', async () => {
  const id = await parked('email', {
    sentAgo: '25 hours',
    reason: 'unknown: the mail service did not answer',
  })
  const before = mails().length
  await ada().say('undelivered')
  await ada().seen('the list', /did not say whether an e-mail/)
  expect(ada().shown()).not.toMatch(/Try again/)
  const view = ada().top().view.blocks as { accessory?: { action_id: string; confirm?: unknown } }[]
  const button = view.find(block => block.accessory)?.accessory
  expect(button).toMatchObject({
    action_id: 'undelivered-again:0',
    confirm: { title: { text: 'Send it again?' } },
  })
  await ada().press('undelivered-again')
  await sent(id)
  expect(mails().length - before).toBe(1)
  expect((await retried()).at(-1)?.after).toMatchObject({ mayArriveTwice: true })
})

test('a window drawn while it was safe to try again does not send what has become unsafe since', async () => {
  const id = await parked('email', { sentAgo: '23 hours', reason: 'Resend did not answer in time' })
  await ada().say('undelivered')
  await ada().seen('the list', /Try again/)
  await rows("update outbox set first_sent_at = first_sent_at - interval '2 hours' where id = $1", id)
  await ada().press('undelivered-retry')
  await ada().seen('why not', /may arrive twice: then choose “Send again”/)
  await ada().seen('the other button', /Send again/)
  expect(await state(id)).toMatchObject({ state: 'parked', attempt: 12 })
})

test('what is refused again comes back to the list, with all its attempts behind it', async () => {
  world.sandbox.slack.channel('saas-sync').archived = true
  const id = await parked('slack')
  await ada().say('undelivered')
  await ada().seen('the list', /1 announcement/)
  await ada().press('undelivered-retry')
  await until('it is parked again', async () => {
    const now = await state(id)
    return now?.state === 'parked' && now.attempt === 1
  })
  expect(await rows('select first_sent_at from outbox where id = $1', id)).toEqual([{ first_sent_at: null }])
  world.sandbox.slack.channel('saas-sync').archived = false
})

test('tellings about tellings, mail that was never set up, and what is older than a month are not listed', async () => {
  await parked('email', { reason: 'E-mail is not set up' })
  const about = await parked('email')
  await rows(
    `update outbox set announcement = jsonb_set(announcement, '{kind}', '"undelivered"') where id = $1`,
    about,
  )
  const old = await parked('email', { reason: 'Resend: validation_error' })
  await rows("update outbox set created_at = now() - interval '31 days' where id = $1", old)
  const foreign = await parked('email', { reason: 'Resend: validation_error' })
  await rows("update outbox set team_id = 'T0OTHER' where id = $1", foreign)
  await ada().say('undelivered')
  await ada().seen('that there is nothing', /Every announcement .* was delivered/)
})
