// HTTP JSON: the people of any application that lists them as JSON at one address, mapped by paths that an admin gives.
import { z } from 'zod'
import { baseAddress, placeOf } from '../address.ts'
import { basic, bearer } from '../auth.ts'
import type { Auth, Pager, Req } from '../connector.ts'
import { type CredentialMeta, defineConnector } from '../connector.ts'
import { ProviderError } from '../errors.ts'
import { addressField, choiceField } from '../fields.ts'
import { cursor, linkHeader, nextUrl, offset, pageNumber } from '../pagers.ts'
import { firstAt, isPath, itemsAt, toAccount } from './schema.ts'

const credentials = z
  .object({
    address: addressField({
      label: 'Address of the list',
      hint: 'With its query, such as ?limit=100. Keys belong below, not into the address.',
      placeholder: 'https://api.example.com/users?limit=100',
    }),
    check: addressField({
      label: 'Address for the check',
      hint: 'On the same host, one that refuses a bad key. Blank: the list itself.',
      placeholder: 'https://api.example.com/me',
      optional: true,
    }),
    auth: choiceField({ label: 'How the key is sent' }, [
      ['bearer', 'Authorization: Bearer KEY'],
      ['header', 'A header of its own: NAME: KEY'],
      ['basic', 'Basic: user name NAME, password KEY'],
    ]),
    keyName: optional({ label: 'NAME', hint: 'The header’s name, or the user name.' }, /^[\x21-\x7e]*$/),
    key: z
      .string()
      .min(1, 'Give the key.')
      .max(4_000, 'This is too long.')
      .regex(/^[\x20-\x7e]*$/, 'It has no special letters.')
      .meta({ label: 'KEY', hint: 'The key, token or password.', secret: true } satisfies CredentialMeta),
    itemsPath: path({
      label: 'Path of the list',
      hint: 'Where the people are in the answer. Blank: the answer is the list.',
    }),
    idPath: path(
      { label: 'Path of the id', hint: 'In each person. It must never change.', placeholder: 'id' },
      true,
    ),
    emailPath: path({ label: 'Path of the e-mail', placeholder: 'profile.email' }),
    namePath: path({ label: 'Path of the name', placeholder: "$['full name']" }),
    statusPath: path({ label: 'Path of the status', hint: 'Blank: everybody counts as active.' }),
    invited: words('Values that mean invited'),
    suspended: words('Values that mean suspended'),
    deactivated: words('Values that mean deactivated'),
    rolesPath: path({ label: 'Path of the roles' }),
    licencesPath: path({ label: 'Path of the licences' }),
    activePath: path({
      label: 'Path of the last activity',
      hint: 'An ISO date, or seconds or milliseconds since 1970.',
    }),
    createdPath: path({ label: 'Path of the creation' }),
    paging: choiceField({ label: 'How more pages are asked for' }, [
      ['none', 'All people come in one answer'],
      ['link', 'The Link header holds the next address'],
      ['page', 'A page number in the query'],
      ['offset', 'An offset in the query'],
      ['cursor', 'A cursor in the answer goes into the query'],
      ['next', 'The answer holds the next address'],
    ]),
    pageKey: optional(
      { label: 'Name in the query', hint: 'Of the page number, offset or cursor.' },
      /^[\w.[\]-]*$/,
    ),
    nextPath: path({ label: 'Path of the cursor or next address', placeholder: 'meta.next' }),
  })
  .superRefine((given, say) => {
    const problem = (field: string, message: string) =>
      say.addIssue({ code: 'custom', path: [field], message })
    if (given.auth !== 'bearer' && given.keyName === '')
      problem('keyName', 'Give the header’s name or the user name.')
    if (given.auth === 'header' && !/^[A-Za-z0-9-]*$/.test(given.keyName))
      problem('keyName', 'A header’s name has only letters, digits and -')
    if (['page', 'offset', 'cursor'].includes(given.paging) && given.pageKey === '')
      problem('pageKey', 'Give the name in the query.')
    if (['cursor', 'next'].includes(given.paging) && given.nextPath === '')
      problem('nextPath', 'Give the path.')
  })

type Given = z.infer<typeof credentials>

/** HTTP JSON, as a declaration. Paths: RFC 9535 (JSONPath), or keys apart by dots. Addresses: RFC 8288 for Link. */
export const httpJson = defineConnector(credentials, {
  id: 'http-json',
  name: 'HTTP JSON (any application)',
  emoji: ':electric_plug:',
  privileges: ['A key that may list the application’s people'],
  tokenFrom: {
    text: 'The application’s own documentation says where its API key is made.',
    url: 'https://www.rfc-editor.org/rfc/rfc9535',
  },
  reports:
    'What the paths point at: name, e-mail, status, roles, licences, last activity, created. Not reported: MFA.',
  facts: { source: 'https://www.rfc-editor.org/rfc/rfc9535', on: '2026-11-25' },
  base: ({ address }) => new URL(baseAddress(address, 'address')).origin,
  auth: { kind: 'token', headers: proofOf } satisfies Auth<Given>,
  scopes: [],
  check: given => (given.check ? { path: onSameHost(given) } : list(given)),
  tenant: (_, { address }) => ({ key: placeOf(address, 'address'), name: null }),
  rules: [{ on: 404, is: 'settings', field: 'address' }],
  listings: [{ name: 'people', request: list, items: itemsAt, page: nextPage, account: toAccount }],
})

function proofOf({ auth, keyName, key }: Given): Record<string, string> {
  if (auth === 'basic') return basic(keyName, key)
  return auth === 'header' ? { [keyName.toLowerCase()]: key } : bearer(key)
}

/** What the pager needs is carried with the request, since it sees no credentials. */
function list({ address, paging, pageKey, nextPath }: Given): Req {
  const url = whole(address)
  const first = { page: '1', offset: '0' }[paging]
  const start = first === undefined ? undefined : (url.searchParams.get(pageKey) ?? first)
  return {
    path: url.pathname + url.search,
    ...(start === undefined ? {} : { query: { [pageKey]: start } }),
    carried: { paging, pageKey, nextPath },
  }
}

function nextPage(...[req, res, got]: Parameters<Pager>): ReturnType<Pager> {
  const { paging, pageKey, nextPath } = req.carried as Pick<Given, 'paging' | 'pageKey' | 'nextPath'>
  switch (paging) {
    case 'link':
      return linkHeader(req, res, got)
    case 'page':
      return pageNumber(pageKey)(req, res, got)
    case 'offset':
      return offset(pageKey)(req, res, got)
    case 'cursor':
      return cursor(pageKey, body => firstAt(body, nextPath))(req, res, got)
    case 'next':
      return nextUrl(body => firstAt(body, nextPath))(req, res, got)
    default:
      return undefined
  }
}

/** Throws `settings` for another host: the key would go to it. */
function onSameHost({ address, check }: Given): string {
  const [url, listed] = [whole(check), whole(address)]
  if (url.origin !== listed.origin)
    throw new ProviderError('settings', {
      message: 'The address for the check must be on the same host as the list.',
      detail: 'check on another origin',
      field: 'check',
    })
  return url.pathname + url.search
}

function whole(typed: string): URL {
  return new URL(/^[a-z][a-z0-9+.-]*:\/\//i.test(typed) ? typed : `https://${typed}`)
}

function optional(asked: CredentialMeta, letters: RegExp) {
  return z
    .string()
    .max(255, 'This is too long.')
    .regex(letters, 'It has letters that cannot be there.')
    .meta({ ...asked })
}

function path(asked: CredentialMeta, required = false) {
  return z
    .string()
    .min(required ? 1 : 0, 'Give the path.')
    .max(200, 'This is too long.')
    .refine(isPath, 'This is not a path. It looks like profile.email or $.emails[0].value.')
    .meta({ ...asked })
}

function words(label: string) {
  const hint = 'Apart by commas. A value that is in none of the three counts as active.'
  return z.string().max(255, 'This is too long.').meta({ label, hint, placeholder: 'blocked, locked' })
}
