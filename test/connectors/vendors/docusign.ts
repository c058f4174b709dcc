// DocuSign as the contract suite meets it: a signed assertion, offsets, numbers as words, limits as 400.
import { generateKeyPairSync, verify } from 'node:crypto'
import { cutByOffset } from '../vendor-pages.ts'
import type { Asked, Person, VendorPlan, World } from '../vendor-stand-in.ts'

const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
const pem = privateKey.export({ type: 'pkcs1', format: 'pem' }).toString()
const words = { active: 'Active', invited: 'ActivationSent', suspended: 'Disabled', deactivated: 'Closed' }
const error = (status: number, errorCode: string) => ({ status, body: { errorCode, message: 'refused' } })

function grant({ form }: Asked, world: World) {
  const [header = '', claims = '', signature = ''] = (form.get('assertion') ?? '').split('.')
  const said = JSON.parse(Buffer.from(claims, 'base64url').toString()) as Record<string, string>
  const signed = Buffer.from(`${header}.${claims}`)
  const genuine = verify('RSA-SHA256', signed, publicKey, Buffer.from(signature, 'base64url'))
  const aud = said.aud === 'account.docusign.com' && said.scope === 'signature impersonation'
  if (!genuine || !aud || said.sub !== world.secret)
    return { status: 400, body: { error: 'invalid_grant', error_description: 'no_valid_keys_or_signatures' } }
  return { body: { access_token: world.access(), expires_in: 3600, token_type: 'Bearer' } }
}

const user = (one: Person) => ({
  userId: one.id,
  userName: `${one.first} ${one.last}`,
  email: one.email,
  userStatus: words[one.status],
  isAdmin: one.n === 0 ? 'True' : 'False',
  permissionProfileName: 'DS Sender',
  createdDateTime: '2024-01-02T03:04:05.0000000Z',
  lastLogin: '0001-01-01T00:00:00.0000000Z',
})

export default {
  id: 'docusign',
  credentials: ({ tenant, secret }) => ({
    account: tenant,
    address: 'https://na3.docusign.net',
    user: secret,
    client: 'integration-key',
    key: pem,
  }),
  statuses: ['active', 'invited', 'suspended', 'deactivated'],
  refused: error(401, 'AUTHORIZATION_INVALID_TOKEN'),
  forbidden: { answer: error(400, 'USER_LACKS_PERMISSIONS'), names: ['the right to manage users'] },
  limited: {
    answer: now => ({
      ...error(400, 'HOURLY_APIINVOCATION_LIMIT_EXCEEDED'),
      headers: {
        'x-ratelimit-remaining': '0',
        'x-ratelimit-reset': String(Math.ceil(now.getTime() / 1000) + 100),
      },
    }),
    waitMs: 100_000,
  },
  grants: { 'POST https://account.docusign.com/oauth/token': grant },
  always: {
    'GET https://na3.docusign.net/restapi/v2.1/accounts/:account': ({ params }) => ({
      body: { accountIdGuid: params.account, accountName: params.account },
    }),
  },
  routes: {
    'GET https://na3.docusign.net/restapi/v2.1/accounts/:account/users': (asked, world) => {
      const rows = cutByOffset(asked, world, world.people, {
        size: 'count',
        max: 100,
        cursor: 'start_position',
      })
      return {
        body: {
          users: rows.map(user),
          resultSetSize: String(rows.length),
          totalSetSize: String(world.people.length),
          startPosition: asked.url.searchParams.get('start_position'),
        },
      }
    },
  },
} satisfies VendorPlan
