// What a run promises about credentials: without their key it ends in words that say so, and a rotated token is kept before it is used.
import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Credentials } from '../../src/connectors/connector.ts'
import type { Engine, StreamOptions } from '../../src/connectors/engine.ts'
import { okta } from '../../src/connectors/okta/okta.ts'
import { credentialsOf, sealedSecrets } from '../../src/instances/credentials.ts'
import { rotateKeys } from '../../src/instances/rotate.ts'
import { createSeal, type Seal } from '../../src/instances/seal.ts'
import { editInstance } from '../../src/instances/store.ts'
import { createRunner } from '../../src/sync/lanes.ts'
import { people, type Sync, startSync, whole } from './synced.ts'

let room: Sync
beforeAll(async () => {
  room = await startSync()
})
afterAll(() => room.database.drop())

const [key, other] = [randomBytes(32), randomBytes(32)]
const seal = createSeal([key])
const given = { domain: 'acme.okta.com', token: 'first-token' }
const never = new AbortController().signal

/** A vendor that is given the credentials and the way to keep others. */
type Vendor = (credentials: Credentials, keep: NonNullable<StreamOptions['keep']>) => Promise<void>

async function instance(by: Seal = seal) {
  const made = await room.instance()
  const sealed = sealedSecrets(by, made, okta, given)
  await room.db.transaction(tx =>
    editInstance(
      tx,
      { id: made.id, version: 1 },
      { sealed, settings: { domain: given.domain } },
      room.clock.now(),
    ),
  )
  await room.ask(made.id)
  return made.id
}

function runDue(by: Seal, vendor: Vendor = async () => {}) {
  const engine: Engine = {
    ...room.work.engine,
    async *pages(_connector, credentials, { keep }) {
      await vendor(credentials, keep ?? (async () => {}))
      yield people(0, 3)
      return whole
    },
  }
  return createRunner({ ...room.work, seal: by, engine }).runDue(never)
}

const tokenOf = async (id: string, by: Seal = seal) => credentialsOf(by, await room.refreshed(id)).token

test('a run whose key is missing fails saying which key is needed, keeps users and status, and goes on once the key is back', async () => {
  const id = await instance()
  await runDue(createSeal([other]))
  const run = await room.latest(id)
  expect(run).toMatchObject({ state: 'failed', fault: { code: 'key', problem: 'key' } })
  expect(run.fault?.message).toBe(
    `The Okta credentials need a key that saasm was not started with. Who runs saasm puts key ${seal.keyIds[0]} back into SAASM_SECRET_KEY.`,
  )
  expect(await room.refreshed(id)).toMatchObject({
    status: 'live',
    lastOutcome: 'failed',
    lastFaultCode: 'key',
  })
  expect(await room.told(id)).toEqual(['initial-failed'])
  await room.ask(id)
  await runDue(createSeal([other, key]))
  expect(await room.latest(id)).toMatchObject({ state: 'succeeded' })
  expect(await room.users(id)).toHaveLength(3)
})

test('credentials that were altered end a run asking for new ones', async () => {
  const id = await instance()
  await room.rows("update instance set sealed = left(sealed, -4) || 'AAAA' where id = $1", id)
  await runDue(seal)
  expect((await room.latest(id)).fault).toMatchObject({
    code: 'sealed',
    message: 'The stored Okta credentials cannot be opened. Give them anew in Edit Instance.',
  })
})

test('a token that the vendor rotates is kept sealed before it is used, twice in one run, without a new version or generation', async () => {
  const id = await instance()
  const before = await room.refreshed(id)
  await runDue(seal, async (credentials, keep) => {
    expect(credentials.token).toBe('first-token')
    for (const token of ['second-token', 'third-token']) {
      await keep({ ...credentials, token })
      expect(await tokenOf(id)).toBe(token)
    }
  })
  const after = await room.refreshed(id)
  expect(await room.latest(id)).toMatchObject({ state: 'succeeded' })
  expect(after).toMatchObject({ version: before.version, generation: before.generation })
  expect(after.sealed).not.toContain('third')
})

test('a change of keys in the middle of a run loses no rotated token', async () => {
  const id = await instance()
  const both = createSeal([other, key])
  await runDue(both, async (credentials, keep) => {
    await rotateKeys(room.db.conn, both)
    await keep({ ...credentials, token: 'second-token' })
  })
  expect(await room.latest(id)).toMatchObject({ state: 'succeeded' })
  expect(await tokenOf(id, createSeal([other]))).toBe('second-token')
})

test('a rotated token never takes the place of credentials that an admin gave meanwhile', async () => {
  const id = await instance()
  await runDue(seal, async (credentials, keep) => {
    const now = await room.refreshed(id)
    const sealed = sealedSecrets(seal, now, okta, { ...given, token: 'admin-token' })
    await room.db.transaction(tx =>
      editInstance(tx, { id, version: now.version }, { sealed }, room.clock.now()),
    )
    await keep({ ...credentials, token: 'second-token' })
  })
  expect(await tokenOf(id)).toBe('admin-token')
  expect(await room.latest(id), 'left to its lease, and taken up again with the new ones').toMatchObject({
    state: 'running',
  })
  await room.die()
  await runDue(seal, async credentials => expect(credentials.token).toBe('admin-token'))
  expect(await room.latest(id)).toMatchObject({ state: 'succeeded' })
})

test('of two workers that rotate one token the first keeps its own, and the other stops', async () => {
  const id = await instance()
  let second = Promise.resolve()
  await runDue(seal, async (credentials, keep) => {
    await room.die()
    second = runDue(seal, (again, keepAgain) => keepAgain({ ...again, token: 'second-worker' }))
    await second
    await keep({ ...credentials, token: 'first-worker' })
  })
  // The second one has ended the first one's load, and with it the first one, who waits for nobody any more.
  await second
  expect(await tokenOf(id)).toBe('second-worker')
  expect(await room.latest(id)).toMatchObject({ state: 'succeeded', attempt: 2 })
})
