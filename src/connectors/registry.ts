// Every connector that saasm has, in the order of the Connect App menu: by name.
import { adobe } from './adobe/adobe.ts'
import { asana } from './asana/asana.ts'
import { atlassian } from './atlassian/atlassian.ts'
import { auth0 } from './auth0/auth0.ts'
import { aws } from './aws/aws.ts'
import { box } from './box/box.ts'
import { clickup } from './clickup/clickup.ts'
import type { Connector } from './connector.ts'
import { csv } from './csv/csv.ts'
import { datadog } from './datadog/datadog.ts'
import { docusign } from './docusign/docusign.ts'
import { dropbox } from './dropbox/dropbox.ts'
import { entra } from './entra/entra.ts'
import { figma } from './figma/figma.ts'
import { github } from './github/github.ts'
import { gitlab } from './gitlab/gitlab.ts'
import { google } from './google/google.ts'
import { httpJson } from './http-json/http-json.ts'
import { hubspot } from './hubspot/hubspot.ts'
import { intercom } from './intercom/intercom.ts'
import { jira } from './jira/jira.ts'
import { jumpcloud } from './jumpcloud/jumpcloud.ts'
import { linear } from './linear/linear.ts'
import { miro } from './miro/miro.ts'
import { monday } from './monday/monday.ts'
import { newrelic } from './newrelic/newrelic.ts'
import { notion } from './notion/notion.ts'
import { okta } from './okta/okta.ts'
import { onelogin } from './onelogin/onelogin.ts'
import { onepassword } from './onepassword/onepassword.ts'
import { pagerduty } from './pagerduty/pagerduty.ts'
import { salesforce } from './salesforce/salesforce.ts'
import { scim } from './scim/scim.ts'
import { sentry } from './sentry/sentry.ts'
import { slack } from './slack/slack.ts'
import { slackGrid } from './slack-grid/slack-grid.ts'
import { snyk } from './snyk/snyk.ts'
import { webex } from './webex/webex.ts'
import { zendesk } from './zendesk/zendesk.ts'
import { zoom } from './zoom/zoom.ts'

/** All connectors. */
export const connectors: readonly Connector[] = [
  onepassword,
  adobe,
  asana,
  atlassian,
  auth0,
  aws,
  box,
  clickup,
  csv,
  datadog,
  docusign,
  dropbox,
  figma,
  github,
  gitlab,
  google,
  httpJson,
  hubspot,
  intercom,
  jira,
  jumpcloud,
  linear,
  entra,
  miro,
  monday,
  newrelic,
  notion,
  okta,
  onelogin,
  pagerduty,
  salesforce,
  scim,
  sentry,
  slack,
  slackGrid,
  snyk,
  webex,
  zendesk,
  zoom,
]

/** The connector of this id, as stored with an instance. */
export function connectorById(id: string): Connector | undefined {
  return connectors.find(connector => connector.id === id)
}
