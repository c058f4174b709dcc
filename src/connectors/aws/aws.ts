// AWS IAM Identity Center: the people of one identity store, by its SCIM endpoint.
import { z } from 'zod'
import { baseAddress, placeOf } from '../address.ts'
import { bearer, token } from '../auth.ts'
import { at, textAt } from '../bodies.ts'
import { defineConnector, type Pager } from '../connector.ts'
import { addressField, secretField } from '../fields.ts'
import { cursor } from '../pagers.ts'
import { scimPeople } from '../scim-people.ts'

const credentials = z.object({
  address: addressField({
    label: 'SCIM endpoint',
    hint: 'IAM Identity Center: Settings, Identity source, Automatic provisioning.',
    placeholder: 'https://scim.us-east-1.amazonaws.com/…/scim/v2',
  }),
  token: secretField({
    label: 'Access token',
    hint: 'On the same page, Generate token. It lives one year.',
  }),
})

const people = scimPeople()
/** Without `cursor`, also an empty one, AWS gives the first people only; `startIndex` it does not know. */
const query = { cursor: '', count: '100' }

/** AWS IAM Identity Center, as a declaration. Source: its SCIM implementation, ListUsers (cursors, not startIndex). */
export const aws = defineConnector(credentials, {
  id: 'aws',
  name: 'AWS IAM Identity Center',
  emoji: ':package:',
  privileges: ['A SCIM access token of the identity store'],
  tokenFrom: {
    text: 'Turn on automatic provisioning in IAM Identity Center, under Settings, and generate a token there.',
    url: 'https://docs.aws.amazon.com/singlesignon/latest/userguide/provision-automatically.html',
  },
  reports: 'Name, e-mail, status. Not reported: roles, licences, MFA, last activity.',
  facts: {
    source: 'https://docs.amazonaws.cn/singlesignon/latest/developerguide/listusers.html',
    on: '2026-11-25',
  },
  base: ({ address }) => baseAddress(address, 'address'),
  auth: token(given => bearer(given.token)),
  scopes: [],
  check: () => ({ path: '/ServiceProviderConfig' }),
  tenant: (_, { address }) => ({ key: placeOf(address, 'address'), name: null }),
  errorCode: body => textAt('__type')(body) ?? textAt('schema')(body),
  rules: [{ on: 404, is: 'settings', field: 'address' }],
  listings: [
    {
      ...people,
      request: () => ({ path: '/Users', query }),
      page: byCursor,
    },
  ],
})

const next = cursor('cursor', textAt('nextCursor'))

/** An answer that counts its results is AWS's older kind: it stops at fifty or a hundred, and there is no more to ask. */
function byCursor(...[req, res, got]: Parameters<Pager>): ReturnType<Pager> {
  const old = at(res.body, 'totalResults') !== undefined && got >= 50
  return old ? 'short' : next(req, res, got)
}
