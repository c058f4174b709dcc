// The main walk, end to end: signed HTTP (or the socket) in, rows, messages and mails out.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readable, startWorld, topView, until, type World, type WorldOptions } from '../support/world.ts'

const doors: [door: string, options: WorldOptions][] = [
  ['signed HTTP', {}],
  ['Socket Mode', { socketMode: true }],
  ['signed HTTP, under a database role that makes nothing', { restricted: true }],
]

describe.each(doors)('over %s', (_door, options) => {
  let world: World
  beforeAll(async () => {
    world = await startWorld(options)
  })
  afterAll(() => world.close())

  const ada = () => world.person('Ada')
  const channel = () => world.sandbox.settings.channel
  const okta = () => world.sandbox.vendors.okta
  const rows = (text: string, ...values: string[]) => world.database.db.sql.unsafe(text, values)
  const instance = async (name: string) =>
    (await rows('select * from instance where name = $1 order by created_at desc limit 1', name))[0]
  const users = async (name: string) =>
    Number(
      (
        await rows(
          'select count(*) n from account a join instance i on i.id = a.instance_id where i.name = $1 and gone_at is null and i.deleted_at is null',
          name,
        )
      )[0]?.n,
    )
  const mails = () => world.sandbox.mailbox.mails
  const channelText = () =>
    ada()
      .state()
      .channels.filter(channel => channel.id === world.sandbox.settings.channel)
      .flatMap(channel => channel.messages)
      .map(message => `${message.text}\n${readable(message.blocks)}`)
  /** What Ada was told directly that says this. */
  const directly = (pattern: RegExp) =>
    until(`a direct message: ${pattern}`, () =>
      ada()
        .state()
        .channels.filter(channel => channel.isDirect)
        .flatMap(channel => channel.messages)
        .map(message => `${message.text}\n${readable(message.blocks)}`)
        .find(text => pattern.test(text)),
    )
  const button = (actionId: string, value: string) => {
    for (const channel of ada().state().channels) {
      for (const message of channel.messages.toReversed()) {
        for (const block of (message.blocks ?? []) as {
          block_id: string
          elements?: { action_id?: string; value?: string }[]
        }[]) {
          const found = block.elements?.find(
            one => one.action_id?.split(':')[0] === actionId && one.value === value,
          )
          if (found?.action_id)
            return {
              at: { channelId: channel.id, ts: message.ts },
              blockId: block.block_id,
              actionId: found.action_id,
            }
        }
      }
    }
    throw new Error(`No message has a button ${actionId}`)
  }
  const inView = (actionId: string) => {
    const top = topView(ada().state())
    for (const block of top.view.blocks as {
      block_id: string
      element?: { action_id: string }
      accessory?: { action_id: string }
      elements?: { action_id: string }[]
    }[]) {
      const elements = [block.element, block.accessory, ...(block.elements ?? [])]
      const found = elements.find(one => one?.action_id?.split(':')[0] === actionId)
      if (found) return { viewId: top.id, blockId: block.block_id, actionId: found.action_id }
    }
    throw new Error(`The view has no ${actionId}: ${readable(top.view)}`)
  }
  const press = async (
    actionId: string,
    value?: Parameters<ReturnType<World['person']>['act']>[1]['value'],
  ) => {
    const { viewId, blockId, actionId: full } = inView(actionId)
    const delivery = await ada().act({ viewId }, { blockId, actionId: full, ...(value ? { value } : {}) })
    expect(delivery).toMatchObject({ ok: true })
  }
  const seen = (what: string, pattern: RegExp) =>
    until(what, () => {
      const state = ada().state()
      return (
        state.views.length > 0 &&
        pattern.test(`${readable(topView(state).view)} ${JSON.stringify(topView(state).errors)}`)
      )
    })
  const leave = async () => {
    for (let left = 3; left > 0 && ada().state().views.length > 0; left -= 1)
      await ada().close(topView(ada().state()).id, true)
  }
  async function connect(name: string, token: string) {
    expect(await ada().command(channel(), '/saasm connect okta')).toMatchObject({ ok: true })
    await seen('the connect form', /Okta API token|API token/i)
    const viewId = topView(ada().state()).id
    ada().type(viewId, 'name', { value: name })
    ada().type(viewId, 'domain', { value: `${world.sandbox.url}/vendors/okta` })
    ada().type(viewId, 'token', { value: token })
    expect(await ada().submit(viewId)).toMatchObject({ ok: true })
  }

  test('a wrong token is refused at the field, and nothing is saved', async () => {
    await connect('okta-prod', 'wrong-token')
    await seen('the refusal', /token/i)
    await seen('the reason', /refus|reject|not accept|invalid|does not/i)
    expect(await instance('okta-prod')).toBeUndefined()
    expect(JSON.stringify(topView(ada().state()).view)).not.toContain('wrong-token')
    await leave()
  })

  test('the right token connects, and the initial sync is announced by mail and in the channel, once', async () => {
    await connect('okta-prod', okta().token())
    await seen('the confirmation', /connected/i)
    await leave()
    await until('450 users', async () => (await users('okta-prod')) === okta().people().length)
    await until('the mail', () => mails().length === 1)
    expect(mails()[0]).toMatchObject({ to: [ada().state().user.email] })
    expect(mails()[0]?.subject).toMatch(/okta-prod/)
    expect(mails()[0]?.text).toMatch(/450/)
    await until('the post', () => channelText().filter(text => /okta-prod/.test(text)).length === 1)
  })

  test('recipients are added with Enter and saved', async () => {
    await ada().command(channel(), '/saasm recipients')
    await seen('Manage Recipients', /press Enter/)
    await press('recipient-add', { value: 'it@example.com' })
    await seen('the address', /it@example\.com/)
    expect(await ada().submit(topView(ada().state()).id)).toMatchObject({ ok: true })
    await until('the row', async () =>
      (await rows('select email from recipient')).some(row => row.email === 'it@example.com'),
    )
    await leave()
  })

  test('a user removed and one changed upstream are so after Sync now, and who asked hears the end', async () => {
    const [first, second] = okta().people()
    if (!first || !second) throw new Error('the vendor has nobody')
    okta().remove(first.id)
    okta().change(second.id, { name: 'Renamed Person' })
    await ada().command(channel(), '/saasm sync okta-prod')
    await until(
      'the changed name',
      async () => (await rows("select 1 from account where name = 'Renamed Person'")).length === 1,
    )
    expect(await users('okta-prod')).toBe(449)
    const run = (await rows("select * from sync_run where trigger = 'manual' and state = 'succeeded'"))[0]
    expect(run).toMatchObject({ added: 0, changed: 1, removed: 1, unchanged: 448 })
    await until('the direct message', () =>
      ada()
        .state()
        .channels.some(
          channel => channel.isDirect && channel.messages.some(message => /okta-prod/.test(message.text)),
        ),
    )
    expect(
      mails().filter(mail => !/connect|initial/i.test(mail.subject)).length,
      'a routine success mails nobody',
    ).toBe(0)
  })

  test('a token revoked upstream makes it Inactive, told once by mail to creator and recipient and in the channel', async () => {
    const before = mails().length
    okta().revokeToken()
    await ada().command(channel(), '/saasm sync okta-prod')
    await until('Inactive', async () => (await instance('okta-prod'))?.status === 'inactive')
    expect(await instance('okta-prod')).toMatchObject({
      inactive_reason: 'token_inactive',
      last_outcome: 'failed',
    })
    await until('two mails', () => mails().length === before + 2)
    expect(
      new Set(
        mails()
          .slice(before)
          .flatMap(mail => mail.to),
      ),
    ).toEqual(new Set([ada().state().user.email, 'it@example.com']))
    await until('the incident', () => channelText().some(text => /Inactive/.test(text)))
    const asked = await directly(/okta-prod: the sync you asked for failed/)
    for (const text of [asked, ...channelText().filter(text => /Inactive/.test(text))]) {
      expect(text).toMatch(/Fix/)
      expect(text, 'it would be refused').not.toMatch(/Sync now/)
    }
    expect(await users('okta-prod'), 'its users stay').toBe(449)
  })

  test('Fix repairs it in place: same id, same users, Live, recovery told, the incident resolved', async () => {
    const broken = await instance('okta-prod')
    const before = mails().length
    const token = okta().renewToken()
    const fix = button('fix', broken?.id)
    expect(await ada().act(fix.at, { blockId: fix.blockId, actionId: fix.actionId })).toMatchObject({
      ok: true,
    })
    await seen('Edit Instance', /Status/)
    const viewId = topView(ada().state()).id
    ada().type(viewId, 'status', { selectedOption: 'live' })
    ada().type(viewId, 'token', { value: token })
    expect(await ada().submit(viewId)).toMatchObject({ ok: true })
    await until('Live and good', async () => {
      const row = await instance('okta-prod')
      return row?.status === 'live' && row.last_outcome === 'succeeded'
    })
    expect((await instance('okta-prod'))?.id).toBe(broken?.id)
    expect(await users('okta-prod')).toBe(449)
    await until('the recovery', () =>
      mails()
        .slice(before)
        .some(mail => /recover|again/i.test(mail.subject)),
    )
    await until('the resolved incident', () => channelText().some(text => /resolved/i.test(text)))
    await leave()
  })

  test('Delete All Users empties it and keeps the instance', async () => {
    // Inactive first, so that no sync brings them back while we look.
    await ada().command(channel(), '/saasm manage okta-prod')
    await seen('Edit Instance', /Status/)
    ada().type(topView(ada().state()).id, 'status', { selectedOption: 'inactive' })
    await ada().submit(topView(ada().state()).id)
    await until('Inactive by a person', async () => (await instance('okta-prod'))?.inactive_reason === 'user')
    await leave()
    await ada().command(channel(), '/saasm manage okta-prod')
    await seen('Edit Instance', /Status/)
    await press('delete-users')
    await seen('the confirmation', /449 users\* of .* will no longer be reported/)
    await ada().submit(topView(ada().state()).id)
    await until('nobody left', async () => (await users('okta-prod')) === 0)
    expect(await directly(/okta-prod: all users deleted/)).not.toMatch(/Sync now/)
    expect((await instance('okta-prod'))?.status).toBe('inactive')
    await leave()
  })

  test('Delete Instance needs the ticked box, ends with counts, and reconnecting makes a new instance with all users', async () => {
    const old = await instance('okta-prod')
    await ada().command(channel(), '/saasm manage okta-prod')
    await seen('Edit Instance', /Status/)
    await press('delete-instance')
    await seen('the box', /I understand that this action cannot be undone/)
    expect(() => inView('delete-confirm'), 'no button before the tick').toThrow()
    await press('delete-understood', { selectedOptions: ['understood'] })
    await seen('the button', /Delete Integration Instance/)
    await press('delete-confirm')
    await until('deleted', async () => (await instance('okta-prod'))?.status === 'deleted')
    await until('told', () => channelText().some(text => /deleted/i.test(text)))
    await leave()
    await connect('okta-prod', okta().token())
    await until('all users again', async () => (await users('okta-prod')) === okta().people().length)
    expect((await instance('okta-prod'))?.id).not.toBe(old?.id)
    await leave()
  })

  test('a plain member and a guest are refused, told whom to ask, and nothing happens', async () => {
    for (const name of ['Max', 'Gina']) {
      const person = world.person(name)
      await person.command(channel(), '/saasm sync okta-prod')
      await until(`the refusal for ${name}`, () =>
        person
          .state()
          .channels.some(channel =>
            channel.messages.some(message => message.ephemeral && /<@U/.test(JSON.stringify(message))),
          ),
      )
    }
    expect(
      await rows(
        'select 1 from sync_run where requested_by = any($1)',
        `{${world.userId('Max')},${world.userId('Gina')}}`,
      ),
    ).toHaveLength(0)
  })

  test('each change has its audit row, and no secret is in any table', async () => {
    const actions = new Set((await rows('select action from audit')).map(row => row.action))
    for (const action of ['instance.created', 'instance.updated', 'recipients.updated'])
      expect(actions).toContain(action)
    const tables = await rows(
      "select table_name from information_schema.tables where table_schema = 'public'",
    )
    for (const { table_name } of tables) {
      const [found] = await rows(
        `select count(*) n from ${table_name} t where t::text like $1`,
        `%${okta().token()}%`,
      )
      expect(Number(found?.n), table_name).toBe(0)
    }
  })
})
