// The inputs of a connector's credentials: drawn from its own fields, read back by the same keys, secrets never shown again.
import type { Connector, Credentials, ReadCredentials } from '../connectors/connector.ts'
import { fieldsOf, readCredentials } from '../connectors/connector.ts'
import type { ProviderError } from '../connectors/errors.ts'
import { alert, context, escapeText, type SlackBlock, section } from '../slack/blocks.ts'
import { fileInput, loadingView, type ModalView, selectInput, textInput } from '../slack/modal.ts'
import type { ShownView } from '../slack/turn.ts'

/** What was typed into the fields that are no secret, by key. */
export type TypedSettings = Readonly<Record<string, string>>

/** One sentence a field key, shown right below the field; '' for one that belongs to none. */
export type FieldProblems = Readonly<Record<string, string>>

/** `keep`: secrets may stay blank, because there are some already. */
export function credentialInputs(
  connector: Connector,
  typed: TypedSettings,
  problems: FieldProblems,
  keep: boolean,
): SlackBlock[] {
  return fieldsOf(connector).flatMap(field => {
    const keepHint =
      keep && field.secret ? `Leave blank to keep the present one. ${field.hint ?? ''}` : field.hint
    const parts = {
      blockId: field.key,
      label: field.label,
      hint: keepHint?.trim(),
      optional: field.optional || (keep && field.secret === true),
    }
    const initial = field.secret ? undefined : typed[field.key]
    const input = field.file
      ? fileInput({ ...parts, types: field.file.types })
      : field.choices
        ? selectInput({ ...parts, choices: field.choices, initial })
        : textInput({
            ...parts,
            max: 3000,
            multiline: field.multiline ?? false,
            placeholder: field.placeholder,
            ...(initial ? { initial } : {}),
          })
    const problem = problems[field.key]
    return [
      input,
      ...(problem ? [problemBlock(problem)] : []),
      ...(field.file && connector.template ? [templateBlock(connector.template)] : []),
    ]
  })
}

function templateBlock(template: string): SlackBlock {
  return section(`The template, to copy:\n\`\`\`${linesOf(template)}\`\`\``)
}

/** A sentence about what is wrong, in a window. */
export function problemBlock(sentence: string): SlackBlock {
  return Array.from(sentence).length <= 190
    ? alert(`:warning: ${sentence}`, 'error')
    : section(`:warning: ${sentence}`)
}

/** What a connection needs: the least rights, and where the token comes from. */
export function privilegesBlocks(connector: Connector): SlackBlock[] {
  const rights = connector.privileges.map(right => `• ${escapeText(right)}`).join('\n')
  return [
    section(`*What the ${connector.local ? 'file' : 'token'} needs, and no more*\n${rights}`),
    context(
      `${escapeText(connector.tokenFrom.text)} <${connector.tokenFrom.url}|${connector.local ? 'How such a file is written' : 'Where to get it'}>. \nReported: ${escapeText(connector.reports)}`,
    ),
  ]
}

/** While credentials are proven: whoever closes it has not called it off. `then`: what saasm does with those that work. */
export function checkingView(title: string, connector: Connector, then: 'connects' | 'saves'): ModalView {
  const what = then === 'connects' ? 'the token works' : 'the credentials work'
  const asks = connector.local ? 'saasm reads the file' : `saasm asks ${connector.name} whether ${what}`
  const close = `If you close this window, the check goes on, and saasm ${then} what works.`
  return loadingView(title, `Checking… ${asks}. ${close}`)
}

/** What was typed, by field key. */
export function typedIn(connector: Connector, view: ShownView): Record<string, string> {
  return Object.fromEntries(fieldsOf(connector).map(({ key }) => [key, view.inputs.text.get(key) ?? '']))
}

/** Read the fields of a form in which everything has to be given. */
export function readTyped(connector: Connector, view: ShownView): ReadCredentials {
  return readCredentials(connector, typedIn(connector, view))
}

/** The settings (no secret) of what was typed, to draw the form again. */
export function settingsOf(connector: Connector, credentials: Credentials): TypedSettings {
  return Object.fromEntries(
    fieldsOf(connector)
      .filter(field => !field.secret)
      .map(({ key }) => [key, credentials[key] ?? '']),
  )
}

/** What was amiss and did not stand in the way, as a block of its own. */
export function noticeBlocks(notice: string | undefined): SlackBlock[] {
  return notice ? [section(`:warning: ${linesOf(notice)}`)] : []
}

/** Escaped line by line: escaping alone makes one line of them. */
function linesOf(text: string): string {
  return text.split('\n').map(escapeText).join('\n')
}

/** Where a vendor's refusal belongs in the form: its field, else the secret for a bad token, else the first field. */
export function problemOf(connector: Connector, error: ProviderError): FieldProblems {
  const fields = fieldsOf(connector)
  const secret = fields.find(field => field.secret)?.key ?? ''
  const first = fields[0]?.key ?? ''
  const key = error.field ?? (error.problem === 'settings' ? first : secret)
  const missing = error.missing.length > 0 ? ` Missing: ${error.missing.join(', ')}.` : ''
  return {
    [key]: `${linesOf(error.message)}${missing && !error.message.includes(error.missing[0] ?? '') ? escapeText(missing) : ''}`,
  }
}
