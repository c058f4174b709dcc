// Blocks: small builders that keep Slack's sizes and escape what people and vendors wrote. They know no noun of ours.
import type { Button, Checkboxes, KnownBlock, Option as SlackOption, StaticSelect } from '@slack/types'
import { clampText } from '../lib/text.ts'

export type { KnownBlock as SlackBlock }

/** The most blocks a view holds. */
export const viewBlocksMax = 100

/** Escape for mrkdwn: no mention, link or channel can be made with it, and no formatting starts by accident. */
export function escapeText(text: string): string {
  const inert = text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
  // Right-to-left overrides would turn the rest of a line around; backticks and newlines would break out of their place.
  return inert
    .replaceAll(/[\u202A-\u202E\u2066-\u2069]/g, '')
    .replaceAll('`', 'ˋ')
    .replaceAll(/[\r\n]+/g, ' ')
}

/** A moment, in the reader's own time zone: `Today at 14:02`. The fallback is UTC. */
export function momentText(date: Date): string {
  const fallback = `${date.toISOString().slice(0, 16).replace('T', ' ')} UTC`
  return `<!date^${Math.floor(date.getTime() / 1000)}^{date_short_pretty} at {time}|${fallback}>`
}

/** A day, in the reader's own time zone: `12 Nov 2026`. */
export function dayText(date: Date): string {
  return `<!date^${Math.floor(date.getTime() / 1000)}^{date_short}|${date.toISOString().slice(0, 10)}>`
}

const plain = (text: string, max: number) => ({
  type: 'plain_text' as const,
  text: clampText(text || ' ', max),
  emoji: true,
})

/** mrkdwn text; `accessory`: a button beside it. */
export function section(text: string, accessory?: Button, blockId?: string): KnownBlock {
  return {
    type: 'section',
    ...(blockId ? { block_id: blockId } : {}),
    text: { type: 'mrkdwn', text: clampText(text, 3000) },
    ...(accessory ? { accessory } : {}),
  }
}

/** Small grey text below something. */
export function context(text: string, blockId?: string): KnownBlock {
  return {
    type: 'context',
    ...(blockId ? { block_id: blockId } : {}),
    elements: [{ type: 'mrkdwn', text: clampText(text, 2000) }],
  }
}

export function header(text: string): KnownBlock {
  return { type: 'header', text: plain(text, 150) }
}

export function divider(): KnownBlock {
  return { type: 'divider' }
}

/** A coloured notice in a modal. */
export function alert(text: string, level: 'info' | 'warning' | 'error' | 'success'): KnownBlock {
  return {
    type: 'alert',
    level,
    text: { type: 'mrkdwn', text: clampText(text, 200) },
  } as unknown as KnownBlock
}

export function actions(elements: (Button | Checkboxes | StaticSelect)[], blockId?: string): KnownBlock {
  return { type: 'actions', ...(blockId ? { block_id: blockId } : {}), elements: elements.slice(0, 25) }
}

/** Boxes that tell us when they are ticked; none is ticked to start with. */
export function checkboxes(parts: {
  actionId: string
  choices: readonly { value: string; label: string }[]
}): Checkboxes {
  return { type: 'checkboxes', action_id: parts.actionId, options: parts.choices.map(option) }
}

/** The most options a list holds. */
const optionsMax = 100

/** A list that is searched by typing and tells us as soon as something is chosen. */
export function select(parts: {
  actionId: string
  placeholder: string
  choices: readonly { value: string; label: string }[]
}): StaticSelect {
  return {
    type: 'static_select',
    action_id: parts.actionId,
    placeholder: plain(parts.placeholder, 150),
    options: parts.choices.slice(0, optionsMax).map(option),
  }
}

export interface ButtonParts {
  actionId: string
  text: string
  value: string
  style?: 'primary' | 'danger'
  /** What a screen reader says, where several buttons share one text. */
  label?: string
  /** Asked before it is pressed. */
  confirm?: { title: string; text: string; yes: string; no: string }
}

export function button(parts: ButtonParts): Button {
  const { confirm } = parts
  return {
    type: 'button',
    action_id: parts.actionId,
    text: plain(parts.text, 75),
    ...(parts.value ? { value: parts.value } : {}),
    ...(parts.style ? { style: parts.style } : {}),
    ...(parts.label ? { accessibility_label: clampText(parts.label, 75) } : {}),
    ...(confirm
      ? {
          confirm: {
            title: plain(confirm.title, 100),
            text: { type: 'mrkdwn' as const, text: clampText(confirm.text, 300) },
            confirm: plain(confirm.yes, 30),
            deny: plain(confirm.no, 30),
            ...(parts.style ? { style: parts.style } : {}),
          },
        }
      : {}),
  }
}

/** An option of a select, radio or checkbox. */
export function option(choice: {
  value: string
  label: string
  description?: string
}): SlackOption & { text: ReturnType<typeof plain> } {
  return {
    value: choice.value,
    text: plain(choice.label, 75),
    ...(choice.description ? { description: plain(choice.description, 75) } : {}),
  }
}
