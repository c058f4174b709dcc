// Modals: views and inputs, each input under a block id of its own, so that drawing, reading and refusing share one key.
import type { KnownBlock, ModalView } from '@slack/types'
import { clampText } from '../lib/text.ts'
import { alert, option, section, viewBlocksMax } from './blocks.ts'

export type { ModalView }

export interface ModalParts {
  callbackId: string
  /** At most 24 code points, as for `submit` and `close`. */
  title: string
  blocks: KnownBlock[]
  submit?: string
  /** `Cancel` when there is a submit, else `Close`. */
  close?: string
  /** Ids only: a hint, never authority. */
  metadata?: Readonly<Record<string, string>>
  notifyOnClose?: boolean
}

export function modal(parts: ModalParts): ModalView {
  return {
    type: 'modal',
    callback_id: parts.callbackId,
    title: plain(parts.title, 24),
    close: plain(parts.close ?? (parts.submit ? 'Cancel' : 'Close'), 24),
    ...(parts.submit ? { submit: plain(parts.submit, 24) } : {}),
    ...(parts.notifyOnClose ? { notify_on_close: true } : {}),
    private_metadata: JSON.stringify(parts.metadata ?? {}),
    blocks: parts.blocks.slice(0, viewBlocksMax),
  }
}

/** What a person sees while the real view is made. */
export function loadingView(title: string, sentence = 'One moment…'): ModalView {
  return modal({ callbackId: 'loading', title, blocks: [section(`:hourglass_flowing_sand: ${sentence}`)] })
}

/** A view that says one thing. */
export function noticeView(
  title: string,
  text: string,
  level?: 'info' | 'warning' | 'error' | 'success',
): ModalView {
  const short = Array.from(text).length <= 200
  return modal({ callbackId: 'notice', title, blocks: [level && short ? alert(text, level) : section(text)] })
}

/** The ids in a view's private metadata; {} when it cannot be read, and without what is no text. */
export function metadataOf(view: { privateMetadata: string }): Readonly<Record<string, string>> {
  try {
    const read: unknown = JSON.parse(view.privateMetadata || '{}')
    const entries = typeof read === 'object' && read !== null ? Object.entries(read) : []
    const texts = entries.filter((entry): entry is [string, string] => typeof entry[1] === 'string')
    return Object.fromEntries(texts.map(([key, value]) => [key, value.replaceAll('\0', '').toWellFormed()]))
  } catch {
    return {}
  }
}

interface InputParts {
  /** Also the action id, unless `actionId` is given. */
  blockId: string
  actionId?: string
  label: string
  hint?: string | undefined
  optional?: boolean
}

const plain = (text: string, max: number) => ({
  type: 'plain_text' as const,
  text: clampText(text, max),
  emoji: true,
})

function input(parts: InputParts, element: object, more: object = {}): KnownBlock {
  return {
    type: 'input',
    block_id: parts.blockId,
    label: plain(parts.label, 2000),
    ...(parts.hint ? { hint: plain(parts.hint, 2000) } : {}),
    optional: parts.optional ?? false,
    element: { action_id: parts.actionId ?? parts.blockId, ...element },
    ...more,
  } as unknown as KnownBlock
}

/** One line of text, at most `max` code points. */
export function textInput(
  parts: InputParts & {
    placeholder?: string | undefined
    initial?: string
    max?: number
    multiline?: boolean
  },
): KnownBlock {
  return input(parts, {
    type: 'plain_text_input',
    max_length: parts.max ?? 255,
    ...(parts.multiline ? { multiline: true } : {}),
    ...(parts.placeholder ? { placeholder: plain(parts.placeholder, 150) } : {}),
    ...(parts.initial ? { initial_value: clampText(parts.initial, parts.max ?? 255) } : {}),
  })
}

/** A whole number. */
export function numberInput(parts: InputParts & { initial: number; min: number; max: number }): KnownBlock {
  return input(parts, {
    type: 'number_input',
    is_decimal_allowed: false,
    min_value: String(parts.min),
    max_value: String(parts.max),
    initial_value: String(parts.initial),
  })
}

/** An e-mail address; pressing Enter sends it at once, as an action. */
export function emailOnEnterInput(parts: InputParts & { placeholder?: string }): KnownBlock {
  return input(
    parts,
    {
      type: 'email_text_input',
      focus_on_load: true,
      dispatch_action_config: { trigger_actions_on: ['on_enter_pressed'] },
      ...(parts.placeholder ? { placeholder: plain(parts.placeholder, 150) } : {}),
    },
    { dispatch_action: true },
  )
}

type Choice = { value: string; label: string; description?: string }

/** One file to upload; its kind is checked again when it is read. */
export function fileInput(parts: InputParts & { types: readonly string[] }): KnownBlock {
  return input(parts, { type: 'file_input', filetypes: [...parts.types], max_files: 1 })
}

/** A choice of a few, all seen at once. */
export function radioInput(
  parts: InputParts & { choices: readonly Choice[]; initial?: string | undefined },
): KnownBlock {
  return input(parts, { type: 'radio_buttons', ...choicesOf(parts.choices, parts.initial) })
}

/** Boxes to tick. */
export function checkInput(parts: InputParts & { choices: readonly Choice[] }): KnownBlock {
  return input(parts, { type: 'checkboxes', options: parts.choices.map(option) })
}

/** A choice of up to 100. */
export function selectInput(
  parts: InputParts & { choices: readonly Choice[]; initial?: string | undefined; placeholder?: string },
): KnownBlock {
  return input(parts, {
    type: 'static_select',
    ...choicesOf(parts.choices.slice(0, 100), parts.initial),
    ...(parts.placeholder ? { placeholder: plain(parts.placeholder, 150) } : {}),
  })
}

function choicesOf(choices: readonly Choice[], initial: string | undefined) {
  const chosen = choices.find(choice => choice.value === initial)
  return { options: choices.map(option), ...(chosen ? { initial_option: option(chosen) } : {}) }
}

/** One of the workspace's people. */
export function userInput(parts: InputParts & { initial?: string | undefined }): KnownBlock {
  return input(parts, { type: 'users_select', ...(parts.initial ? { initial_user: parts.initial } : {}) })
}

/** A public channel. */
export function channelInput(parts: InputParts & { initial?: string | undefined }): KnownBlock {
  return input(parts, {
    type: 'channels_select',
    ...(parts.initial ? { initial_channel: parts.initial } : {}),
  })
}
