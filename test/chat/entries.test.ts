// Every way in, by every kind of person: who may is let in, anybody else changes nothing, hears why, and is written down.
import { readdir, readFile } from 'node:fs/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Gesture, Role } from '../../src/chat/gesture.ts'
import { createHelpGesture } from '../../src/chat/help.ts'
import type { ShownUser } from '../../src/sandbox/slack/person.ts'
import { until } from '../support/world.ts'
import type { Forged } from './forge.ts'
import { handsOf } from './hands.ts'
import { startWatched, type Watched } from './watched.ts'

/** The least role of every way in; with `owner` the instance's owner may, too. A gesture that is not here fails below. */
const ways: Readonly<Record<string, Role | [Role, 'owner']>> = {
  'command help': 'anyone',
  'command (unknown)': 'anyone',
  'command integrations': 'viewer',
  'command connect': 'admin',
  'command manage': ['admin', 'owner'],
  'command sync': ['operator', 'owner'],
  'command history': ['operator', 'owner'],
  'command recipients': 'admin',
  'command audit': 'admin',
  'command undelivered': 'admin',
  'action (unknown)': 'anyone',
  'action integrations-page': 'viewer',
  'action audit-of': 'admin',
  'action audit-page': 'admin',
  'action audit-file': 'admin',
  'action connect': 'admin',
  'action manage': ['admin', 'owner'],
  'action fix': ['admin', 'owner'],
  'action sync-now': ['operator', 'owner'],
  'action history': ['operator', 'owner'],
  'action recipients': 'admin',
  'action recipient-add': 'admin',
  'action recipient-remove': 'admin',
  'action recipient-page': 'admin',
  'action delete-users': ['admin', 'owner'],
  'action delete-instance': ['admin', 'owner'],
  'action delete-understood': ['admin', 'owner'],
  'action delete-confirm': ['admin', 'owner'],
  'action held-allow': 'admin',
  'action held-keep': 'admin',
  'action unread-rows': 'operator',
  'action undelivered': 'admin',
  'action undelivered-page': 'admin',
  'action undelivered-retry': 'admin',
  'action undelivered-again': 'admin',
  'action undelivered-all': 'admin',
  'action held-release': 'admin',
  'action held-list': 'admin',
  'action held-review': ['admin', 'owner'],
  'submission (unknown)': 'anyone',
  'submission connect': 'admin',
  'submission edit-instance': ['admin', 'owner'],
  'submission delete-users': ['admin', 'owner'],
  'submission recipients': 'admin',
  'closed (unknown)': 'anyone',
  'closed recipients': 'anyone',
  'options (unknown)': 'anyone',
}

/** A kind of person: Max, made into one. `rank` null: nobody who may do anything. */
interface Kind {
  rank: Role | null
  owner?: boolean
  groups?: string[]
  user?: Partial<ShownUser>
  /** The team that the payload claims. */
  claims?: string
  hears: RegExp
}
const ask = /Ask <@U0ADA>/
const strangers = /Only members/
const kinds: Readonly<Record<string, Kind>> = {
  'a member': { rank: 'anyone', hears: ask },
  'a viewer, by a user group': { rank: 'viewer', groups: ['S0VIEWERS'], hears: ask },
  'an operator, by a user group': { rank: 'operator', groups: ['S0OPERATORS'], hears: ask },
  'an admin, by a user group': { rank: 'admin', groups: ['S0ADMINS'], hears: ask },
  'the owner of the instance': { rank: 'anyone', owner: true, hears: ask },
  'an admin of Slack who is not listed': {
    rank: 'anyone',
    user: { isAdmin: true, isOwner: true },
    hears: ask,
  },
  'a guest in the admins’ group': {
    rank: null,
    groups: ['S0ADMINS'],
    user: { isRestricted: true },
    hears: ask,
  },
  'a guest who owns it': { rank: null, owner: true, user: { isUltraRestricted: true }, hears: ask },
  'an admin who has left': { rank: null, groups: ['S0ADMINS'], user: { deleted: true }, hears: strangers },
  'a bot in the admins’ group': { rank: null, groups: ['S0ADMINS'], user: { isBot: true }, hears: strangers },
  'another workspace’s admin in a shared channel': {
    rank: null,
    groups: ['S0ADMINS'],
    user: { teamId: 'T0OTHER', isAdmin: true, isOwner: true },
    hears: strangers,
  },
  'another workspace’s admin, whose payload names that workspace': {
    rank: null,
    groups: ['S0ADMINS'],
    user: { teamId: 'T0OTHER', isAdmin: true, isOwner: true },
    claims: 'T0OTHER',
    hears: strangers,
  },
  'an admin whose payload names another workspace': {
    rank: null,
    groups: ['S0ADMINS'],
    claims: 'T0OTHER',
    hears: strangers,
  },
}

const ranks: readonly Role[] = ['anyone', 'viewer', 'operator', 'admin']

function isAllowed(way: string, kind: Kind): boolean {
  const needs = ways[way]
  if (!needs || kind.rank === null) return false
  const [role, owner] = Array.isArray(needs) ? needs : [needs]
  return ranks.indexOf(kind.rank) >= ranks.indexOf(role) || (owner !== undefined && kind.owner === true)
}

let watched: Watched
/** Refusals to be found at the end, by kind. */
let refusalsDue = 0
beforeAll(async () => {
  const access = { admins: ['U0ADA', 'S0ADMINS'], operators: ['S0OPERATORS'], viewers: ['S0VIEWERS'] }
  watched = await startWatched({ access })
})
afterAll(() => watched.close())

const max = () => watched.world.userId('Max')
const refusals = async () =>
  (await watched.rows("select after->>'what' what from audit where action = 'refused' order by id")).length

/** How long saasm may go on believing what Slack said of a person. */
const rememberedMs = 60_000

/** Make Max this kind of person while `work` is done. */
async function being(kind: Kind, work: (by: Forged) => Promise<void>): Promise<void> {
  const { slack } = watched.world.sandbox
  const before = { ...watched.world.person('Max').state().user }
  const groups = ['S0VIEWERS', 'S0OPERATORS', 'S0ADMINS']
  const become = async (user: Partial<ShownUser>, of: readonly string[], owner: string) => {
    slack.changeUser(before.id, user)
    for (const group of groups) slack.setGroup(group, of.includes(group) ? [before.id] : [])
    await watched.rows('update instance set owner = $1 where id = $2', owner, watched.ours)
    watched.world.clock.advance(rememberedMs + 1)
  }
  await become(kind.user ?? {}, kind.groups ?? [], kind.owner ? before.id : 'U0ADA')
  const by = { userId: before.id, ...(kind.claims ? { teamId: kind.claims } : {}) }
  const asBefore = { teamId: undefined, ...before } as Partial<ShownUser>
  await work(by).finally(() => become(asBefore, [], 'U0ADA'))
}

/** Go in by this way, with ids that are real; what was answered at once. */
async function go(by: Forged, way: string, instance = watched.ours): Promise<string> {
  const { forge } = watched
  const [kind = '', word = ''] = way.split(' ')
  const id = word === '(unknown)' ? 'nobody-hears-this' : word
  const metadata = { instance, version: '0', connector: 'okta', draft: instance }
  const view = { callbackId: 'delete-instance', metadata }
  if (kind === 'command') await forge.command(by, `${id} ours`)
  else if (kind === 'action')
    await forge.press(by, id, instance, /^delete-(understood|confirm)$/.test(id) ? view : undefined)
  else if (kind === 'submission') return watched.submitted(by, id, metadata)
  else if (kind === 'closed') await forge.close(by, { callbackId: id, metadata })
  else if (kind === 'options') return JSON.stringify(await forge.load(by, id, 'a'))
  return ''
}

test.each(Object.entries(kinds))(
  '%s is let in where they may be, and refused by every other way',
  async (_who, kind) => {
    const hands = handsOf(watched.world, 'Max')
    await being(kind, async by => {
      for (const way of Object.keys(ways)) {
        const told = () => hands.heard().filter(text => kind.hears.test(text)).length
        const [heard, written] = [told(), await refusals()]
        if (isAllowed(way, kind)) {
          expect(await go(by, way), way).not.toMatch(kind.hears)
          continue
        }
        refusalsDue += 1
        const before = await watched.everything()
        const answered = await go(by, way)
        await until(`a refusal of ${way}`, async () => (await refusals()) === written + 1)
        const isSaid = () => kind.hears.test(`${answered}\n${hands.shown()}`) || told() > heard
        if (!/^(closed|options)/.test(way)) await until(`${way} says why`, isSaid)
        await hands.leave()
        expect(await watched.everything(), way).toBe(before)
      }
      await hands.leave()
    })
  },
)

test('an owner who names their own instance on a button does nothing to the one that the window is about', async () => {
  await being({ rank: 'anyone', owner: true, hears: ask }, async by => {
    const before = await watched.everything()
    for (const actionId of ['delete-understood', 'delete-confirm']) {
      const written = await refusals()
      const box = { 'delete-understood': { type: 'checkboxes', selected_options: [{ value: 'understood' }] } }
      await watched.forge.press(by, actionId, watched.ours, {
        callbackId: 'delete-instance',
        metadata: { instance: watched.neighbour, version: '1' },
        values: { 'delete-box': box },
      })
      await until('a refusal', async () => (await refusals()) > written)
      refusalsDue += 1
    }
    for (const callbackId of ['edit-instance', 'delete-users']) {
      refusalsDue += 1
      const metadata = { instance: watched.neighbour, version: '1' }
      expect(await watched.submitted(by, callbackId, metadata), callbackId).toMatch(ask)
    }
    expect(await watched.everything()).toBe(before)
  })
})

test('a window opened before the instance changed deletes nobody', async () => {
  await being({ rank: 'admin', groups: ['S0ADMINS'], hears: ask }, async by => {
    const before = await watched.everything()
    const stale = { instance: watched.ours, version: '0' }
    expect(await watched.submitted(by, 'delete-users', stale)).toMatch(/has changed this instance/)
    expect(await watched.everything()).toBe(before)
  })
})

test('a person who was an admin a minute ago, with the window still open, is refused by it', async () => {
  const hands = handsOf(watched.world, 'Max')
  await being({ rank: 'admin', groups: ['S0ADMINS'], hears: ask }, async () => {
    await hands.say('manage ours')
    await hands.seen('Edit Instance', /Sync every/)
    hands.type('name', { value: 'renamed too late' })
    const before = await watched.everything()
    watched.world.sandbox.slack.setGroup('S0ADMINS', [])
    watched.world.clock.advance(rememberedMs + 1)
    await hands.submit()
    refusalsDue += 1
    await hands.seen('the refusal', ask)
    expect(await watched.everything()).toBe(before)
    await hands.leave()
  })
})

test('Home shows the tiles to who may see them, and to nobody else', async () => {
  const home = () => JSON.stringify(watched.world.person('Max').state().home)
  await being({ rank: 'viewer', groups: ['S0VIEWERS'], hears: ask }, async by => {
    await watched.forge.openHome(by)
    await until('the tiles', () => /neighbour/.test(home()))
  })
  await being({ rank: 'anyone', hears: ask }, async by => {
    await watched.forge.openHome(by)
    await until('the refusal', () => ask.test(home()))
    expect(home()).not.toMatch(/neighbour/)
  })
})

test('nobody was refused but who is in the table as refused', async () => {
  await watched.world.app.stop(2_000)
  expect(await refusals()).toBe(refusalsDue)
  expect(refusalsDue).toBeGreaterThan(250)
})

test('every gesture, and every listener at the door, has its row', async () => {
  const folder = new URL('../../src/chat/', import.meta.url)
  const files = (await readdir(folder)).filter(name => name.endsWith('.ts'))
  const modules = await Promise.all(files.map(name => import(new URL(name, folder).href)))
  const declared = modules.flatMap(module =>
    Object.entries(module as Record<string, unknown>).flatMap(([name, value]) =>
      name.endsWith('Gesture') && typeof value === 'object' ? [value as Gesture] : [],
    ),
  )
  const keys = (kind: string, of: object | undefined) => Object.keys(of ?? {}).map(id => `${kind} ${id}`)
  const found = [...declared, createHelpGesture(declared)].flatMap(gesture => [
    ...(gesture.command ? [`command ${gesture.command.word}`] : []),
    ...keys('action', gesture.actions),
    ...keys('submission', gesture.submissions),
    ...keys('closed', gesture.closed),
    ...keys('options', gesture.options),
  ])
  const unknowns = ['command', 'action', 'submission', 'closed', 'options'].map(kind => `${kind} (unknown)`)
  expect([...found, ...unknowns].sort()).toEqual(Object.keys(ways).sort())
  const door = await readFile(new URL('../../src/slack/bolt.ts', import.meta.url), 'utf8')
  const listeners = [...door.matchAll(/\bbolt\.(\w+)\(/g)].map(match => match[1])
  expect(listeners).toEqual(['error', 'command', 'action', 'view', 'view', 'options', 'event'])
  expect(max()).toBe('U0MAX')
})
