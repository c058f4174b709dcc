// The window that asks which application to connect: the ones meant, as buttons, and all of them in a list to search.
import type { Connector } from '../connectors/connector.ts'
import { actions, button, context, escapeText, type SlackBlock, section, select } from '../slack/blocks.ts'
import { modal } from '../slack/modal.ts'
import type { ModalView } from '../slack/turn.ts'
import { nearest } from './parse.ts'

/** Buttons of one row that are still read at a glance. */
const meantMax = 5

/** The connector that a word names: by id, by name, or as the only one whose name holds it. */
export function meantBy(word: string, connectors: readonly Connector[]): Connector | undefined {
  const exact = connectors.find(one => one.id === word || one.name.toLowerCase() === word)
  const partly = holding(word, connectors)
  return exact ?? (partly.length === 1 ? partly[0] : undefined)
}

/** `word`: what was asked for and names none, or several; '' for nothing. */
export function choiceView(title: string, word: string, connectors: readonly Connector[]): ModalView {
  const partly = holding(word, connectors)
  const meant = (partly.length > 0 ? partly : near(word, connectors)).slice(0, meantMax)
  const rows: SlackBlock[] = [
    section(lead(word, partly.length > 0, meant.length)),
    ...(meant.length > 0 ? [actions(meant.map(connectButton), 'connect-meant')] : []),
    actions(
      [
        select({
          actionId: 'connect:chosen',
          placeholder: `Search ${connectors.length} applications`,
          choices: connectors.map(one => ({ value: one.id, label: `${one.emoji} ${one.name}` })),
        }),
      ],
      'connect-all',
    ),
    context(
      'Not there? Most applications that a company pays for speak SCIM: choose SCIM. Quicker next time: `/saasm connect zoom`.',
    ),
  ]
  return modal({ callbackId: 'connect-choice', title, blocks: rows })
}

/** `Okta, Slack, Zoom and 30 more`. */
export function namesOf(connectors: readonly Connector[], shown = 8): string {
  const names = connectors.slice(0, shown).map(({ name }) => name)
  const more = connectors.length - names.length
  return more > 0 ? `${names.join(', ')} and ${more} more` : names.join(', ')
}

function lead(word: string, partly: boolean, meant: number): string {
  if (word === '') return 'Which application?'
  const said = escapeText(word)
  if (partly) return `Which “${said}”?`
  const offers = meant === 1 ? 'Did you mean this one?' : 'Did you mean one of these?'
  return `saasm cannot connect “${said}” yet. ${meant > 0 ? offers : 'It can connect these:'}`
}

function connectButton(connector: Connector, at: number) {
  return button({
    actionId: `connect:${at}`,
    text: connector.name,
    value: connector.id,
    label: `Connect ${connector.name}`,
  })
}

function holding(word: string, connectors: readonly Connector[]): Connector[] {
  return word === '' ? [] : connectors.filter(one => one.name.toLowerCase().includes(word))
}

function near(word: string, connectors: readonly Connector[]): Connector[] {
  if (word === '') return []
  const ids = nearest(
    word,
    connectors.map(one => one.id),
  )
  return ids.flatMap(id => connectors.filter(one => one.id === id))
}
