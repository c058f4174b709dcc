// Any application with a list of people in JSON, as the contract suite meets it: a key in a header, a cursor in the answer.
import { cutByQuery } from '../vendor-pages.ts'
import type { Person, VendorPlan } from '../vendor-stand-in.ts'

const words = { active: 'enabled', invited: 'pending', suspended: 'locked', deactivated: 'gone' }

const person = (one: Person) => ({
  identity: { uuid: one.id },
  contacts: [
    { kind: 'phone', value: '+49 170 5550100' },
    { kind: 'mail', value: one.email },
  ],
  'full name': `${one.first} ${one.last}`,
  state: words[one.status],
  groups: [{ name: 'staff' }, { name: 'users' }],
})

export default {
  id: 'http-json',
  credentials: ({ tenant, secret }) => ({
    address: `https://api.${tenant}.example/v1/people?limit=120`,
    check: `https://api.${tenant}.example/v1/me`,
    auth: 'header',
    keyName: 'X-Api-Key',
    key: secret,
    itemsPath: 'result.people',
    idPath: 'identity.uuid',
    emailPath: "$.contacts[?@.kind == 'mail'].value",
    namePath: "$['full name']",
    statusPath: 'state',
    invited: 'pending',
    suspended: 'Locked, blocked',
    deactivated: 'gone',
    rolesPath: '$.groups[*].name',
    licencesPath: '',
    activePath: '',
    createdPath: '',
    paging: 'cursor',
    pageKey: 'after',
    nextPath: 'result.next',
  }),
  statuses: ['active', 'invited', 'suspended', 'deactivated'],
  proves: ({ headers }, world) => headers['x-api-key'] === world.secret,
  refused: { status: 401, body: { error: 'who?' } },
  forbidden: { answer: { status: 403, body: { error: 'not you' } }, names: [] },
  limited: { answer: { status: 429, headers: { 'retry-after': '5' }, body: {} }, waitMs: 5_000 },
  always: { 'GET https://api.:tenant.example/v1/me': () => ({ body: { ok: true } }) },
  routes: {
    'GET https://api.:tenant.example/v1/people': (asked, world) => {
      const paging = { size: 'limit', max: 120, cursor: 'after' }
      const { rows, next } = cutByQuery(asked, world, world.people, paging)
      return { body: { result: { people: rows.map(person), next } } }
    },
  },
} satisfies VendorPlan
