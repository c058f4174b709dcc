// Auth0 as the contract suite meets it: the scopes in the token's answer, no more than the first thousand of any search.
import type { Person, VendorPlan } from '../vendor-stand-in.ts'

/** Past it: see windows.test.ts. */
const windowMax = 1_000

const error = (status: number, errorCode: string) => ({ status, body: { statusCode: status, errorCode } })
const bornAt = (one: Person) => new Date(Date.UTC(2024, 0, 1) + one.n * 60_000).toISOString()

const user = (one: Person) => ({
  user_id: `auth0|${one.id}`,
  email: one.email,
  name: `${one.first} ${one.last}`,
  blocked: one.status === 'suspended',
  created_at: bornAt(one),
  last_login: '2026-11-20T08:00:00.000Z',
})

export default {
  id: 'auth0',
  credentials: ({ tenant, secret }) => ({ domain: `${tenant}.eu.auth0.com`, client: 'client', secret }),
  statuses: ['active', 'suspended'],
  accountId: one => `auth0|${one.id}`,
  refused: error(401, 'invalid_token'),
  forbidden: { answer: error(403, 'insufficient_scope'), names: ['read:users'] },
  limited: {
    answer: now => ({
      ...error(429, 'too_many_requests'),
      headers: {
        'x-ratelimit-remaining': '0',
        'x-ratelimit-reset': String(Math.ceil(now.getTime() / 1000) + 19),
      },
    }),
    waitMs: 19_000,
  },
  grants: {
    'POST https://:tenant.eu.auth0.com/oauth/token': ({ form, params }, world) =>
      form.get('client_secret') === world.secret &&
      form.get('audience') === `https://${params.tenant}.eu.auth0.com/api/v2/`
        ? {
            body: {
              access_token: world.access(),
              scope: world.scoped ? 'read:clients read:users' : 'read:clients',
              expires_in: 86_400,
            },
          }
        : { status: 401, body: { error: 'access_denied', error_description: 'Unauthorized' } },
  },
  routes: {
    'GET https://:tenant.eu.auth0.com/api/v2/users': ({ url }, world) => {
      const size = Math.min(Number(url.searchParams.get('per_page') ?? 50), 100)
      const from = Number(url.searchParams.get('page') ?? 0) * size
      if (from + size > windowMax) return error(400, 'invalid_paging')
      const since = /AND created_at:\[(\S+) TO \*\]$/.exec(url.searchParams.get('q') ?? '')?.[1] ?? ''
      const all = world.people.filter(one => bornAt(one) >= since)
      return { body: world.slice(all, from, size).map(user) }
    },
  },
} satisfies VendorPlan
