// ClickUp as the contract suite meets it: every workspace that the token sees in one answer, errors by ECODE.
import type { Person, VendorPlan } from '../vendor-stand-in.ts'

const error = (status: number, ECODE: string) => ({ status, body: { err: 'refused', ECODE } })

const member = (one: Person) => ({
  user: {
    id: one.n + 1,
    username: `${one.first} ${one.last}`,
    email: one.email,
    role: one.n === 0 ? 1 : 3,
    last_active: '1763625600000',
    date_joined: '1704164645000',
  },
})

const other = { user: { id: 999_999, username: 'Somebody else', email: 'else@other.example', role: 1 } }

export default {
  id: 'clickup',
  credentials: ({ tenant, secret }) => ({ workspace: tenant, token: secret }),
  accountId: one => String(one.n + 1),
  proves: ({ headers }, world) => headers.authorization === world.secret,
  refused: error(401, 'OAUTH_025'),
  forbidden: { answer: error(401, 'OAUTH_027'), names: ['access to the workspace'] },
  limited: {
    answer: now => ({
      ...error(429, 'APP_002'),
      headers: {
        'x-ratelimit-remaining': '0',
        'x-ratelimit-reset': String(Math.ceil(now.getTime() / 1000) + 30),
      },
    }),
    waitMs: 30_000,
  },
  onePage: true,
  always: { 'GET https://api.clickup.com/api/v2/user': () => ({ body: { user: { id: 1 } } }) },
  routes: {
    'GET https://api.clickup.com/api/v2/team': (_, world) => ({
      body: {
        teams: [
          { id: 'another', name: 'Another', members: [other] },
          { id: world.tenant, name: world.tenant, members: world.slice(world.people, 0, 1_000).map(member) },
        ],
      },
    }),
  },
} satisfies VendorPlan
