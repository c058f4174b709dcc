// The sandbox with an Okta of 450 people that Ada has connected, and what the channel asks about it.
import { readable, startWorld, topView, until, type World } from '../support/world.ts'

/** Connected, its first sync told, and its windows closed. */
export async function startConnected() {
  const world = await startWorld()
  const okta = () => world.sandbox.vendors.okta
  const { channel } = world.sandbox.settings
  const rows = (text: string) => world.database.db.sql.unsafe(text)
  const counted = async (text: string) => Number((await rows(`select count(*)::int n from ${text}`))[0]?.n)
  const users = () => counted('account where gone_at is null')
  const posts = (name = 'Ada') =>
    world
      .person(name)
      .state()
      .channels.find(one => one.id === channel)?.messages ?? []
  /** Cards that ask just now. */
  const questions = () =>
    posts().filter(post => !post.ephemeral && JSON.stringify(post.blocks).includes('held-allow'))
  const asking = () => {
    const [card, ...more] = questions()
    if (more.length > 0) throw new Error('More than one card asks')
    if (!card) throw new Error('No card asks')
    return card
  }
  const quiet = () =>
    until(
      'nothing waits',
      async () =>
        (await counted("outbox where state in ('pending', 'sending')")) === 0 &&
        (await counted("sync_run where state in ('requested', 'running')")) === 0,
    )

  async function sync() {
    const ended = () => counted('sync_run where ended_at is not null')
    const before = await ended()
    world.clock.advance(1_000)
    await world.person('Ada').command(channel, '/saasm sync okta')
    await until('the end', async () => (await ended()) > before)
    await quiet()
  }

  function remove(count: number) {
    const gone = okta().people().slice(0, count)
    for (const person of gone) okta().remove(person.id)
    return gone
  }

  async function press(actionId: string, name = 'Ada', post = asking()) {
    const block = (post.blocks ?? []).find(one => one.type === 'actions')
    await world
      .person(name)
      .act({ channelId: channel, ts: post.ts }, { blockId: String(block?.block_id), actionId })
  }

  await connect(world, okta().token())
  await until('450 users', async () => (await users()) === 450)
  const ada = world.person('Ada')
  await until('the confirmation', () => /is connected/.test(readable(topView(ada.state()).view)))
  await ada.close(topView(ada.state()).id, true)
  return { world, okta, rows, counted, users, posts, questions, asking, quiet, sync, remove, press }
}

async function connect(world: World, token: string) {
  const ada = world.person('Ada')
  await ada.command(world.sandbox.settings.channel, '/saasm connect okta')
  await until(
    'the form',
    () => ada.state().views.length > 0 && /API token/.test(readable(topView(ada.state()).view)),
  )
  const viewId = topView(ada.state()).id
  ada.type(viewId, 'domain', { value: `${world.sandbox.url}/vendors/okta` })
  ada.type(viewId, 'token', { value: token })
  await ada.submit(viewId)
}
