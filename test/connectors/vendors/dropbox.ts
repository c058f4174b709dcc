// Dropbox as the contract suite meets it: POST only, a cursor for another address, a missing scope as 401, the wait in the body.
import { cut } from '../vendor-pages.ts'
import type { Asked, Person, VendorPlan, World } from '../vendor-stand-in.ts'

const words = { active: 'active', invited: 'invited', suspended: 'suspended', deactivated: 'removed' }

const member = (one: Person) => ({
  profile: {
    team_member_id: `dbmid:${one.id}`,
    email: one.email,
    name: { display_name: `${one.first} ${one.last}` },
    status: { '.tag': words[one.status] },
    membership_type: { '.tag': 'full' },
  },
  roles: [],
})

function page(world: World, people: readonly Person[], cursor: unknown) {
  const { rows, next } = cut(world, people, { size: 200, max: 200, cursor: cursor as string })
  return { body: { members: rows.map(member), cursor: next ?? 'c9999', has_more: next !== null } }
}

/** A cursor knows what was asked for. */
const all = ({ people }: World) => people
const first = ({ json }: Asked, world: World) =>
  page(
    world,
    json.include_removed ? all(world) : all(world).filter(one => one.status !== 'deactivated'),
    undefined,
  )

export default {
  id: 'dropbox',
  credentials: ({ secret }) => ({ app: 'key', secret: 'app-secret', refresh: secret }),
  statuses: ['active', 'invited', 'suspended', 'deactivated'],
  accountId: one => `dbmid:${one.id}`,
  refused: { status: 401, body: { error: { '.tag': 'invalid_access_token' }, error_summary: 'x' } },
  forbidden: {
    answer: { status: 401, body: { error: { '.tag': 'missing_scope', required_scope: 'members.read' } } },
    names: ['members.read'],
  },
  limited: {
    answer: {
      status: 429,
      body: { error: { reason: { '.tag': 'too_many_requests' }, retry_after: 77 } },
    },
    waitMs: 77_000,
  },
  grants: {
    'POST https://api.dropboxapi.com/oauth2/token': ({ form }, world) =>
      form.get('refresh_token') === world.secret && form.get('client_secret') === 'app-secret'
        ? { body: { access_token: world.access(), expires_in: 14_400, token_type: 'bearer' } }
        : { status: 400, body: { error: 'invalid_grant' } },
  },
  always: {
    'POST https://api.dropboxapi.com/2/team/get_info': (_, { tenant }) => ({
      body: { name: tenant, team_id: `dbtid:${tenant}` },
    }),
  },
  routes: {
    'POST https://api.dropboxapi.com/2/team/members/list_v2': first,
    'POST https://api.dropboxapi.com/2/team/members/list/continue_v2': ({ json }, world) =>
      page(world, all(world), json.cursor),
  },
} satisfies VendorPlan
