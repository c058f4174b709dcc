// 1Password: the people of one account, by its SCIM bridge.
import { z } from 'zod'
import { baseAddress, placeOf } from '../address.ts'
import { bearer, token } from '../auth.ts'
import { defineConnector } from '../connector.ts'
import { addressField, secretField } from '../fields.ts'
import { scimCheck, scimErrorCode, scimPeople } from '../scim-people.ts'

const credentials = z.object({
  address: addressField({
    label: 'SCIM bridge address',
    hint: 'Where your bridge answers. 1Password: Integrations, your provisioning integration.',
    placeholder: 'https://scim.acme.com',
  }),
  token: secretField({
    label: 'Bearer token',
    hint: 'It was shown once, when the bridge was set up; 1Password can make another.',
  }),
})

/** 1Password, as a declaration. Source: 1Password's SCIM bridge; which people a bridge lists is not documented. */
export const onepassword = defineConnector(credentials, {
  id: 'onepassword',
  name: '1Password',
  emoji: ':key:',
  privileges: ['The bearer token of the SCIM bridge'],
  tokenFrom: {
    text: 'The token comes with the bridge, in 1Password under Integrations.',
    url: 'https://support.1password.com/scim/',
  },
  reports: 'Name, e-mail, status. Not reported: roles, licences, MFA, last activity.',
  facts: { source: 'https://support.1password.com/scim/', on: '2026-11-24' },
  base: ({ address }) => `${baseAddress(address, 'address').replace(/\/scim(\/v2)?$/, '')}/scim`,
  auth: token(given => bearer(given.token)),
  scopes: [],
  check: () => scimCheck(),
  tenant: (_, { address }) => ({
    key: placeOf(address, 'address').replace(/\/scim(\/v2)?$/, ''),
    name: null,
  }),
  errorCode: scimErrorCode,
  rules: [{ on: 404, is: 'settings', field: 'address' }],
  incomplete:
    'It is not documented whether the bridge lists people who were invited by hand, so nobody is removed: who is absent may still have an account.',
  listings: [scimPeople()],
})
