// Asana as the contract suite meets it: memberships with only the fields that were asked for, offsets as opaque tokens.
import { cutByQuery } from '../vendor-pages.ts'
import type { Person, VendorPlan } from '../vendor-stand-in.ts'

const fault = (status: number, message: string) => ({ status, body: { errors: [{ message }] } })

const membership = (one: Person) => ({
  gid: `m${one.n}`,
  is_active: one.status === 'active',
  is_admin: one.n === 0,
  is_guest: one.n === 1,
  user: { gid: one.id, email: one.email, name: `${one.first} ${one.last}` },
})

export default {
  id: 'asana',
  credentials: ({ tenant, secret }) => ({ workspace: tenant, token: secret }),
  statuses: ['active', 'deactivated'],
  refused: fault(401, 'Not Authorized'),
  forbidden: { answer: fault(403, 'Forbidden'), names: [] },
  limited: {
    answer: { ...fault(429, 'Rate limited'), headers: { 'retry-after': '31' } },
    waitMs: 31_000,
  },
  routes: {
    'GET https://app.asana.com/api/1.0/workspaces/:workspace': ({ params }) => ({
      body: { data: { gid: params.workspace, name: params.workspace } },
    }),
    'GET https://app.asana.com/api/1.0/workspaces/:workspace/workspace_memberships': (asked, world) => {
      const paging = { size: 'limit', max: 100, cursor: 'offset' }
      const { rows, next } = cutByQuery(asked, world, world.people, paging)
      const fields = asked.url.searchParams.get('opt_fields') ?? ''
      const data = rows.map(one =>
        fields.includes('user.email') ? membership(one) : { gid: `m${one.n}`, user: { gid: one.id } },
      )
      return { body: { data, next_page: next ? { offset: next } : null } }
    },
  },
} satisfies VendorPlan
