// A removal against a sync, in both orders, and a reconnect during a removal: real processes, each held where it hurts most.
import { expect, test } from 'vitest'
import type { Instance } from '../../src/instances/instance.ts'
import { createInstance, moveInstance, recordOutcome, regenerateInstance } from '../../src/instances/store.ts'
import { newId } from '../../src/lib/ids.ts'
import { requestRemoval } from '../../src/sync/request.ts'
import { testDatabase } from '../support/postgres.ts'
import { type Stage, seen, stageOn, type Vendor } from './stage.ts'

const quiet = () => {}
/** What the removals of a test wait at: an advisory lock that the test holds. */
const barrier = 4_242

/** A stage with two worker processes; at its end every question of the doctor finds nothing. */
async function onStage(play: (stage: Stage) => Promise<void>): Promise<void> {
  const database = await testDatabase()
  const stage = await stageOn(database.url)
  try {
    await Promise.all([stage.worker(), stage.worker()])
    await play(stage)
    await stage.expectSound()
  } finally {
    await stage.close()
    await database.drop()
  }
}

/** Ask for the removal as the gestures do: Delete Integration Instance, or Delete All Users. */
async function remove(stage: Stage, instance: Instance, kind: 'instance' | 'users'): Promise<void> {
  const now = new Date()
  await stage.db.transaction(async tx => {
    if (kind === 'instance') await moveInstance(tx, instance.id, 'deleting', { now })
    else await regenerateInstance(tx, instance.id, now)
    await requestRemoval(tx, { instanceId: instance.id, kind, by: 'U0ADA', now }, quiet)
  })
}

/** 2,500 people of an instance that has synced before: three batches of a removal. */
async function filled(stage: Stage, vendor: Vendor): Promise<Instance> {
  const instance = await stage.instance(vendor)
  await stage.rows(
    `insert into account (instance_id, external_id, status, kind, roles, licences, hash, first_seen_at)
      select $1::uuid, 'old' || lpad(n::text, 6, '0'), 'active', 'human', '{}', '{}', 'x', now() from generate_series(1, 2500) n`,
    instance.id,
  )
  const next = { lastSuccessAt: new Date(), nextSyncAt: new Date(Date.now() + 3_600_000) }
  await stage.db.transaction(tx => recordOutcome(tx, instance.id, { lastOutcome: 'succeeded', ...next }))
  return instance
}

/** Every removal stops in its first batch until `open`; `reached` resolves when one is there. */
async function removalsHeld(stage: Stage) {
  await stage.rows(`create function stand_still() returns trigger language plpgsql as
    $$ begin perform pg_advisory_xact_lock_shared(${barrier}); return old; end $$`)
  await stage.rows(
    'create trigger stand_still before delete on account for each row execute function stand_still()',
  )
  const holder = await stage.db.sql.reserve()
  await holder`select pg_advisory_lock(${barrier})`
  return {
    async reached() {
      const waiting = `select 1 from pg_locks join pg_database d on d.oid = database
        where locktype = 'advisory' and objid = ${barrier} and not granted and datname = current_database()`
      await seen('a removal at the barrier', 60_000, async () => (await stage.rows(waiting)).length > 0)
    },
    async open() {
      await holder`select pg_advisory_unlock(${barrier})`
      holder.release()
    },
  }
}

test.concurrent('an instance deleted during its sync is deleted: the sync is cancelled, nobody comes back, and it is told once', () =>
  onStage(async stage => {
    const vendor = stage.vendor()
    const instance = await filled(stage, vendor)
    const hold = vendor.hold()
    await stage.ask(instance.id, 'manual')
    await hold.reached
    await remove(stage, instance, 'instance')
    // The removal does not wait for the sync, which is still waiting for its vendor.
    await removed(stage)
    hold.open()
    await stage.quiet(80_000)
    expect(await stage.rows('select state, removed from removal')).toEqual([{ state: 'done', removed: 2500 }])
    expect(await stage.rows('select state from sync_run')).toEqual([{ state: 'cancelled' }])
    expect(await stage.rows('select status, sealed from instance')).toEqual([
      { status: 'deleted', sealed: null },
    ])
    expect(await stage.rows('select 1 from account')).toHaveLength(0)
    expect(await stage.rows('select 1 from account_staging')).toHaveLength(0)
    expect(stage.told(`${instance.name} was deleted`)).toBe(1)
    expect(stage.mailed(instance.name)).toBe(1)
    expect(await audited(stage, instance)).toEqual(['instance.deleted'])
  }))

test.concurrent('users deleted during a sync stay deleted until a sync that was asked for after them imports all of them anew', () =>
  onStage(async stage => {
    const vendor = stage.vendor()
    const instance = await filled(stage, vendor)
    const hold = vendor.hold()
    await stage.ask(instance.id, 'scheduled')
    await hold.reached
    await remove(stage, instance, 'users')
    await removed(stage)
    expect(await stage.users(instance.id)).toEqual([])
    hold.open()
    await stage.quiet(80_000)
    expect(await stage.rows('select state from sync_run')).toEqual([{ state: 'cancelled' }])
    expect(await stage.users(instance.id), 'the cancelled sync brought nobody back').toEqual([])
    await stage.ask(instance.id, 'scheduled')
    await stage.quiet(80_000)
    expect(await stage.users(instance.id)).toHaveLength(450)
    expect(await stage.rows("select removed from removal where state = 'done'")).toEqual([{ removed: 2500 }])
    expect(await stage.rows("select added, removed from sync_run where state = 'succeeded'")).toEqual([
      { added: 450, removed: 0 },
    ])
    expect(direct(stage, 'all users deleted')).toBe(1)
  }))

test.concurrent('a sync asked for while users are removed waits for the removal, and imports everybody after it', () =>
  onStage(async stage => {
    const vendor = stage.vendor()
    const instance = await filled(stage, vendor)
    const held = await removalsHeld(stage)
    await remove(stage, instance, 'users')
    await held.reached()
    await stage.ask(instance.id, 'scheduled')
    // Another one that was asked for later is done: the first was seen, and not taken.
    const other = await stage.instance(stage.vendor(5))
    await stage.ask(other.id)
    await seen('the other sync', 60_000, async () => (await stage.users(other.id)).length === 5)
    const ofInstance = 'from sync_run where instance_id = $1'
    expect(await stage.rows(`select state, attempt ${ofInstance}`, instance.id)).toEqual([
      { state: 'requested', attempt: 0 },
    ])
    await held.open()
    await stage.quiet(80_000)
    expect(await stage.rows(`select state, added, removed ${ofInstance}`, instance.id)).toEqual([
      { state: 'succeeded', added: 450, removed: 0 },
    ])
    expect(await stage.rows('select state, removed from removal')).toEqual([{ state: 'done', removed: 2500 }])
    expect(await stage.users(instance.id)).toHaveLength(450)
    expect(direct(stage, 'all users deleted')).toBe(1)
  }))

test.concurrent('a sync asked for while its instance is being deleted never asks the vendor for anybody', () =>
  onStage(async stage => {
    const vendor = stage.vendor()
    const instance = await filled(stage, vendor)
    const held = await removalsHeld(stage)
    await remove(stage, instance, 'instance')
    await held.reached()
    await stage.ask(instance.id, 'manual')
    await held.open()
    await stage.quiet(80_000)
    expect(await stage.rows('select state, added from sync_run')).toEqual([
      { state: 'cancelled', added: null },
    ])
    expect(vendor.okta.requests).toEqual([])
    expect(await stage.rows('select 1 from account')).toHaveLength(0)
    expect(stage.told(`${instance.name} was deleted`)).toBe(1)
    expect(stage.mailed(instance.name)).toBe(1)
  }))

test.concurrent('an application connected again while its old instance is being deleted gets a new id and all its users, and none of the old', () =>
  onStage(async stage => {
    const vendor = stage.vendor()
    const old = await filled(stage, vendor)
    const held = await removalsHeld(stage)
    await remove(stage, old, 'instance')
    await held.reached()
    const fresh = await stage.instance(vendor, 'okta-again')
    await stage.ask(fresh.id)
    const synced = async () => (await stage.users(fresh.id)).length === 450
    await seen('its sync while the old one goes', 60_000, synced)
    await held.open()
    await stage.quiet(80_000)
    expect(fresh.id).not.toBe(old.id)
    const users = await stage.users(fresh.id)
    expect(users).toHaveLength(450)
    expect(users.filter(id => id.startsWith('old'))).toEqual([])
    expect(await stage.rows('select 1 from account where instance_id = $1', old.id)).toHaveLength(0)
    expect(await stage.rows('select removed from removal')).toEqual([{ removed: 2500 }])
    expect(await stage.rows('select state, added from sync_run')).toEqual([
      { state: 'succeeded', added: 450 },
    ])
    expect(stage.told(`${old.name} was deleted`)).toBe(1)
    expect(stage.told('okta-again')).toBe(1)
    expect(stage.mailed('okta-again')).toBe(1)
  }))

test.concurrent('a deleted instance gives its name and its tenant to a new one, which has an id of its own', () =>
  onStage(async stage => {
    const vendor = stage.vendor()
    const old = await filled(stage, vendor)
    await remove(stage, old, 'instance')
    await stage.quiet(80_000)
    const fresh = await stage.db.transaction(tx =>
      createInstance(tx, { ...old, id: newId(), sealed: null }, new Date()),
    )
    await expect(
      stage.db.transaction(tx =>
        createInstance(tx, { ...old, name: 'another name', sealed: null }, new Date()),
      ),
      'ids are never used again',
    ).rejects.toThrow()
    expect(fresh.id).not.toBe(old.id)
    await stage.db.transaction(tx =>
      moveInstance(tx, fresh.id, 'inactive', {
        now: new Date(),
        inactivation: { reason: 'user', detail: null, by: 'U0ADA' },
      }),
    )
  }))

async function removed(stage: Stage): Promise<void> {
  const done = async () => (await stage.rows("select 1 from removal where state = 'done'")).length === 1
  await seen('the end of the removal', 60_000, done)
}

async function audited(stage: Stage, instance: Instance): Promise<string[]> {
  const rows = await stage.rows('select action from audit where instance_id = $1 order by id', instance.id)
  return rows.map(row => String(row.action))
}

/** How often somebody was told this by direct message. */
function direct(stage: Stage, text: string): number {
  const { channels } = stage.sandbox.slack.stateFor('U0ADA')
  return channels
    .filter(one => one.isDirect)
    .flatMap(one => one.messages)
    .filter(message => JSON.stringify(message).includes(text)).length
}
