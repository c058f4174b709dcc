// Salesforce as the contract suite meets it: SOQL, the next records as a path, errors in a list, limits as 403.
import { cut } from '../vendor-pages.ts'
import type { Person, VendorPlan, World } from '../vendor-stand-in.ts'

const fault = (status: number, errorCode: string) => ({ status, body: [{ errorCode, message: errorCode }] })
const page = (world: World, cursor: string | undefined) => {
  const { rows, next } = cut(world, world.people, { size: 200, max: 200, cursor })
  const more = next ? { nextRecordsUrl: `/services/data/v60.0/query/01g-${next}` } : {}
  return { body: { totalSize: world.people.length, done: next === null, ...more, records: rows.map(user) } }
}

const user = (one: Person) => ({
  attributes: { type: 'User' },
  Id: one.id,
  Name: `${one.first} ${one.last}`,
  Email: one.email,
  IsActive: one.status !== 'deactivated',
  UserType: one.bot ? 'AutomatedProcess' : 'Standard',
  Profile: { Name: 'Standard User', UserLicense: { Name: 'Salesforce' } },
  UserRole: null,
  CreatedDate: '2024-01-08T09:00:00.000+0000',
})

export default {
  id: 'salesforce',
  credentials: ({ tenant, secret }) => ({ domain: `${tenant}.my.salesforce.com`, client: 'key', secret }),
  statuses: ['active', 'suspended', 'deactivated'],
  bots: true,
  refused: fault(401, 'INVALID_SESSION_ID'),
  forbidden: { answer: fault(400, 'INVALID_TYPE'), names: ['api', 'View Setup and Configuration'] },
  limited: { answer: fault(403, 'REQUEST_LIMIT_EXCEEDED'), waitMs: 60_000 },
  grants: {
    'POST https://:tenant.my.salesforce.com/services/oauth2/token': ({ form }, world) =>
      form.get('client_secret') === world.secret && form.get('grant_type') === 'client_credentials'
        ? {
            body: { access_token: world.access(), instance_url: `https://${world.tenant}.my.salesforce.com` },
          }
        : { status: 400, body: { error: 'invalid_client', error_description: 'invalid client credentials' } },
  },
  routes: {
    'GET https://:tenant.my.salesforce.com/services/data/v60.0/query': (asked, world) => {
      const q = asked.url.searchParams.get('q') ?? ''
      if (q.includes('FROM Organization')) return { body: { records: [{ Id: '00D', Name: world.tenant }] } }
      const frozen = world.people.filter(one => one.status === 'suspended')
      if (q.includes('FROM UserLogin')) return { body: { records: frozen.map(one => ({ UserId: one.id })) } }
      return q.includes('LIMIT 1') ? { body: { done: true, records: [{ Id: 'x' }] } } : page(world, undefined)
    },
    'GET https://:tenant.my.salesforce.com/services/data/v60.0/query/01g-:cursor': ({ params }, world) =>
      page(world, params.cursor),
  },
  foreign: (answer, address) => ({
    ...answer,
    body: { ...(answer.body as object), nextRecordsUrl: address },
  }),
} satisfies VendorPlan
