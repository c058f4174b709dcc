// An announcement as a Slack message: headline, what happened, facts, what comes next, and the buttons that help.

import { count } from '../lib/text.ts'
import {
  actions,
  button,
  context,
  escapeText,
  momentText,
  type SlackBlock,
  section,
} from '../slack/blocks.ts'
import type { Announcement, AnnouncementKind, HeldNews } from './announcement.ts'
import { wordsOf } from './words.ts'

export interface ChannelMessage {
  text: string
  blocks: SlackBlock[]
}

const signs: Readonly<Partial<Record<AnnouncementKind, string>>> = {
  'initial-succeeded': ':white_check_mark:',
  'initial-failed': ':red_circle:',
  failed: ':red_circle:',
  'cause-changed': ':red_circle:',
  recovered: ':large_green_circle:',
  revoked: ':no_entry:',
  inactivated: ':white_circle:',
  reactivated: ':large_green_circle:',
  held: ':large_yellow_circle:',
  'held-ended': ':large_green_circle:',
  'removal-stuck': ':red_circle:',
  progress: ':arrows_counterclockwise:',
}

/** What a person did, and how it is said who it was. */
const deeds: Readonly<Partial<Record<AnnouncementKind, string>>> = {
  inactivated: ', set by',
  reactivated: ', set by',
  'users-deleted': ' by',
  'instance-deleted': ' by',
}

/** `failureBefore`: the incident's message is resolved in place, and still says what had failed. */
export function channelMessage(
  told: Announcement,
  options: { resolved?: boolean; failureBefore?: Announcement } = {},
): ChannelMessage {
  if (options.resolved) return resolvedMessage(told, options.failureBefore)
  if (told.kind === 'held-ended') return heldEndedMessage(told)
  const words = wordsOf(told)
  const deed = deeds[told.kind]
  const by = told.actor && deed ? `${deed} <@${told.actor}>` : ''
  const facts = words.facts
    .filter(fact => fact.label !== 'Instance')
    .map(({ label, value }) => `*${label}:* ${value instanceof Date ? momentText(value) : escapeText(value)}`)
  const lines = [
    `${signs[told.kind] ?? ':information_source:'} *${escapeText(words.headline)}*${by}`,
    ...words.sentences.map(escapeText),
  ]
  const buttons = buttonsOf(told)
  return {
    text: escapeText(words.headline),
    blocks: [
      section(lines.join('\n')),
      ...(facts.length > 0 ? [context(facts.join('  ·  '))] : []),
      ...(words.next ? [section(words.next)] : []),
      ...(buttons.length > 0 ? [actions(buttons, `about-${told.instanceId}`)] : []),
    ],
  }
}

/** The incident's message once it is over: what failed, when it was mended; its buttons are gone. */
function resolvedMessage(told: Announcement, before: Announcement | undefined): ChannelMessage {
  const name = escapeText(told.instanceName)
  const headline = before ? escapeText(wordsOf(before).headline) : `${name}: sync failed`
  const why = before?.failure ? `\n${escapeText(before.failure.message)}` : ''
  const how = told.kind === 'instance-deleted' ? 'The instance was deleted' : 'It syncs again'
  return {
    text: `[Resolved] ${headline}`,
    blocks: [
      section(`:large_green_circle: *Resolved:* ~${headline}~${why}`),
      context(`${how} since ${momentText(new Date(told.at))}.`),
    ],
  }
}

/** The card of a held removal once nothing is asked any more: what came of it, and no buttons that decide. */
function heldEndedMessage(told: Announcement): ChannelMessage {
  const end = told.held?.ended
  const by = end && 'by' in end ? `<@${end.by}> ${end.how === 'allowed' ? 'allowed it' : 'kept them'}: ` : ''
  const sign = end?.how === 'void' || end?.how === 'deleted' ? ':white_circle:' : ':large_green_circle:'
  const what = wordsOf(told).sentences.map(escapeText).join(' ')
  const text = `${sign} ${by}${what}`
  return {
    text: escapeText(wordsOf(told).headline),
    blocks: [
      section(text),
      context(`${momentText(new Date(told.at))}${told.next ? `  ·  ${escapeText(told.next)}` : ''}`),
      actions([historyButton(told)], `about-${told.instanceId}`),
    ],
  }
}

function historyButton(told: Announcement) {
  const label = `History of ${told.instanceName}`
  return button({ actionId: 'history', text: 'History', value: told.instanceId, label })
}

const noButtons: ReadonlySet<AnnouncementKind> = new Set([
  'instance-deleted',
  'removal-stuck',
  'undelivered',
  'progress',
])

/** They say themselves that it is Inactive, those that an older version has written, too. */
const inactive: ReadonlySet<AnnouncementKind> = new Set(['inactivated', 'revoked'])

function buttonsOf(told: Announcement) {
  if (noButtons.has(told.kind)) return []
  const value = told.instanceId
  const about = (text: string) => `${text} ${told.instanceName}`
  const history = historyButton(told)
  const cannotSync = told.notLive || inactive.has(told.kind)
  const sync = cannotSync
    ? []
    : [button({ actionId: 'sync-now', text: 'Sync now', value, label: about('Sync now:') })]
  if (told.failure)
    return [
      button({ actionId: 'fix', text: 'Fix', value, style: 'primary', label: about('Fix') }),
      ...sync,
      history,
    ]
  if (told.held) return [...Object.values(heldButtons(told.held, told.instanceName)), history]
  const manage = button({ actionId: 'manage', text: 'Manage', value, label: about('Manage') })
  return [...sync, manage, history]
}

/** Download the list, and the two decisions, each asked once more. */
export function heldButtons(held: HeldNews, name: string) {
  const value = held.runId
  const people = `${(held.gone + held.disabled).toLocaleString('en-US')} of ${held.of.toLocaleString('en-US')} users`
  const goes = [
    ...(held.gone > 0 ? [`${count(held.gone, 'user', 'users')} will no longer be reported`] : []),
    ...(held.disabled > 0 ? [`${count(held.disabled, 'user', 'users')} will be reported as disabled`] : []),
  ]
  return {
    allow: button({
      actionId: 'held-allow',
      text: 'Allow this once',
      value,
      style: 'danger',
      label: `Allow this once: ${name}`,
      confirm: {
        title: 'Allow this removal once?',
        text: `${goes.join(', and ')}. A later sync that misses so many asks again.`,
        yes: 'Allow this once',
        no: 'Not now',
      },
    }),
    keep: button({
      actionId: 'held-keep',
      text: 'Keep users',
      value,
      label: `Keep users: ${name}`,
      confirm: {
        title: 'Keep these users?',
        text: `${people} stay reported as they are, though the application no longer lists them so.`,
        yes: 'Keep users',
        no: 'Not now',
      },
    }),
    list: button({
      actionId: 'held-list',
      text: 'Download the list',
      value,
      label: `Download the list: ${name}`,
    }),
  }
}

/** Instances of one bundle: each takes a block of the fifty that Slack allows. */
export const bundledMax = 40

/** Several instances that failed at once, as one message; at most `bundledMax`. */
export function bundleMessage(all: readonly Announcement[]): ChannelMessage {
  const headline = `${all.length} instances failed to sync`
  const rows = all.slice(0, bundledMax).map((told, at) =>
    section(
      `*${escapeText(told.instanceName)}* (${escapeText(told.app)})\n${escapeText(told.failure?.message ?? '')}`,
      button({
        actionId: `fix:${at}`,
        text: 'Fix',
        value: told.instanceId,
        label: `Fix ${told.instanceName}`,
      }),
    ),
  )
  const more = all.length - rows.length
  return {
    text: headline,
    blocks: [
      section(`:red_circle: *${headline}*`),
      ...rows,
      ...(more > 0 ? [context(`and ${more} more: \`/saasm integrations\` shows them all.`)] : []),
    ],
  }
}
