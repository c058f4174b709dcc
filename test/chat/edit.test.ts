// What an admin's windows promise: nothing is overwritten unseen, what cannot be taken is refused at its field, X discards.
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { newId } from '../../src/lib/ids.ts'
import { startWorld, until, type World } from '../support/world.ts'
import { handsOf } from './hands.ts'

let world: World
beforeAll(async () => {
  world = await startWorld()
})
afterAll(() => world.close())
afterEach(async () => {
  for (const name of ['Ada', 'Olivia']) await handsOf(world, name).leave()
})

const ada = () => handsOf(world, 'Ada')
const olivia = () => handsOf(world, 'Olivia')
const rows = (text: string, ...values: string[]) => world.database.db.sql.unsafe(text, values)
const instance = async (id: string) => (await rows('select * from instance where id = $1', id))[0]
const ownRecipients = async (id: string) =>
  (await rows('select email from recipient where instance_id = $1 order by email', id)).map(row => row.email)
const commonRecipients = async () =>
  (await rows('select email from recipient where instance_id is null order by added_at, email')).map(
    row => row.email,
  )

/** An instance that never syncs by itself; with no token, so that nothing is asked of the vendor. `inactive`: why it is. */
async function made(name: string, inactive = ''): Promise<string> {
  const id = newId()
  const settings = JSON.stringify({ domain: `${world.sandbox.url}/vendors/okta` })
  const by = [world.person('Ada').state().team.id, world.userId('Ada')]
  const status = inactive === '' ? 'live' : 'inactive'
  await rows(
    `insert into instance (id, team_id, owner, created_by, name, status, inactive_reason, settings, connector, last_outcome, next_sync_at, created_at, updated_at)
     values ($1, $2, $3, $3, $4, $5, nullif($6, ''), ($7::text)::jsonb, 'okta', 'succeeded', now() + interval '20 hours', now(), now())`,
    ...[id, ...by, name, status, inactive, settings],
  )
  return id
}

async function manage(who: ReturnType<typeof ada>, name: string) {
  await who.say(`manage ${name}`)
  await who.seen('Edit Instance', /Sync every/)
}

test('of two admins editing at once the second is told who was first, loses nothing of theirs, and sees it', async () => {
  const id = await made('both-edit')
  await manage(ada(), 'both-edit')
  await manage(olivia(), 'both-edit')
  ada().type('name', { value: 'ada-was-here' })
  ada().type('schedule', { selectedOption: '6' })
  await ada().submit()
  olivia().type('name', { value: 'olivia-was-here' })
  olivia().type('schedule', { selectedOption: '1' })
  await olivia().submit()
  await olivia().seen('who was first', new RegExp(`<@${world.userId('Ada')}> has changed this instance`))
  expect(await instance(id)).toMatchObject({ name: 'ada-was-here', schedule_hours: 6 })
  expect(olivia().field('name')).toEqual({ value: 'ada-was-here' })
  expect(olivia().field('schedule')).toEqual({ selectedOption: '6' })
  await olivia().submit()
  expect(await instance(id), 'pressing on changes nothing').toMatchObject({
    name: 'ada-was-here',
    schedule_hours: 6,
  })
})

test('the window of Edit Instance opens while the database answers nothing, and is drawn as soon as it does', async () => {
  await made('slow-database')
  const lock = await world.database.db.sql.reserve()
  await lock.unsafe('begin; lock table instance, heard in access exclusive mode')
  try {
    await ada().say('manage slow-database')
    await ada().seen('the window', /One moment/)
  } finally {
    await lock.unsafe('rollback')
    lock.release()
  }
  await ada().seen('Edit Instance', /Sync every/)
})

test('recipients that one admin has added are not lost when another saves', async () => {
  const id = await made('both-recipients')
  await manage(ada(), 'both-recipients')
  await manage(olivia(), 'both-recipients')
  ada().type('recipients', { value: 'first@example.com' })
  await ada().submit()
  await until('the recipient', async () => (await ownRecipients(id)).length === 1)
  olivia().type('recipients', { value: 'second@example.com' })
  await olivia().submit()
  await olivia().seen('who was first', /has changed this instance/)
  expect(await ownRecipients(id)).toEqual(['first@example.com'])
  expect(olivia().field('recipients')).toEqual({ value: 'first@example.com' })
})

test('another base address asks for the token anew, and nothing is saved without it', async () => {
  const id = await made('other-address')
  const before = await instance(id)
  await manage(ada(), 'other-address')
  ada().type('domain', { value: 'https://evil.example.com' })
  await ada().submit()
  await ada().seen('the reason at the token', /Something above has changed: give the .*token anew/i)
  expect(Object.keys(ada().top().errors)).toEqual(['token'])
  expect(await instance(id)).toEqual(before)
})

test('new credentials that work are sealed, start a new generation, and are synced with at once', async () => {
  const id = await made('new-token')
  const token = world.sandbox.vendors.okta.token()
  await manage(ada(), 'new-token')
  ada().type('token', { value: token })
  await ada().submit()
  await ada().seen('the end of the check', /The credentials work/)
  const after = await instance(id)
  expect(after).toMatchObject({ generation: 2, version: 2 })
  expect(JSON.stringify(after)).not.toContain(token)
  await until(
    'the edited run',
    async () =>
      (
        await rows(
          "select 1 from sync_run where instance_id = $1 and trigger = 'edited' and state = 'succeeded'",
          id,
        )
      ).length,
  )
})

test('a window that is closed during its check says so before: the check goes on, and what works is saved', async () => {
  const id = await made('closed-early')
  const { okta } = world.sandbox.vendors
  const answer = okta.handle
  let open = () => {}
  const opened = new Promise<void>(done => {
    open = done
  })
  okta.handle = async (req, res) => {
    await opened
    return answer(req, res)
  }
  try {
    await manage(ada(), 'closed-early')
    ada().type('token', { value: okta.token() })
    await ada().submit()
    expect(ada().shown()).toMatch(
      /Checking… saasm asks Okta whether the credentials work\. If you close this window, the check goes on, and saasm saves what works\./,
    )
    await ada().leave()
  } finally {
    open()
    okta.handle = answer
  }
  await until('saved', async () => (await instance(id))?.version === 2)
  expect(ada().shown()).toBe('')
})

test('new credentials that do not work are refused at their field, and the old ones stay', async () => {
  const id = await made('bad-token')
  const before = await instance(id)
  await manage(ada(), 'bad-token')
  ada().type('name', { value: 'bad-token-renamed' })
  ada().type('token', { value: 'wrong' })
  await ada().submit()
  await ada().seen('the refusal', /:warning:/)
  expect(ada().field('name'), 'what was typed is still there').toEqual({ value: 'bad-token-renamed' })
  expect(await instance(id)).toEqual(before)
})

test.each(['not an address', 'a@b', 'good@example.com, <script>@example.com'])(
  'recipients like “%s” are refused at their field, and nothing is saved',
  async typed => {
    const name = `bad-recipients-${typed.length}`
    const id = await made(name)
    await manage(ada(), name)
    ada().type('recipients', { value: typed })
    ada().type('schedule', { selectedOption: '12' })
    await ada().submit()
    expect(Object.keys(ada().top().errors)).toEqual(['recipients'])
    expect(await ownRecipients(id)).toEqual([])
    expect(await instance(id)).toMatchObject({ schedule_hours: 24, version: 1 })
  },
)

test('a name that is taken is refused at its field, whatever its case', async () => {
  await made('taken-name')
  const id = await made('wants-a-name')
  await manage(ada(), 'wants-a-name')
  ada().type('name', { value: 'Taken-Name' })
  await ada().submit()
  await until('the refusal', () => /called taken-name already/.test(ada().top().errors.name ?? ''))
  expect(await instance(id)).toMatchObject({ name: 'wants-a-name', version: 1 })
})

test('a shorter schedule is saved and counts from now on', async () => {
  const id = await made('hourly')
  await manage(ada(), 'hourly')
  ada().type('schedule', { selectedOption: '1' })
  await ada().submit()
  const after = await instance(id)
  expect(after).toMatchObject({ schedule_hours: 1 })
  const inMs = Date.parse(String(after?.next_sync_at)) - world.clock.now().getTime()
  expect(inMs).toBeLessThanOrEqual(3_600_000)
})

test('set Inactive, it keeps its users, and the sync that waits is cancelled: who waits for it hears that, and is offered no other', async () => {
  const heard = olivia().heard().length
  const id = await made('paused')
  await rows(
    "insert into account (instance_id, external_id, status, kind, roles, licences, hash, first_seen_at) values ($1, 'a', 'active', 'human', '{}', '{}', '', now())",
    id,
  )
  await rows(
    "insert into sync_run (id, instance_id, trigger, also_asked, state, due_at, requested_at) values (gen_random_uuid(), $1, 'scheduled', array[$2], 'requested', now() + interval '1 hour', now())",
    ...[id, world.userId('Olivia')],
  )
  await manage(ada(), 'paused')
  ada().type('status', { selectedOption: 'inactive' })
  await ada().submit()
  expect(await instance(id)).toMatchObject({
    status: 'inactive',
    inactive_reason: 'user',
    inactive_by: world.userId('Ada'),
  })
  expect(await rows('select state from sync_run where instance_id = $1', id)).toMatchObject([
    { state: 'cancelled' },
  ])
  expect(await rows('select 1 from account where instance_id = $1 and gone_at is null', id)).toHaveLength(1)
  const told = await olivia().told(heard, /paused: the sync you asked for was stopped/)
  expect(told).toMatch(/Manage/)
  expect(told).not.toMatch(/Sync now/)
})

test('Sync now while a sync runs says so and starts no second one', async () => {
  const id = await made('busy-one')
  await rows(
    "insert into sync_run (id, instance_id, trigger, requested_by, state, due_at, requested_at, started_at, lease_until) values (gen_random_uuid(), $1, 'manual', $2, 'running', now(), now(), now(), now() + interval '1 hour')",
    ...[id, world.userId('Olivia')],
  )
  const before = ada().heard().length
  await ada().say('sync busy-one')
  const reply = await ada().told(before, /busy-one/)
  expect(reply).toMatch(/syncing already/)
  expect(reply).toContain(`<@${world.userId('Olivia')}>`)
  expect(reply).toContain('You hear its end by direct message.')
  const own = olivia().heard().length
  await olivia().say('sync busy-one')
  expect(await olivia().told(own, /busy-one/)).toMatch(/asked for by you\. No second/)
  expect(await rows('select 1 from sync_run where instance_id = $1', id)).toHaveLength(1)
})

test('Delete All Users says who hears its end: who has asked for it first', async () => {
  const id = await made('to-be-emptied')
  const [mine, hers] = [ada(), olivia()]
  for (const who of [mine, hers]) {
    await manage(who, 'to-be-emptied')
    await who.press('delete-users')
    await who.seen('the question', /will no longer be reported/)
  }
  // It cannot end before the other one has asked, too.
  const lock = await world.database.db.sql.reserve()
  await lock.unsafe('begin; lock table account in access exclusive mode')
  try {
    await mine.submit()
    await mine.seen('what follows', /are being removed\. You hear the end by direct message/)
    await hers.submit()
    await hers.seen('what follows', /are being removed\. Who asked for it first hears the end/)
  } finally {
    await lock.unsafe('rollback')
    lock.release()
  }
  const end = await mine.told(0, /to-be-emptied: all users deleted/)
  expect(end).toMatch(/Sync now/)
  expect(await rows('select 1 from removal where instance_id = $1', id)).toHaveLength(1)
  for (const who of [mine, hers]) await who.leave()
})

test.each([
  ['user', /Inactive \(set by a person\)\. Set it Live in Edit Instance, and it syncs at once/],
  ['token_inactive', /token was refused\)\. Give it a new token in Edit Instance and set it Live/],
  [
    'insufficient_permissions',
    /permission\)\. Grant the permission in Okta and set it Live in Edit Instance/,
  ],
])('Sync now of what is Inactive (%s) says what makes it sync again', async (reason, says) => {
  const name = `resting-${reason}`
  const id = await made(name, reason)
  const before = ada().heard().length
  await ada().say(`sync ${name}`)
  expect(await ada().told(before, new RegExp(name))).toMatch(says)
  expect(await rows('select 1 from sync_run where instance_id = $1', id)).toEqual([])
})

test('the same tenant connected twice is pointed out, and connected only when it is wanted', async () => {
  const { github } = world.sandbox.vendors
  const connect = async (name: string) => {
    await ada().say('connect scim')
    await ada().seen('the form', /base address/i)
    ada().type('name', { value: name })
    ada().type('address', { value: `${world.sandbox.url}/vendors/scim` })
    ada().type('token', { value: world.sandbox.vendors.scim.token() })
    await ada().submit()
  }
  expect(github.people().length).toBeGreaterThan(0)
  await connect('scim-one')
  await ada().seen('the confirmation', /is connected/)
  await ada().leave()
  await connect('SCIM-One')
  await until('the refusal', () => /called scim-one already/.test(ada().top().errors.name ?? ''))
  await ada().leave()
  await connect('scim-two')
  await ada().seen('the twin', /connected already, as \*scim-one\*/)
  const called = async () =>
    (await rows("select name from instance where connector = 'scim' order by name")).map(row => row.name)
  expect(await called()).toEqual(['scim-one'])
  ada().type('twice', { selectedOptions: ['twice'] })
  ada().type('token', { value: world.sandbox.vendors.scim.token() })
  await ada().submit()
  await ada().seen('the confirmation', /is connected/)
  expect(await called()).toEqual(['scim-one', 'scim-two'])
})

async function recipients(who = ada()) {
  await who.say('recipients')
  await who.seen('Manage Recipients', /press Enter/)
}

test('in Manage Recipients several pasted at once are added, and one in another case is there already', async () => {
  await recipients()
  await ada().press('recipient-add', { value: 'one@example.com, two@example.com;three@example.com' })
  await ada().seen('the three', /one@example\.com[\s\S]*two@example\.com[\s\S]*three@example\.com/)
  await ada().press('recipient-add', { value: 'ONE@Example.COM' })
  await ada().seen('that it is there', /is in the list already/)
  await ada().press('recipient-add', { value: 'no address' })
  await ada().seen('the reason', /:warning:/)
  await ada().submit()
  await until('the list', async () => (await commonRecipients()).length === 3)
  expect(await commonRecipients()).toEqual(['one@example.com', 'two@example.com', 'three@example.com'])
})

test('X discards what was added and taken out in Manage Recipients', async () => {
  const before = await commonRecipients()
  await recipients()
  await ada().press('recipient-add', { value: 'never@example.com' })
  await ada().seen('the address', /never@example\.com/)
  await ada().press('recipient-remove:0')
  await ada().seen('that it is out', /is taken out/)
  await ada().leave()
  expect(await commonRecipients()).toEqual(before)
  await until('the draft is dropped', async () => (await rows('select 1 from recipient_draft')).length === 0)
  await recipients()
  expect(ada().shown()).not.toMatch(/never@example\.com/)
})

test('five hundred recipients are turned through in pages, changed and saved', async () => {
  await rows('delete from recipient where instance_id is null')
  await rows(
    `insert into recipient (id, team_id, email, added_by, added_at)
     select gen_random_uuid(), $1, 'r' || lpad(n::text, 3, '0') || '@example.com', 'U0ADA', now() + n * interval '1 millisecond' from generate_series(1, 500) n`,
    world.person('Ada').state().team.id,
  )
  await recipients()
  await ada().seen('the first page', /500 recipients, page 1 of 25/)
  for (let page = 2; page <= 25; page += 1) {
    await ada().press('recipient-page:on')
    await ada().seen('the page', new RegExp(`page ${page} of 25`))
  }
  expect(ada().shown()).toMatch(/r481@example\.com[\s\S]*r500@example\.com/)
  await ada().press('recipient-remove:19')
  await ada().seen('one less', /499 recipients/)
  await ada().press('recipient-add', { value: 'last@example.com' })
  await ada().seen('the new one', /last@example\.com/)
  await ada().submit()
  await until('it is saved', async () => (await commonRecipients()).includes('last@example.com'))
  const saved = await commonRecipients()
  expect(saved).toHaveLength(500)
  expect(saved).not.toContain('r500@example.com')
})

test('what two admins add to the recipients at once is all kept', async () => {
  await rows('delete from recipient where instance_id is null')
  await recipients(ada())
  await recipients(olivia())
  await ada().press('recipient-add', { value: 'by-ada@example.com' })
  await olivia().press('recipient-add', { value: 'by-olivia@example.com' })
  await ada().seen('hers', /by-ada/)
  await olivia().seen('hers', /by-olivia/)
  await ada().submit()
  await olivia().submit()
  await until('both', async () => (await commonRecipients()).length === 2)
})
