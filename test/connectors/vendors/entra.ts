// Microsoft Entra ID as the contract suite meets it: a token that carries its roles, whole next links, no premium licence.
import { cutByQuery, nextAddress } from '../vendor-pages.ts'
import type { Person, VendorPlan, World } from '../vendor-stand-in.ts'

const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
const token = (world: World) =>
  [part({ alg: 'RS256' }), part({ roles: world.scoped ? ['User.Read.All'] : [] }), world.access()].join('.')
const fault = (status: number, code: string) => ({ status, body: { error: { code, message: code } } })
const paging = { size: '$top', max: 120, cursor: '$skiptoken' }

const user = (one: Person) => ({
  id: one.id,
  displayName: `${one.first} ${one.last}`,
  mail: one.n % 2 ? one.email : null,
  userPrincipalName: one.email,
  accountEnabled: one.status !== 'suspended',
  userType: one.status === 'invited' ? 'Guest' : 'Member',
  externalUserState: one.status === 'invited' ? 'PendingAcceptance' : null,
  assignedLicenses: [{ skuId: '6fd2c87f-b296-42f0-b197-1e91e994b900' }],
})

export default {
  id: 'entra',
  credentials: ({ tenant, secret }) => ({ tenant, client: 'app-id', secret, cloud: 'global' }),
  statuses: ['active', 'invited', 'suspended'],
  proves: (asked, world) => asked.headers.authorization === `Bearer ${token(world)}`,
  refused: fault(401, 'InvalidAuthenticationToken'),
  forbidden: { answer: fault(403, 'Authorization_RequestDenied'), names: ['User.Read.All'] },
  limited: {
    answer: { ...fault(429, 'TooManyRequests'), headers: { 'retry-after': '17' } },
    waitMs: 17_000,
  },
  grants: {
    'POST https://login.microsoftonline.com/:tenant/oauth2/v2.0/token': ({ form }, world) =>
      form.get('client_secret') === world.secret &&
      form.get('scope') === 'https://graph.microsoft.com/.default'
        ? { body: { access_token: token(world), expires_in: 3599, token_type: 'Bearer' } }
        : { status: 401, body: { error: 'invalid_client', error_codes: [7000215] } },
  },
  routes: {
    'GET https://graph.microsoft.com/v1.0/organization': () => fault(403, 'Authorization_RequestDenied'),
    'GET https://graph.microsoft.com/v1.0/subscribedSkus': () => ({
      body: { value: [{ skuId: '6fd2c87f-b296-42f0-b197-1e91e994b900', skuPartNumber: 'ENTERPRISEPACK' }] },
    }),
    'GET https://graph.microsoft.com/v1.0/users': (asked, world) => {
      if (asked.url.searchParams.get('$select')?.includes('signInActivity'))
        return fault(403, 'Authentication_RequestFromNonPremiumTenantOrB2CTenant')
      const { rows, next } = cutByQuery(asked, world, world.people, paging)
      const link = next ? { '@odata.nextLink': nextAddress(asked, paging.cursor, next) } : {}
      return { body: { value: rows.map(user), ...link } }
    },
  },
  foreign: (answer, address) => ({
    ...answer,
    body: { ...(answer.body as object), '@odata.nextLink': address },
  }),
} satisfies VendorPlan
