// Slack Enterprise Grid as the contract suite meets it: one list of the active and one of the deactivated, by POST.
import { cutByQuery } from '../vendor-pages.ts'
import type { Person, VendorPlan } from '../vendor-stand-in.ts'

const fault = (error: string, more: object = {}) => ({ body: { ok: false, error, ...more } })
const isActive = (one: Person) => one.status === 'active'

export default {
  id: 'slack-grid',
  credentials: ({ secret }) => ({ token: secret }),
  statuses: ['active', 'deactivated'],
  bots: true,
  inOrder: people => [...people.filter(isActive), ...people.filter(one => !isActive(one))],
  refused: fault('invalid_auth'),
  forbidden: {
    answer: fault('missing_scope', { needed: 'admin.users:read', provided: 'users:read' }),
    names: ['admin.users:read'],
  },
  limited: { answer: { status: 429, headers: { 'retry-after': '20' }, text: '' }, waitMs: 20_000 },
  always: {
    'GET https://slack.com/api/auth.test': (_, { tenant }) => ({
      body: { ok: true, team: tenant, team_id: `E-${tenant}`, enterprise_id: `E-${tenant}` },
    }),
  },
  routes: {
    'POST https://slack.com/api/admin.users.list': (asked, world) => {
      const active = asked.url.searchParams.get('is_active') !== 'false'
      const all = world.people.filter(one => isActive(one) === active)
      const { rows, next } = cutByQuery(asked, world, all, { size: 'limit', max: 100, cursor: 'cursor' })
      const users = rows.map(one => ({
        id: one.id,
        email: one.email,
        full_name: `${one.first} ${one.last}`,
        is_bot: one.bot,
        is_admin: one.n === 0,
        date_created: 1_700_000_000,
      }))
      return { body: { ok: true, users, response_metadata: { next_cursor: next ?? '' } } }
    },
  },
} satisfies VendorPlan
