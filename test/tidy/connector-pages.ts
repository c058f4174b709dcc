// The pages of docs/connectors: a table of all and a page each, made from the declarations; notes by hand are kept.
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { type Connector, fieldsOf } from '../../src/connectors/connector.ts'
import { connectors } from '../../src/connectors/registry.ts'

const folder = 'docs/connectors'
const notesHeading = '## Notes'

/** Every page as it should be, by path. */
export function connectorPages(): Map<string, string> {
  const pages = new Map([[`${folder}/README.md`, table()]])
  for (const connector of connectors) {
    const path = `${folder}/${connector.id}.md`
    const present = existsSync(path) ? readFileSync(path, 'utf8') : ''
    const notes = present.indexOf(notesHeading)
    pages.set(path, page(connector) + (notes < 0 ? '' : `\n${present.slice(notes)}`))
  }
  return pages
}

/** Write all pages. */
export function writeConnectorPages(): number {
  const pages = connectorPages()
  for (const [path, text] of pages) writeFileSync(path, text)
  return pages.size
}

function table(): string {
  const rows = connectors.map(one =>
    [
      `[${one.name}](${one.id}.md)`,
      one.auth.kind,
      one.scopes.length > 0 ? one.scopes.join(', ') : '-',
      one.reports,
      one.listings.some(listing => listing.changed) ? 'yes' : 'no',
      one.incomplete ? 'no' : 'yes',
      `[${one.facts.on}](${one.facts.source})`,
    ].map(cell => cell.replaceAll('|', '\\|')),
  )
  return `# Connectors

${connectors.length} applications. This page is made by \`npm run connectors:table\` from the declarations in
\`src/connectors/\`; a test holds it current. [Adding one](ADDING.md).

*Incremental*: the vendor can list only who changed. *Complete*: who is absent from a whole list has no account any more,
so that a sync may remove them; where it says no, nobody is removed.

| application | auth | scopes | reports | incremental | complete | facts of |
|---|---|---|---|---|---|---|
${rows.map(cells => `| ${cells.join(' | ')} |`).join('\n')}
`
}

function page(one: Connector): string {
  const fields = fieldsOf(one).map(
    field =>
      `- **${field.label}**${field.optional ? ' (optional)' : ''}${field.hint ? `: ${field.hint}` : ''}`,
  )
  const lists = one.listings.map(
    ({ name, optional }) =>
      `- ${name}${optional ? ' (skipped and told when the permission is missing)' : ''}`,
  )
  const gone = one.incomplete ?? 'Who is absent from a whole list is removed from reporting.'
  return `# ${one.name}

${one.reports}

## Read

${lists.join('\n')}

${gone}

## The ${one.local ? 'file' : 'credential'}

${one.tokenFrom.text} [${one.local ? 'How such a file is written' : 'Where to get it'}](${one.tokenFrom.url}).

${fields.join('\n')}

${one.local ? 'What the file needs' : 'Least rights'}:

${one.privileges.map(right => `- ${right}`).join('\n')}
${one.template ? `\nThe template, to copy:\n\n\`\`\`csv\n${one.template}\n\`\`\`\n` : ''}
## Source

[The vendor's documentation](${one.facts.source}), read on ${one.facts.on}.
`
}
