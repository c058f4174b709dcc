// Slack as the contract suite meets it: every error with status 200, scopes in a header, the deleted kept, Slackbot among them.
import { cutByQuery } from '../vendor-pages.ts'
import type { Person, VendorPlan, World } from '../vendor-stand-in.ts'

const fault = (error: string, more: object = {}) => ({ body: { ok: false, error, ...more } })
const scopes = ({ scoped }: World) => ({
  'x-oauth-scopes': scoped ? 'users:read,users:read.email' : 'users:read',
})

const member = (one: Person) => ({
  id: one.bot && one.n === 50 ? 'USLACKBOT' : one.id,
  deleted: one.status === 'deactivated',
  is_bot: one.bot && one.n !== 50,
  ...(one.status === 'invited' ? { is_invited_user: true } : {}),
  ...(one.status === 'deactivated' ? {} : { is_admin: one.n === 0, is_restricted: one.n === 1 }),
  profile: { email: one.email, real_name: `${one.first} ${one.last}` },
})

export default {
  id: 'slack',
  credentials: ({ secret }) => ({ token: secret }),
  statuses: ['active', 'invited', 'deactivated'],
  bots: true,
  refused: fault('invalid_auth'),
  forbidden: {
    answer: fault('missing_scope', { needed: 'users:read.email', provided: 'users:read' }),
    names: ['users:read.email'],
  },
  limited: { answer: fault('ratelimited'), waitMs: 30_000 },
  always: {
    'GET https://slack.com/api/auth.test': (_, world) => ({
      headers: scopes(world),
      body: { ok: true, team: world.tenant, team_id: `T-${world.tenant}` },
    }),
  },
  routes: {
    'GET https://slack.com/api/users.list': (asked, world) => {
      const paging = { size: 'limit', max: 1000, cursor: 'cursor' }
      const { rows, next } = cutByQuery(asked, world, world.people, paging)
      const response_metadata = { next_cursor: next ?? '' }
      return { headers: scopes(world), body: { ok: true, members: rows.map(member), response_metadata } }
    },
  },
} satisfies VendorPlan
