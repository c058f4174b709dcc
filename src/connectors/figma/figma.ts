// Figma: the people whom SCIM has provisioned in one organisation, by its SCIM token.
import { z } from 'zod'
import { bearer, token } from '../auth.ts'
import { defineConnector, type Listing } from '../connector.ts'
import { secretField, wordField } from '../fields.ts'
import { scimCheck, scimErrorCode, scimPeople } from '../scim-people.ts'

const credentials = z.object({
  tenant: wordField({
    label: 'Tenant ID',
    hint: 'Figma: Admin, Settings, Login and provisioning, SAML SSO.',
  }),
  token: secretField({
    label: 'SCIM token',
    hint: 'Figma: Admin, Settings, Login and provisioning, SCIM provisioning.',
  }),
})

/** Figma, as a declaration. Source: Figma's SCIM API, endpoints and supported schemas. */
export const figma = defineConnector(credentials, {
  id: 'figma',
  name: 'Figma',
  emoji: ':art:',
  privileges: ['A SCIM token of the organisation (Organization or Enterprise plan)'],
  tokenFrom: {
    text: 'Make the token in Figma, under Admin, Settings, Login and provisioning, SCIM provisioning.',
    url: 'https://developers.figma.com/docs/rest-api/scim/',
  },
  reports:
    'Name, e-mail, status, seat (Enterprise). Not reported: people whom SCIM has not provisioned, roles, MFA, last activity.',
  facts: { source: 'https://developers.figma.com/docs/rest-api/scim-endpoints', on: '2026-11-25' },
  base: ({ tenant }) => `https://www.figma.com/scim/v2/${encodeURIComponent(tenant)}`,
  auth: token(given => bearer(given.token)),
  scopes: [],
  check: () => scimCheck(),
  tenant: (_, { tenant }) => ({ key: tenant, name: null }),
  errorCode: scimErrorCode,
  rules: [
    { on: 400, is: 'settings', field: 'tenant' },
    { on: 404, is: 'settings', field: 'tenant' },
  ],
  incomplete:
    'Figma lists only people whom SCIM has provisioned, so nobody is removed: who is absent may still have an account.',
  listings: [bySeat(scimPeople())],
})

/** Figma's only role is the seat. */
function bySeat(listing: Listing): Listing {
  return {
    ...listing,
    account(item, given, looked) {
      const account = listing.account(item, given, looked)
      return account && { ...account, roles: [], licences: account.roles }
    },
  }
}
