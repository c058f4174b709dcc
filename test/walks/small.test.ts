// How few may be left before a person is asked: nearly everybody of many, some of three, everybody of one.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { readable, until } from '../support/world.ts'
import { startConnected } from './connected.ts'

let at: Awaited<ReturnType<typeof startConnected>>
beforeAll(async () => {
  at = await startConnected()
})
afterAll(() => at.world.close())

/** All but so many leave, and it is synced. */
async function leave(count: number) {
  at.remove(at.okta().people().length - count)
  await at.sync()
}

async function allowed(left: number) {
  await at.press('held-allow')
  await until(`${left} are left`, async () => (await at.users()) === left)
  await at.quiet()
  expect(at.questions()).toHaveLength(0)
}

test('40 of 450 are left: the others stay until a person allows it', async () => {
  await leave(40)
  expect(await at.users()).toBe(450)
  expect(readable(at.asking().blocks)).toMatch(/410 users of 450 \(91 %\) of okta/)
  await allowed(40)
})

test('29 of 40 are left, eleven fewer: small as it is, they stay until a person allows it', async () => {
  await leave(29)
  expect(await at.users()).toBe(40)
  expect(readable(at.asking().blocks)).toMatch(/11 users of 40 \(28 %\) of okta/)
  await allowed(29)
})

test('1 of 3 is left: that few are believed, and can be seen for as long as it is set', async () => {
  await leave(3)
  await allowed(3)
  await leave(1)
  expect(at.questions()).toHaveLength(0)
  expect(await at.users()).toBe(1)
  expect(await at.counted('account where gone_at is not null')).toBe(449)
})

test('0 of 1 is left: everybody is always asked about', async () => {
  await leave(0)
  expect(await at.users()).toBe(1)
  expect(readable(at.asking().blocks)).toMatch(/1 user of 1 \(100 %\)[\s\S]*listed nobody at all/)
})
