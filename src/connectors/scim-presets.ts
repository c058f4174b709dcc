// Where applications that speak SCIM 2.0 answer, so that nobody has to look their addresses up.

export interface ScimPreset {
  label: string
  /** Without `https://`; `{part}` is the customer's own part of it. */
  address: string
  /** What `{part}` is. */
  part?: string
  /** Where it is not `/Users`. */
  path?: string
  /** Basic authentication, with a user name. */
  basic?: true
}

/** By the value that is stored. Source: the vendors' provisioning pages, as gathered by Nango's provider list (2026-11-24). */
export const scimPresets: Readonly<Record<string, ScimPreset>> = {
  asana: { label: 'Asana', address: 'app.asana.com/api/1.0/scim' },
  canva: { label: 'Canva', address: 'www.canva.com/_scim/v2' },
  figma: { label: 'Figma', address: 'www.figma.com/scim/v2/{part}', part: 'the tenant ID' },
  grammarly: { label: 'Grammarly', address: 'sso.grammarly.com/v2/scim' },
  guru: { label: 'Guru', address: 'api.getguru.com/api/scim/v2', basic: true },
  keeper: {
    label: 'Keeper',
    address: 'keepersecurity.com/api/rest/scim/v2/{part}',
    part: 'the node ID',
  },
  loom: { label: 'Loom', address: '{part}/scim', part: 'the host of the SCIM address' },
  lucid: { label: 'Lucid', address: 'users.lucid.app/scim/v2' },
  miro: { label: 'Miro', address: 'miro.com/api/v1/scim' },
  notion: { label: 'Notion', address: 'api.notion.com/scim/v2' },
  pagerduty: { label: 'PagerDuty', address: 'api.pagerduty.com/scim/v2' },
  roam: { label: 'Roam', address: 'api.ro.am/scim/v2' },
  shopify: { label: 'Shopify', address: 'shopifyscim.com/scim/v2' },
  slack: { label: 'Slack (Business+ and Grid)', address: 'api.slack.com/scim/v2' },
  trello: { label: 'Trello', address: 'trello.com/scim/v2', path: '/users' },
  zapier: { label: 'Zapier', address: 'zapier.com/scim/v2' },
}
