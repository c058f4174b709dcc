// The scenes that a fault breaks into: what is prepared before a process starts, and what must be seen when all is quiet again.
import { expect } from 'vitest'
import { announce } from '../../src/announce/announce.ts'
import type { AnnouncementKind } from '../../src/announce/announcement.ts'
import { appendAudit } from '../../src/audit/store.ts'
import type { Instance } from '../../src/instances/instance.ts'
import { moveInstance, recordOutcome } from '../../src/instances/store.ts'
import { requestRemoval } from '../../src/sync/request.ts'
import { announcementOf } from '../../src/sync/told.ts'
import type { Stage } from './stage.ts'

/** What is prepared before the process starts; returns what must be seen when all is quiet again. */
export type Scene = (stage: Stage) => Promise<() => Promise<void>>

const quiet = () => {}

/** An instance that was asked to sync: 450 people in three pages. */
export const sync: Scene = async stage => {
  const vendor = stage.vendor()
  const instance = await stage.instance(vendor)
  await stage.ask(instance.id)
  return async () => {
    expect(await stage.users(instance.id)).toHaveLength(450)
    expect(await stage.rows('select state, added, removed from sync_run')).toEqual([
      { state: 'succeeded', added: 450, removed: 0 },
    ])
    expect(stage.told(instance.name)).toBe(1)
    expect(stage.mailed(instance.name)).toBe(1)
    expect(await stage.rows('select * from account_staging')).toHaveLength(0)
  }
}

/** An instance whose token was revoked: the run fails, and the instance becomes Inactive. */
export const failure: Scene = async stage => {
  const vendor = stage.vendor()
  vendor.okta.revokeToken()
  const instance = await stage.instance(vendor)
  await stage.ask(instance.id)
  return async () => {
    expect(await stage.rows('select status, last_outcome from instance')).toEqual([
      { status: 'inactive', last_outcome: 'failed' },
    ])
    expect(stage.told(instance.name)).toBe(1)
    expect(stage.mailed(instance.name)).toBe(1)
  }
}

/** An instance that is due by its schedule. */
export const due: Scene = async stage => {
  const instance = await stage.instance(stage.vendor())
  await stage.db.transaction(tx =>
    recordOutcome(tx, instance.id, {
      lastOutcome: 'succeeded',
      lastSuccessAt: new Date(),
      nextSyncAt: new Date(Date.now() - 1_000),
    }),
  )
  return async () => {
    expect(await stage.rows('select trigger, state from sync_run')).toEqual([
      { trigger: 'scheduled', state: 'succeeded' },
    ])
    expect(await stage.rows('select 1 from instance where next_sync_at > now()')).toHaveLength(1)
  }
}

/** 2,500 people of an instance that is being deleted: three batches. */
export const removal: Scene = async stage => {
  const instance = await stage.instance(stage.vendor())
  await removalOf(stage, instance, 2_500)
  return async () => {
    expect(await stage.rows('select 1 from account')).toHaveLength(0)
    expect(await stage.rows('select state, removed from removal')).toEqual([{ state: 'done', removed: 2500 }])
    expect(await stage.rows('select status from instance')).toEqual([{ status: 'deleted' }])
    expect(stage.told(`${instance.name} was deleted`)).toBe(1)
    expect(stage.mailed(instance.name)).toBe(1)
  }
}

/** Give an instance this many people, and ask for its deletion. */
export async function removalOf(stage: Stage, instance: Instance, people: number): Promise<void> {
  await populate(stage, instance, people)
  await askDeletion(stage, instance)
}

export async function populate(stage: Stage, instance: Instance, people: number): Promise<void> {
  await stage.rows(
    `insert into account (instance_id, external_id, status, kind, roles, licences, hash, first_seen_at)
      select $1::uuid, 'p' || lpad(n::text, 6, '0'), 'active', 'human', '{}', '{}', 'x', now() from generate_series(1, $2::int) n`,
    instance.id,
    people,
  )
}

export async function askDeletion(stage: Stage, instance: Instance): Promise<void> {
  await stage.db.transaction(async tx => {
    const now = new Date()
    await moveInstance(tx, instance.id, 'deleting', { now })
    await requestRemoval(tx, { instanceId: instance.id, kind: 'instance', by: 'U0ADA', now }, quiet)
  })
}

/** What is told of one instance, without a run: its incident is opened, and resolved. */
export async function tell(stage: Stage, kinds: readonly AnnouncementKind[]): Promise<string> {
  const instance = await stage.instance(stage.vendor())
  await stage.db.transaction(tx =>
    recordOutcome(tx, instance.id, { lastOutcome: 'failed', nextSyncAt: new Date(Date.now() + 3_600_000) }),
  )
  for (const kind of kinds) {
    const now = new Date()
    const failed = {
      failure: { code: 'broken', message: 'Okta does not answer.', missing: [], reference: 'E2345678' },
    }
    const told = { users: 0, lastSuccessAt: null, next: 'Next.', ...(kind === 'recovered' ? {} : failed) }
    const announcement = announcementOf(instance, kind, told, { at: now, actor: null })
    const incident = kind === 'recovered' ? 'resolve' : 'open'
    const where = { channel: stage.sandbox.settings.channel, now, ring: quiet }
    await stage.db.transaction(async tx => {
      await announce(tx, { announcement, instance, incident }, where)
      await appendAudit(tx, {
        ...{ teamId: instance.teamId, actor: 'saasm', source: 'run', action: `sync.${kind}`, instance },
      })
    })
  }
  return instance.name
}

/** An incident that is over: its message is edited, and the recovery posted. */
export const recovery: Scene = async stage => {
  const name = await tell(stage, ['failed', 'recovered'])
  return async () => {
    expect(stage.told(name)).toBe(2)
    expect(stage.mailed(name)).toBe(2)
    expect(stage.sandbox.slack.channel('saas-sync').messages[0]?.text).toMatch(/^\[Resolved\]/)
  }
}

/** Five instances that failed at once: one message names them all. */
export const flood: Scene = async stage => {
  const names: string[] = []
  for (let n = 0; n < 5; n += 1) names.push(await tell(stage, ['failed']))
  return async () => {
    for (const name of names) {
      expect(stage.told(name), name).toBe(1)
      expect(stage.mailed(name), name).toBe(1)
    }
  }
}
