// One effect each, a hundred times: double presses, two admins at once, signed requests that come again, events that Slack repeats.
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { newId } from '../../src/lib/ids.ts'
import { beginDraft } from '../../src/recipients/draft.ts'
import { until } from '../support/world.ts'
import { type Doing, type Mode, modes, startTwice, type Twice } from './twice.ts'

const times = 100
const seed = Number(process.env.SAASM_TEST_SEED) || Math.floor(Math.random() * 2 ** 31)

let twice: Twice
beforeAll(async () => {
  console.info(`effects: SAASM_TEST_SEED=${seed}`)
  twice = await startTwice(seed)
  const { okta } = twice.world.sandbox.vendors
  okta.restore({ ...okta.snapshot(), people: okta.snapshot().people.slice(0, 3) })
})
afterAll(() => twice.close())

/** An instance with three users that never syncs by itself, and has no token. */
async function made(name: string): Promise<string> {
  const id = newId()
  await twice.rows(
    `insert into instance (id, team_id, owner, created_by, name, status, settings, connector, last_outcome, last_success_at, next_sync_at, created_at, updated_at)
     values ($1, $2, 'U0ADA', 'U0ADA', $3, 'live', '{"domain": "https://acme.okta.com"}', 'okta', 'succeeded', now(), now() + interval '20 hours', now(), now())`,
    ...[id, twice.team, name],
  )
  await twice.rows(
    `insert into account (instance_id, external_id, status, kind, roles, licences, hash, first_seen_at)
      select $1::uuid, 'p' || n, 'active', 'human', '{}', '{}', 'x', now() from generate_series(1, 3) n`,
    id,
  )
  return id
}

const number = async (text: string, ...values: string[]) =>
  Number(Object.values((await twice.rows(text, ...values))[0] ?? {})[0])
const audited = (action: string, instance: string) =>
  number('select count(*) from audit where action = $1 and instance_id = $2', action, instance)

/** Connect, filled in with a token that works. */
function connecting(name: string): NonNullable<Doing['view']> {
  const { url, vendors } = twice.world.sandbox
  const typed = (value: string) => ({ a: { type: 'plain_text_input', value } })
  const values = {
    name: typed(name),
    domain: typed(`${url}/vendors/okta`),
    token: typed(vendors.okta.token()),
  }
  return { callbackId: 'connect', metadata: { connector: 'okta' }, values }
}

/** Round after round: strike, look, send all of it again, look again. */
async function rounds(round: (mode: Mode, n: number) => Promise<() => Promise<void>>): Promise<void> {
  for (let n = 0; n < times; n += 1) {
    const mode = twice.random.pick(modes)
    try {
      const once = await round(mode, n)
      // A busy machine may answer late: the effect comes all the same, and never a second one.
      await vi.waitFor(once, { timeout: 15_000, interval: 50 })
      await twice.again()
      await once()
    } catch (error) {
      throw new Error(`Round ${n}, ${mode}, SAASM_TEST_SEED=${seed}`, { cause: error })
    }
  }
}

/** A button is answered after it is acknowledged: each press once, a replay never again. */
async function pressed(mode: Mode, doing: (userId: string) => Doing): Promise<void> {
  const before = twice.replies.length
  await twice.strike(mode, doing)
  const answers = mode === 'a replay' ? 1 : 2
  await until('the replies', () => twice.replies.length >= before + answers)
}

test('Sync now: one run, asked for once in the audit, and its end is told once to each who asked', async () => {
  const { okta } = twice.world.sandbox.vendors
  const view = connecting('synced')
  await twice.strike('a double press', () => ({ kind: 'view_submission', view }))
  const found = async () => (await twice.rows("select id from instance where name = 'synced'"))[0]
  const id = String((await until('the instance', found)).id)
  await twice.quiet()
  await twice.rows('update instance set tenant_key = id::text')
  const answer = okta.handle
  await rounds(async (mode, n) => {
    let open = () => {}
    const opened = new Promise<void>(done => {
      open = done
    })
    okta.handle = async (req, res) => {
      await opened
      return answer(req, res)
    }
    const direct = () => number("select count(*) from outbox where medium = 'slack-direct'")
    const before = await direct()
    await pressed(mode, () => ({ kind: 'block_actions', action: { actionId: 'sync-now', value: id } }))
    open()
    await twice.quiet()
    return async () => {
      await twice.quiet()
      expect(await number('select count(*) from sync_run where instance_id = $1', id)).toBe(n + 2)
      expect(await audited('sync.requested', id)).toBe(n + 1)
      expect((await direct()) - before).toBe(mode === 'two admins' ? 2 : 1)
    }
  })
  okta.handle = answer
})

test('Update Instance: one change, one version, one audit row', async () => {
  const id = await made('edited')
  await rounds(async (mode, n) => {
    const values = (userId: string) => ({
      name: { a: { type: 'plain_text_input', value: `edited-${n}-${userId}` } },
      domain: { a: { type: 'plain_text_input', value: 'https://acme.okta.com' } },
      status: { a: { type: 'radio_buttons', selected_option: { value: 'live' } } },
      schedule: { a: { type: 'static_select', selected_option: { value: n % 2 ? '6' : '12' } } },
      owner: { a: { type: 'users_select', selected_user: 'U0ADA' } },
    })
    const metadata = { instance: id, version: String(n + 1) }
    await twice.strike(mode, userId => ({
      kind: 'view_submission',
      view: { callbackId: 'edit-instance', metadata, values: values(userId) },
    }))
    return async () => {
      expect(await number('select version from instance where id = $1', id)).toBe(n + 2)
      expect(await audited('instance.updated', id)).toBe(n + 1)
    }
  })
})

test('Connect: one instance, one initial sync, one telling; a second press is answered like the first', async () => {
  await rounds(async (mode, n) => {
    const name = `connected-${n}`
    // Two admins may choose two names for the same tenant: the second is asked whether it is meant.
    const another = twice.random.pick(['', '-too'])
    const viewOf = (userId: string) => connecting(userId === 'U0OLIVIA' ? `${name}${another}` : name)
    const { journal } = twice.world.sandbox.slack
    const last = journal.at(-1)
    /** What the windows show in the end, of this round. */
    const shown = () =>
      journal
        .slice(last ? journal.lastIndexOf(last) + 1 : 0)
        .filter(call => call.method === 'views.update')
        .map(call => JSON.stringify(call.args.view))
    const answers = await twice.strike(mode, userId => ({ kind: 'view_submission', view: viewOf(userId) }))
    const checking = answers.filter(answer => answer.includes('Checking')).length
    await until('the end of every check', () => shown().length >= checking)
    const good = new RegExp(`\\*${name}\\* is connected`)
    if (mode === 'a double press')
      expect([...answers, ...shown()].filter(view => good.test(view))).toHaveLength(2)
    const ofName = "from instance where name in ($1, $1 || '-too')"
    await until('the instance', () => number(`select count(*) ${ofName}`, name))
    await twice.quiet()
    // Out of the way: the next one is of the same tenant.
    await twice.rows("update instance set tenant_key = id::text where name like 'connected-%'")
    return async () => {
      await twice.quiet()
      expect(await number(`select count(*) ${ofName}`, name)).toBe(1)
      const ofInstance = `instance_id = (select id ${ofName})`
      expect(await number(`select count(*) from sync_run where ${ofInstance}`, name)).toBe(1)
      expect(
        await number(`select count(*) from audit where action = 'instance.created' and ${ofInstance}`, name),
      ).toBe(1)
      const mails = twice.world.sandbox.mailbox.mails.filter(mail =>
        mail.subject.replace('-too', '').startsWith(`${name}:`),
      )
      expect(mails).toHaveLength(1)
    }
  })
})

test('Delete All Users: one removal, one audit row, told once', async () => {
  const id = await made('emptied')
  await rounds(async (mode, n) => {
    const version = String(await number('select version from instance where id = $1', id))
    const view = { callbackId: 'delete-users', metadata: { instance: id, version } }
    await twice.strike(mode, () => ({ kind: 'view_submission', view }))
    await twice.quiet()
    return async () => {
      expect(await number('select count(*) from removal where instance_id = $1', id)).toBe(n + 1)
      expect(await audited('users.delete-requested', id)).toBe(n + 1)
      expect(await audited('users.deleted', id)).toBe(n + 1)
    }
  })
})

test('Delete Integration Instance: one removal, one notice', async () => {
  await rounds(async (mode, n) => {
    const id = await made(`deleted-${n}`)
    await twice.strike(mode, () => ({
      kind: 'block_actions',
      action: { actionId: 'delete-confirm', value: id },
      view: {
        callbackId: 'delete-instance',
        metadata: { instance: id, version: '1' },
        values: { 'delete-box': { a: { type: 'checkboxes', selected_options: [{ value: 'understood' }] } } },
      },
    }))
    await until('the removal', () => number('select count(*) from removal where instance_id = $1', id))
    await twice.quiet()
    return async () => {
      expect(await number('select count(*) from removal where instance_id = $1', id)).toBe(1)
      expect(await audited('instance.delete-requested', id)).toBe(1)
      expect(await audited('instance.deleted', id)).toBe(1)
      const posts = twice.world.sandbox.slack
        .channel('saas-sync')
        .messages.filter(message => message.text === `deleted-${n} was deleted`)
      expect(posts).toHaveLength(1)
    }
  })
})

test('Save recipients: an address once, one audit row, whoever saves it', async () => {
  const { conn } = twice.world.database.db
  await rounds(async (mode, n) => {
    const drafts = new Map<string, string>()
    for (const userId of ['U0ADA', 'U0OLIVIA']) {
      const draft = { id: newId(), teamId: twice.team, userId, base: [], now: new Date() }
      await beginDraft(conn, draft)
      drafts.set(userId, draft.id)
    }
    const typed = { type: 'email_text_input', value: `person-${n}@example.com` }
    await twice.strike(mode, userId => ({
      kind: 'view_submission',
      view: {
        callbackId: 'recipients',
        metadata: { draft: drafts.get(userId) ?? '', page: '0', turn: '0' },
        values: { 'recipient-add-0': { 'recipient-add': typed } },
      },
    }))
    return async () => {
      expect(await number('select count(*) from recipient')).toBe(n + 1)
      expect(
        await number(
          "select count(*) from audit where action = 'recipients.updated' and instance_id is null",
        ),
      ).toBe(n + 1)
    }
  })
  await twice.rows('delete from recipient')
})

/** The question of this run: two of three are missing. */
const held = (markedBy: string) => ({
  ...{ gone: 2, disabled: 0, of: 3, hash: 'x', names: [], why: [], card: null, markedBy },
  askedAt: new Date().toISOString(),
})

test('Allow this once: the missing are removed once, and the first answer counts', async () => {
  await rounds(async (mode, n) => {
    const id = await made(`held-${n}`)
    const runId = newId()
    await twice.rows(
      `insert into sync_run (id, instance_id, trigger, state, due_at, requested_at, ended_at, added, held)
        values ($1, $2, 'scheduled', 'held', now(), now(), now(), 0, $3::text::jsonb)`,
      ...[runId, id, JSON.stringify(held(runId))],
    )
    await twice.rows(
      "update account set missing_run_id = $1 where instance_id = $2 and external_id <> 'p1'",
      runId,
      id,
    )
    await pressed(mode, () => ({ kind: 'block_actions', action: { actionId: 'held-allow', value: runId } }))
    return async () => {
      expect(
        await number('select count(*) from account where instance_id = $1 and gone_at is null', id),
      ).toBe(1)
      expect(await audited('removal.allowed', id)).toBe(1)
      expect(
        await number(
          "select count(*) from audit where action = 'removal.allowed' and after->>'people' = '2' and instance_id = $1",
          id,
        ),
      ).toBe(1)
    }
  })
})

test('an event that Slack sends four times is heard once', async () => {
  const published = () =>
    twice.world.sandbox.slack.journal.filter(call => call.method === 'views.publish').length
  for (let n = 0; n < times; n += 1) {
    const before = published()
    await twice.event('U0ADA')
    await until('Home', () => published() > before)
    await twice.again()
  }
  await Promise.all([twice.world.app.stop(5_000)])
  expect(twice.world.sandbox.slack.journal.length).toBeLessThanOrEqual(1_000)
  expect(published()).toBe(times)
})
