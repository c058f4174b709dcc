// CSV file: the people of any application, uploaded as a list; there is no vendor to ask, the file itself answers.
import { z } from 'zod'
import { at, listAt } from '../bodies.ts'
import { type CredentialMeta, defineConnector, type Req, type Res } from '../connector.ts'
import { offset } from '../pagers.ts'
import { fileMaxBytes, pageSize, readFile, rowsMax, toAccount } from './schema.ts'

const credentials = z.object({
  file: z
    .string()
    .min(1, 'Choose a file.')
    .max(fileMaxBytes, 'The file is larger than 5 MB.')
    .meta({
      label: 'CSV file',
      hint: `A heading in the first line, one person a line; at most 5 MB and ${rowsMax.toLocaleString('en-US')} lines, in UTF-8. Commas, semicolons or tabs.`,
      secret: true,
      file: { types: ['csv'], maxBytes: fileMaxBytes },
    } satisfies CredentialMeta),
  idColumn: column(
    'Heading of the id',
    'Only where it is another than in the template. The id must never change.',
  ),
  emailColumn: column('Heading of the e-mail', 'Without a column of ids the address is the id.'),
  nameColumn: column('Heading of the name'),
  statusColumn: column(
    'Heading of the status',
    'active, invited, suspended or deactivated. Without one everybody is active.',
  ),
  rolesColumn: column('Heading of the roles'),
  licencesColumn: column('Heading of the licences'),
  lastActiveColumn: column(
    'Heading of the last activity',
    'Dates such as 2026-11-25 or 2026-11-25T08:30:00Z.',
  ),
  createdColumn: column('Heading of the creation'),
  adminColumn: column('Heading of the administrators', 'yes or no.'),
  mfaColumn: column('Heading of MFA', 'yes or no.'),
})

/** CSV file, as a declaration. Source: RFC 4180 (comma-separated values). */
export const csv = defineConnector(credentials, {
  id: 'csv',
  name: 'CSV file',
  emoji: ':bar_chart:',
  privileges: ['A heading with a column “id” or “email”', 'One line a person, each id once'],
  tokenFrom: {
    text: 'Export the people from the application, or start from the template. Upload a new file in Edit Instance when it has changed.',
    url: 'https://www.rfc-editor.org/rfc/rfc4180',
  },
  template: `id,email,name,status,roles,licences,last_active,created,admin,mfa
1001,grace@example.com,Grace Hopper,active,Owner; Editor,Pro,2026-11-20,2024-03-01,yes,yes
1002,alan@example.com,Alan Turing,invited,Viewer,,,2026-11-18,no,no`,
  reports:
    'What the columns say: name, e-mail, status, roles, licences, last activity, created, administrators, MFA. As new as the file.',
  facts: { source: 'https://www.rfc-editor.org/rfc/rfc4180', on: '2026-11-25' },
  // RFC 2606: a name that is nobody's. Nothing is sent there.
  base: () => 'https://file.invalid',
  auth: { kind: 'none', headers: () => ({}) },
  scopes: [],
  check: () => ({ path: '/file' }),
  tenant: body => ({ key: String(at(body, 'key')), name: null }),
  notice: body => {
    const notice = at(body, 'notice')
    return typeof notice === 'string' ? notice : undefined
  },
  rules: [],
  local: async given => {
    const file = await readFile(given)
    return (req: Req): Res => {
      const { rows, ...about } = file
      const from = Number(req.query?.offset ?? '0')
      const body =
        req.path === '/file' ? about : { total: rows.length, rows: rows.slice(from, from + pageSize) }
      return { status: 200, headers: {}, body }
    }
  },
  listings: [
    {
      name: 'people',
      request: () => ({ path: '/people', query: { offset: '0' } }),
      items: listAt('rows'),
      page: offset('offset', body => at(body, 'total')),
      account: toAccount,
    },
  ],
})

function column(label: string, hint?: string) {
  return z
    .string()
    .max(255, 'This is too long.')
    .meta({ label, ...(hint ? { hint } : {}) } satisfies CredentialMeta)
}
