// The SCIM connector against a SCIM server that we did not write: SCIMMY behind Express, with a bearer token.
import express from 'express'
import SCIMMY from 'scimmy'
import SCIMMYRouters from 'scimmy-routers'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { scim } from '../../src/connectors/scim/scim.ts'
import { engineOn, listAll, refusal, type Served, serve, swiftClock } from './served.ts'

const token = 'scimmy-token-9f2c'
const people = Array.from({ length: 130 }, (_, n) => ({
  id: `person-${n + 1}`,
  userName: `person${n + 1}@acme.example`,
  displayName: `Person ${n + 1}`,
  active: n % 10 !== 9,
  emails: [
    { value: `home${n + 1}@mail.example`, type: 'home' },
    { value: `person${n + 1}@acme.example`, type: 'work', primary: true },
  ],
}))

const clock = swiftClock()
const engine = engineOn(clock)
const asked: string[] = []
let served: Served

beforeAll(async () => {
  SCIMMY.Resources.declare(SCIMMY.Resources.User).egress(() => people)
  const app = express()
  const routers = new SCIMMYRouters({
    type: 'bearer',
    handler: req => {
      if (req.header('authorization') !== `Bearer ${token}`) throw new Error('Authorization not accepted')
      return 'saasm'
    },
  })
  app.use((req, _res, next) => {
    asked.push(req.originalUrl)
    // Express 5 reads the query anew at each look, so the routers' numbers would be lost.
    if (!req.path.startsWith('/forgetful')) Object.defineProperty(req, 'query', { value: req.query })
    next()
  })
  app.use('/scim/v2', routers)
  app.use('/forgetful', routers)
  served = await serve(app)
})

afterAll(async () => {
  await engine.close()
  await served.close()
})

const credentials = () => ({ address: `${served.url}/scim/v2`, user: '', token })

test('all 130 people come over several pages, each once', async () => {
  const { accounts, pages, end } = await listAll(engine, scim, credentials())
  expect(accounts.map(one => one.externalId)).toEqual(people.map(one => one.id))
  expect(pages.length).toBeGreaterThan(1)
  expect(end).toEqual({ warnings: [], complete: true })
})

test('name, primary address and status are read', async () => {
  const { accounts } = await listAll(engine, scim, credentials())
  expect(accounts[0]).toMatchObject({
    name: 'Person 1',
    email: 'person1@acme.example',
    status: 'active',
    mfa: null,
  })
  expect(accounts[9]).toMatchObject({ name: 'Person 10', status: 'deactivated' })
})

test('the connection is proven with two small requests', async () => {
  asked.length = 0
  const verified = await engine.verify(scim, credentials(), { timeoutMs: 5_000 })
  expect(verified.tenantKey).toBe(`${new URL(served.url).host}/scim/v2`)
  expect(asked).toHaveLength(2)
})

test('a server that forgets where a page starts is refused, not followed for ever', async () => {
  const forgetful = { ...credentials(), address: `${served.url}/forgetful` }
  const error = await refusal(listAll(engine, scim, forgetful))
  expect(error).toMatchObject({ problem: 'unreadable', detail: expect.stringContaining('repeated page') })
})

test('a wrong token is refused', async () => {
  const wrong = { ...credentials(), token: 'another-token' }
  const error = await refusal(engine.verify(scim, wrong, { timeoutMs: 5_000 }))
  expect(error).toMatchObject({ problem: 'credentials', field: 'token' })
})

test('a wrong base address is a setting to mend', async () => {
  const wrong = { ...credentials(), address: `${served.url}/elsewhere` }
  const error = await refusal(engine.verify(scim, wrong, { timeoutMs: 5_000 }))
  expect(error).toMatchObject({ problem: 'settings', field: 'address' })
})
