// Google Workspace as the contract suite meets it: a signed assertion for an administrator, page tokens, limits as 403.
import { generateKeyPairSync, verify } from 'node:crypto'
import { cutByQuery } from '../vendor-pages.ts'
import type { Asked, Person, VendorPlan, World } from '../vendor-stand-in.ts'

const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
const scope = 'https://www.googleapis.com/auth/admin.directory.user.readonly'
const reason = (status: number, word: string) => ({
  status,
  body: { error: { code: status, message: word, errors: [{ domain: 'global', reason: word }] } },
})

function grant({ form }: Asked, world: World) {
  const [header = '', claims = '', signature = ''] = (form.get('assertion') ?? '').split('.')
  const said = JSON.parse(Buffer.from(claims, 'base64url').toString()) as Record<string, string>
  const signed = Buffer.from(`${header}.${claims}`)
  const genuine = verify('RSA-SHA256', signed, publicKey, Buffer.from(signature, 'base64url'))
  if (!genuine || said.iss !== `${world.secret}@project.iam.gserviceaccount.com`)
    return { status: 400, body: { error: 'invalid_grant', error_description: 'Invalid JWT Signature.' } }
  if (!world.scoped || said.scope !== scope || said.sub !== `admin@${world.tenant}.example`)
    return { status: 401, body: { error: 'unauthorized_client' } }
  return { body: { access_token: world.access(), expires_in: 3599, token_type: 'Bearer' } }
}

const user = (one: Person) => ({
  id: one.id,
  primaryEmail: one.email,
  name: { fullName: `${one.first} ${one.last}` },
  archived: one.status === 'deactivated',
  suspended: one.status === 'suspended',
  agreedToTerms: one.status !== 'invited',
  lastLoginTime: one.status === 'invited' ? '1970-01-01T00:00:00.000Z' : '2026-11-20T08:00:00.000Z',
  isAdmin: one.n === 0,
})

export default {
  id: 'google',
  credentials: ({ tenant, secret }) => ({
    key: JSON.stringify({
      type: 'service_account',
      client_email: `${secret}@project.iam.gserviceaccount.com`,
      private_key: pem,
    }),
    admin: `admin@${tenant}.example`,
  }),
  statuses: ['active', 'invited', 'suspended', 'deactivated'],
  refused: { status: 401, body: { error: { code: 401, status: 'UNAUTHENTICATED' } } },
  forbidden: { answer: reason(403, 'insufficientPermissions'), names: [scope] },
  limited: { answer: reason(403, 'userRateLimitExceeded'), waitMs: 60_000 },
  grants: { 'POST https://oauth2.googleapis.com/token': grant },
  routes: {
    'GET https://admin.googleapis.com/admin/directory/v1/users': (asked, world) => {
      if (asked.url.searchParams.get('customer') !== 'my_customer') return reason(400, 'badRequest')
      const paging = { size: 'maxResults', max: 200, cursor: 'pageToken' }
      const { rows, next } = cutByQuery(asked, world, world.people, paging)
      const users = rows.map(one => ({ ...user(one), customerId: `C-${world.tenant}` }))
      return { body: { kind: 'admin#directory#users', users, ...(next ? { nextPageToken: next } : {}) } }
    },
  },
} satisfies VendorPlan
