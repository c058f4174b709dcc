// SIGTERM in the middle of anything: nothing new is taken, what runs reaches an edge, leases go back, and another process goes on at once.
import { expect, test } from 'vitest'
import type { Instance } from '../../src/instances/instance.ts'
import { moveInstance } from '../../src/instances/store.ts'
import { requestRemoval } from '../../src/sync/request.ts'
import { testDatabase } from '../support/postgres.ts'
import { type Stage, seen, stageOn, type Vendor, type Worker } from './stage.ts'

/** What a stop may take. */
const stopMs = 10_000
/** A lease (60 s) is not waited for: what a stopped process gave back is done well within it. */
const atOnceMs = 40_000

interface Scene {
  stage: Stage
  vendor: Vendor
  instance: Instance
  worker: Worker
  /** SIGTERM; `release` lets go of what holds the worker, once it has heard. */
  stop(release?: () => Promise<void> | void): Promise<void>
}

async function draining(play: (scene: Scene) => Promise<void>): Promise<void> {
  const database = await testDatabase()
  const stage = await stageOn(database.url)
  try {
    const vendor = stage.vendor()
    const instance = await stage.instance(vendor)
    const worker = await stage.worker()
    const stop: Scene['stop'] = async release => {
      const before = Date.now()
      worker.signal('SIGTERM')
      await seen('the stop', stopMs, () => refusesConnections(worker))
      await release?.()
      expect(await worker.ended).toEqual({ code: 0, signal: null })
      expect(Date.now() - before, 'milliseconds to the exit').toBeLessThan(stopMs)
    }
    await play({ stage, vendor, instance, worker, stop })
    await stage.expectSound()
  } finally {
    await stage.close()
    await database.drop()
  }
}

/** It listens no more: the stop has begun. */
async function refusesConnections(worker: Worker): Promise<boolean> {
  return fetch(`${worker.url}/healthz`).then(
    () => false,
    () => true,
  )
}

const runs = (stage: Stage) =>
  stage.rows('select state, attempt, lease_owner from sync_run order by requested_at')
const givenBack = { state: 'requested', attempt: 0, lease_owner: null }

/** Wait until somebody stands in front of a lock. */
async function blocked(stage: Stage): Promise<void> {
  const waiting = `select 1 from pg_stat_activity
    where datname = current_database() and application_name like 'saasm%' and wait_event_type = 'Lock'`
  await seen('somebody at the lock', 60_000, async () => (await stage.rows(waiting)).length > 0)
}

/** The process that goes on: everything is done at once, whole, and told once. */
async function finished({ stage, instance }: Scene, users = 450): Promise<void> {
  await stage.worker()
  await stage.quiet(atOnceMs)
  expect(await stage.users(instance.id)).toHaveLength(users)
  expect(stage.told(instance.name)).toBe(1)
  expect(stage.mailed(instance.name)).toBe(1)
  expect(await stage.rows('select 1 from account_staging')).toHaveLength(0)
}

test.concurrent('in a fetch: the request is dropped, the run is given back, and another process does it', () =>
  draining(async scene => {
    const { stage, vendor, instance, stop } = scene
    const hold = vendor.hold()
    await stage.ask(instance.id)
    await hold.reached
    await stop()
    expect(await runs(stage)).toEqual([givenBack])
    hold.open()
    await finished(scene)
    expect(await stage.rows('select state, attempt, added from sync_run')).toEqual([
      { state: 'succeeded', attempt: 1, added: 450 },
    ])
  }))

test.concurrent('while a vendor is waited for: the wait ends, and the run is given back', () =>
  draining(async scene => {
    const { stage, vendor, instance, stop } = scene
    vendor.okta.setMood('broken')
    await stage.ask(instance.id)
    await seen('a request', 60_000, async () => vendor.okta.requests.length > 0)
    await stop()
    expect(await runs(stage)).toEqual([givenBack])
    vendor.okta.setMood('normal')
    await finished(scene)
  }))

test.concurrent('in staging: the page is finished, the run is given back, and nothing new is taken', () =>
  draining(async scene => {
    const { stage, vendor, instance, stop } = scene
    await stage.know(instance, vendor)
    const [hold, second] = [vendor.hold(), vendor.hold()]
    await stage.ask(instance.id)
    await hold.reached
    const other = await stage.instance(stage.vendor(), 'okta-other')
    const holder = await stage.db.sql.reserve()
    await holder`begin`
    await holder`lock table account_staging in access exclusive mode`
    hold.open()
    await blocked(stage)
    await stop(async () => {
      await stage.ask(other.id)
      await holder`commit`
      holder.release()
    })
    second.open()
    expect(await runs(stage)).toEqual([givenBack, givenBack])
    await finished(scene)
    expect(await stage.users(other.id)).toHaveLength(450)
    expect(stage.told('okta-other')).toBe(1)
  }))

test.concurrent('in a merge: it is finished and counts, and another process tells it', () =>
  draining(async scene => {
    const { stage, vendor, instance, stop } = scene
    const hold = vendor.hold()
    await stage.ask(instance.id)
    await hold.reached
    const holder = await stage.db.sql.reserve()
    await holder`begin`
    // Weaker than what a new account's foreign key asks for: only the merge's own lock waits for it.
    await holder`select 1 from instance where id = ${instance.id} for no key update`
    hold.open()
    await blocked(stage)
    await stop(async () => {
      await holder`commit`
      holder.release()
    })
    expect(await stage.rows('select state, attempt, added from sync_run')).toEqual([
      { state: 'succeeded', attempt: 1, added: 450 },
    ])
    await finished(scene)
  }))

test.concurrent('in a delivery: what is on its way is settled, the rest waits, and nothing is told twice', () =>
  draining(async scene => {
    const { stage, instance, stop } = scene
    const slow = 2_000
    stage.sandbox.mailbox.faults.each(() => ({ kind: 'delay', ms: slow }))
    await stage.rows(
      "insert into recipient (id, team_id, email, added_by, added_at) select gen_random_uuid(), $1, 'p' || n || '@example.com', 'U0ADA', now() from generate_series(1, 8) n",
      instance.teamId,
    )
    await stage.ask(instance.id)
    await seen('the first mail', 60_000, async () => stage.mailed(instance.name) > 0)
    await stop()
    const states = (await stage.rows('select state, count(*)::int n from outbox group by 1 order by 1')).map(
      row => String(row.state),
    )
    expect(states, 'nothing is left to a lease').toEqual(['pending', 'sent'])
    stage.sandbox.mailbox.faults.each(() => undefined)
    await stage.worker()
    await stage.quiet(atOnceMs)
    const to = stage.sandbox.mailbox.mails
      .filter(mail => mail.subject.includes(instance.name))
      .flatMap(mail => mail.to)
    expect(to).toHaveLength(9)
    expect(new Set(to).size).toBe(9)
    expect(stage.told(instance.name)).toBe(1)
  }))

test.concurrent('in a removal: the batch is finished and counted, the removal is given back, and it is told once', () =>
  draining(async scene => {
    const { stage, instance, stop } = scene
    await stage.rows(
      `insert into account (instance_id, external_id, status, kind, roles, licences, hash, first_seen_at)
        select $1::uuid, 'p' || lpad(n::text, 6, '0'), 'active', 'human', '{}', '{}', 'x', now() from generate_series(1, 3500) n`,
      instance.id,
    )
    await stage.rows(`create function stand_still() returns trigger language plpgsql as
      $$ begin perform pg_advisory_xact_lock_shared(4242); return old; end $$`)
    await stage.rows(
      'create trigger stand_still before delete on account for each row execute function stand_still()',
    )
    const holder = await stage.db.sql.reserve()
    await holder`select pg_advisory_lock(4242)`
    await stage.db.transaction(async tx => {
      const now = new Date()
      await moveInstance(tx, instance.id, 'deleting', { now })
      await requestRemoval(tx, { instanceId: instance.id, kind: 'instance', by: 'U0ADA', now }, () => {})
    })
    await blocked(stage)
    await stop(async () => {
      await holder`select pg_advisory_unlock(4242)`
      holder.release()
    })
    expect(await stage.rows('select state, attempt, removed, lease_owner from removal')).toEqual([
      { state: 'requested', attempt: 0, removed: 1000, lease_owner: null },
    ])
    await finished(scene, 0)
    expect(await stage.rows('select state, removed from removal')).toEqual([{ state: 'done', removed: 3500 }])
  }))
