// Every connector that saasm has, in the order of the Connect App menu: by name.
import type { Connector } from './connector.ts'
import { entra } from './entra/entra.ts'
import { github } from './github/github.ts'
import { google } from './google/google.ts'
import { okta } from './okta/okta.ts'
import { salesforce } from './salesforce/salesforce.ts'
import { scim } from './scim/scim.ts'
import { slack } from './slack/slack.ts'
import { slackGrid } from './slack-grid/slack-grid.ts'
import { zoom } from './zoom/zoom.ts'

/** All connectors. */
export const connectors: readonly Connector[] = [
  github,
  google,
  entra,
  okta,
  salesforce,
  scim,
  slack,
  slackGrid,
  zoom,
]

/** The connector of this id, as stored with an instance. */
export function connectorById(id: string): Connector | undefined {
  return connectors.find(connector => connector.id === id)
}
