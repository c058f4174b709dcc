// What the instance store promises: nothing is overwritten unseen, and only legal moves of status happen.
import { afterAll, beforeAll, expect, test } from 'vitest'
import {
  createInstance,
  editInstance,
  findInstance,
  matchInstances,
  moveInstance,
} from '../../src/instances/store.ts'
import { newId } from '../../src/lib/ids.ts'
import { type TestDatabase, testDatabase } from '../support/postgres.ts'

let database: TestDatabase
const now = new Date('2026-11-01T10:00:00Z')
beforeAll(async () => {
  database = await testDatabase()
})
afterAll(() => database.drop())

function fresh(name: string, teamId = 'T1') {
  return {
    id: newId(),
    teamId,
    name,
    connector: 'okta',
    tenantKey: 'acme',
    tenantName: 'Acme',
    settings: { domain: 'acme.okta.com' },
    sealed: 'v1.sealed',
    owner: 'U1',
    createdBy: 'U1',
  }
}
const create = (name: string, teamId?: string) =>
  database.db.transaction(tx => createInstance(tx, fresh(name, teamId), now))

test('of two edits of the same version one is saved and the other is told', async () => {
  const instance = await create('edited')
  const edits = ['first', 'second'].map(name =>
    database.db.transaction(tx => editInstance(tx, { id: instance.id, version: 1 }, { name }, now)),
  )
  const saved = await Promise.all(edits)
  expect(saved.filter(Boolean)).toHaveLength(1)
  const stored = await findInstance(database.db.conn, 'T1', instance.id)
  expect(stored).toMatchObject({ version: 2, name: saved.find(Boolean)?.name })
})

test('new credentials start a new generation, a new name does not', async () => {
  const instance = await create('generations')
  const renamed = await database.db.transaction(tx =>
    editInstance(tx, { id: instance.id, version: 1 }, { name: 'generations-2' }, now),
  )
  expect(renamed?.generation).toBe(1)
  const resealed = await database.db.transaction(tx =>
    editInstance(tx, { id: instance.id, version: 2 }, { sealed: 'v1.other' }, now),
  )
  expect(resealed?.generation).toBe(2)
})

test('a name is taken once in a team, whatever its case, and free again after deletion', async () => {
  const first = await create('Okta-Prod')
  await expect(create('okta-prod')).rejects.toMatchObject({ cause: { code: '23505' } })
  await expect(create('okta-prod', 'T2')).resolves.toBeDefined()
  await database.db.transaction(async tx => {
    await moveInstance(tx, first.id, 'deleting', { now })
    await moveInstance(tx, first.id, 'deleted', { now })
  })
  await expect(create('okta-prod')).resolves.toBeDefined()
})

test('a deleted instance keeps no credentials and cannot come back', async () => {
  const instance = await create('gone')
  const moves = await database.db.transaction(async tx => [
    await moveInstance(tx, instance.id, 'deleting', { now }),
    await moveInstance(tx, instance.id, 'deleted', { now }),
    await moveInstance(tx, instance.id, 'live', { now }),
  ])
  expect(moves.map(move => move?.status)).toEqual(['deleting', 'deleted', undefined])
  expect(moves[1]?.sealed).toBeNull()
  expect(await findInstance(database.db.conn, 'T1', instance.id)).toBeUndefined()
})

test('Inactive carries why and who, and Live again carries neither', async () => {
  const instance = await create('paused')
  const inactivation = { reason: 'user' as const, detail: null, by: 'U2' }
  const inactive = await database.db.transaction(tx =>
    moveInstance(tx, instance.id, 'inactive', { now, inactivation }),
  )
  expect(inactive).toMatchObject({
    status: 'inactive',
    inactiveReason: 'user',
    inactiveBy: 'U2',
    inactiveAt: now,
  })
  const live = await database.db.transaction(tx => moveInstance(tx, instance.id, 'live', { now }))
  expect(live).toMatchObject({ status: 'live', inactiveReason: null, inactiveBy: null, inactiveAt: null })
})

test('a part of a name finds every match, an exact name only itself, another team nothing', async () => {
  await create('github', 'T3')
  await create('github-legacy', 'T3')
  const names = async (part: string, team: string) =>
    (await matchInstances(database.db.conn, team, part)).map(instance => instance.name)
  expect(await names('hub', 'T3')).toEqual(['github', 'github-legacy'])
  expect(await names('GitHub', 'T3')).toEqual(['github'])
  expect(await names('hub', 'T4')).toEqual([])
})
