// Every connector that saasm has, in the order of the Connect App menu.
import type { Connector } from './connector.ts'
import { github } from './github/github.ts'
import { okta } from './okta/okta.ts'
import { scim } from './scim/scim.ts'

/** All connectors. */
export const connectors: readonly Connector[] = [okta, github, scim]

/** The connector of this id, as stored with an instance. */
export function connectorById(id: string): Connector | undefined {
  return connectors.find(connector => connector.id === id)
}
