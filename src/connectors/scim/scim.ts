// SCIM 2.0: the people of any application that speaks it (RFC 7644), at a known address or one that is typed.
import { z } from 'zod'
import { baseAddress, isBaseAddress, placeOf } from '../address.ts'
import { basic, bearer, token } from '../auth.ts'
import { type CredentialMeta, defineConnector } from '../connector.ts'
import { scimCheck, scimErrorCode, scimPeople } from '../scim-people.ts'
import { scimPresets } from '../scim-presets.ts'

const withPart = Object.values(scimPresets).filter(({ part }) => part !== undefined)

const credentials = z
  .object({
    app: z
      .string()
      .refine(given => given === '' || Object.hasOwn(scimPresets, given), 'Choose the application.')
      .default('')
      .meta({
        label: 'Application',
        hint: 'Its address is known then. Leave it open for another application, and give its address.',
        choices: Object.entries(scimPresets).map(([value, { label }]) => ({ value, label })),
      } satisfies CredentialMeta),
    part: z
      .string()
      .max(255, 'This is too long.')
      .regex(/^[\w.-]*$/, 'Only letters, digits and . _ - can be in it.')
      .default('')
      .meta({
        label: 'Own part of the address',
        hint: `Only for ${withPart.map(({ label, part }) => `${label} (${part})`).join(', ')}.`,
      } satisfies CredentialMeta),
    address: z
      .string()
      .max(500, 'This is too long.')
      .refine(typed => typed === '' || isBaseAddress(typed), 'This is not a web address.')
      .meta({
        label: 'SCIM base address',
        hint: 'Of an application that is not in the list. It often ends in /scim/v2.',
        placeholder: 'https://app.example.com/scim/v2',
      } satisfies CredentialMeta),
    user: z
      .string()
      .max(200, 'This is too long for a user name.')
      .regex(/^[^:]*$/, 'A user name has no colon.')
      .meta({
        label: 'User name',
        hint: 'Only when the application wants a user name and a password instead of a token (Guru).',
      } satisfies CredentialMeta),
    token: z
      .string()
      .min(1, 'Give the token or password.')
      .max(4_000, 'This is too long for a token.')
      .meta({
        label: 'Bearer token or password',
        hint: 'The application shows it once, when SCIM is set up.',
        secret: true,
      } satisfies CredentialMeta),
  })
  .superRefine((given, say) => {
    const problem = (field: string, message: string) =>
      say.addIssue({ code: 'custom', path: [field], message })
    const preset = scimPresets[given.app]
    if (!preset && given.address === '')
      problem('address', 'Choose the application, or give its SCIM base address.')
    if (preset && given.address !== '') problem('address', `Leave the address blank for ${preset.label}.`)
    if (preset?.part && given.part === '') problem('part', `Give ${preset.part}.`)
    if (preset?.basic && given.user === '') problem('user', `${preset.label} wants a user name.`)
  })

type Given = z.infer<typeof credentials>

const people = scimPeople()

/** SCIM 2.0, as a declaration. */
export const scim = defineConnector(credentials, {
  id: 'scim',
  name: 'SCIM',
  emoji: ':busts_in_silhouette:',
  privileges: ['A SCIM token that may read users'],
  tokenFrom: {
    text: 'Make the token in the application, where provisioning (SCIM) is set up.',
    url: 'https://www.rfc-editor.org/rfc/rfc7644',
  },
  reports:
    'Name, e-mail, status, roles and created, as far as the application gives them. Not reported: MFA, last activity.',
  facts: { source: 'https://www.rfc-editor.org/rfc/rfc7644', on: '2026-11-24' },
  base: baseOf,
  auth: token(given => (given.user === '' ? bearer(given.token) : basic(given.user, given.token))),
  scopes: [],
  check: given => scimCheck(pathOf(given)),
  tenant: (_, given) => ({ key: placeOf(baseOf(given), 'address'), name: null }),
  errorCode: scimErrorCode,
  rules: [{ on: 404, is: 'settings', field: 'address' }],
  listings: [{ ...people, request: given => scimPeople(pathOf(given)).request(given) }],
})

function baseOf({ app, part, address }: Given): string {
  const known = scimPresets[app]?.address.replace('{part}', part)
  return baseAddress(known ?? address, 'address')
}

function pathOf({ app }: Given): string {
  return scimPresets[app]?.path ?? '/Users'
}
