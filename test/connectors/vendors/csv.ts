// A file of people as the contract suite meets it: another heading than the template's, semicolons, quotes, CRLF and a BOM.
import type { AccountStatus } from '../../../src/connectors/account.ts'
import type { Person, VendorPlan } from '../vendor-stand-in.ts'

const words: Record<AccountStatus, string> = {
  active: 'Active',
  invited: 'pending',
  suspended: 'LOCKED',
  deactivated: 'disabled',
}

/** The secret stands in a column that is not read. */
function fileOf(people: readonly Person[], secret: string): string {
  const lines = people.map(
    one =>
      `${one.id};"${one.last}, ""${one.first}""";${one.email};${words[one.status]};"Staff; Users";${secret}`,
  )
  return `\ufeff${['User ID;Full Name;E-Mail Address;State;Group;Note', ...lines].join('\r\n')}\r\n`
}

const somebody = (tenant: string): Person => ({
  ...{ n: 0, id: `${tenant}-1`, first: 'First0', last: 'Last0' },
  ...{ email: `person0@${tenant}.example`, status: 'active', bot: false },
})

export default {
  id: 'csv',
  local: 'the file is the vendor: nothing is asked by HTTP, so that nothing of it can fail',
  credentials: ({ tenant, secret, people = [somebody(tenant)] }) => ({
    file: fileOf(people, secret),
    idColumn: '',
    emailColumn: '',
    nameColumn: '',
    statusColumn: '',
    rolesColumn: 'group',
    licencesColumn: '',
    lastActiveColumn: '',
    createdColumn: '',
    adminColumn: '',
    mfaColumn: '',
  }),
  statuses: ['active', 'invited', 'suspended', 'deactivated'],
  refused: {},
  forbidden: null,
  limited: { answer: {}, waitMs: 0 },
  routes: {},
} satisfies VendorPlan
