// Microsoft Entra ID: the people of one tenant, by an app registration's client secret.
import { z } from 'zod'
import { clientCredentials } from '../auth.ts'
import { listAt, textAt } from '../bodies.ts'
import { defineConnector, type Req } from '../connector.ts'
import { choiceField, secretField, wordField } from '../fields.ts'
import { nextUrl, onePage } from '../pagers.ts'
import { codeOf, rolesIn, toAccount } from './schema.ts'

const clouds = {
  global: ['https://login.microsoftonline.com', 'https://graph.microsoft.com'],
  usgov: ['https://login.microsoftonline.us', 'https://graph.microsoft.us'],
  dod: ['https://login.microsoftonline.us', 'https://dod-graph.microsoft.us'],
  china: ['https://login.chinacloudapi.cn', 'https://microsoftgraph.chinacloudapi.cn'],
} as const

const credentials = z.object({
  tenant: wordField({
    label: 'Directory (tenant) ID',
    hint: 'On the overview page of the app registration.',
  }),
  client: wordField({ label: 'Application (client) ID', hint: 'On the same page.' }),
  secret: secretField({
    label: 'Client secret',
    hint: 'Its value, not its ID. App registration: Certificates and secrets, New client secret.',
  }),
  cloud: choiceField({ label: 'Cloud' }, [
    ['global', 'Global'],
    ['usgov', 'US Government (GCC High)'],
    ['dod', 'US Government (DoD)'],
    ['china', 'China (21Vianet)'],
  ]),
})

const select =
  'id,displayName,mail,userPrincipalName,accountEnabled,userType,createdDateTime,externalUserState,assignedLicenses'
const enough = ['User.Read.All', 'User.ReadWrite.All', 'Directory.Read.All', 'Directory.ReadWrite.All']
const premium = 'Microsoft Entra ID P1'
const audit = 'AuditLog.Read.All'
const skus = 'LicenseAssignment.Read.All'

/** Microsoft Entra ID, as a declaration. Source: Microsoft Graph 1.0, list users; national cloud deployments. */
export const entra = defineConnector(credentials, {
  id: 'entra',
  name: 'Microsoft Entra ID',
  emoji: ':large_blue_diamond:',
  privileges: [
    'Application permission User.Read.All, with admin consent',
    `Application permission ${skus} for the names of licences`,
    `Application permission ${audit} for the last sign-in (and a tenant with ${premium})`,
  ],
  tokenFrom: {
    text: 'Register an app in the Entra admin center, add the application permissions of Microsoft Graph, grant admin consent and make a client secret.',
    url: 'https://learn.microsoft.com/graph/auth-v2-service',
  },
  reports: 'Name, e-mail, status, guests, licences, created and last sign-in. Not reported: roles, MFA.',
  facts: { source: 'https://learn.microsoft.com/graph/api/user-list', on: '2026-11-25' },
  base: ({ cloud }) => placesOf(cloud)[1],
  auth: clientCredentials(({ tenant, client, secret, cloud }) => {
    const [login, graph] = placesOf(cloud)
    const scope = `${graph}/.default`
    const form = { grant_type: 'client_credentials', client_id: client, client_secret: secret, scope }
    return { url: `${login}/${encodeURIComponent(tenant)}/oauth2/v2.0/token`, form }
  }),
  scopes: ['User.Read.All'],
  // The token itself says what the app was granted.
  granted: ({ body }) => rolesIn(textAt('access_token')(body)),
  lacks: granted => (enough.some(one => granted.includes(one)) ? [] : ['User.Read.All']),
  check: () => ({ path: '/v1.0/users', query: { $top: '1', $select: 'id' } }),
  // Needs a permission of its own, so that its name may be missing.
  tenantRequest: () => ({ path: '/v1.0/organization', query: { $select: 'id,displayName' } }),
  tenant: (body, { tenant }) => ({
    key: tenant.toLowerCase(),
    name: textAt('value', 0, 'displayName')(body) ?? null,
  }),
  errorCode: codeOf,
  rules: [
    { on: 400, code: /^unauthorized_client$/, is: 'settings', field: 'client' },
    { on: 400, code: /^invalid_(request|tenant)$/, is: 'settings', field: 'tenant' },
    { on: 401, code: /IdentityNotFound/, is: 'permission' },
    { on: 403, code: /NonPremiumTenant/, is: 'permission', missing: () => [premium] },
    { on: 403, code: /MSGraphPermissionMissing/, is: 'permission', missing: () => [audit] },
  ],
  lookup: {
    name: 'names of licences',
    scopes: [skus],
    request: () => ({ path: '/v1.0/subscribedSkus', query: { $select: 'skuId,skuPartNumber' } }),
    items: listAt('value'),
    page: onePage,
    entry: item => [textAt('skuId')(item) ?? '', textAt('skuPartNumber')(item) ?? ''],
  },
  listings: [
    {
      name: 'people',
      request: () => ({
        path: '/v1.0/users',
        query: { $top: '999', $select: `${select},signInActivity` },
      }),
      items: listAt('value'),
      page: nextUrl(textAt('@odata.nextLink')),
      sizeKey: '$top',
      account: (item, _, looked) => toAccount(item, looked),
      less: (req, { missing }) => {
        const [why] = missing
        return why === premium || why === audit
          ? { req: withoutSignIn(req), unreported: `last sign-in, which needs ${why}` }
          : undefined
      },
    },
  ],
})

function withoutSignIn(req: Req): Req {
  return { ...req, query: { ...req.query, $select: select } }
}

function placesOf(cloud: string) {
  return clouds[cloud as keyof typeof clouds] ?? clouds.global
}
