// What Slack sends, as far as we read it, and how inputs are read out of it. Everything may be missing: it comes from outside.
import { viewBlocksMax } from './blocks.ts'
import type { InputState, ShownView, UploadedFile } from './turn.ts'

/** Slack's own limits: a text or metadata holds 3,000 characters, a choice of several 100. */
const textMax = 3_000
const chosenMax = 100
const filesMax = 10

interface Chosen {
  value?: string
}

/** A state value or an action: one of these fields by the element's type. */
export interface Filled {
  type?: string
  value?: string | null
  selected_option?: Chosen | null
  selected_options?: Chosen[]
  selected_user?: string | null
  selected_users?: string[]
  selected_channel?: string | null
  selected_conversation?: string | null
  selected_date?: string | null
  selected_time?: string | null
  files?: { id?: string; size?: number; url_private_download?: string }[]
}

export interface PayloadView {
  id?: string
  previous_view_id?: string | null
  hash?: string
  callback_id?: string
  private_metadata?: string
  external_id?: string
  type?: string
  state?: { values?: Record<string, Record<string, Filled>> }
}

/** Typed text or the one thing chosen; '' when there is none. */
export function textOf(filled: Filled): string {
  return plainText(
    filled.value ??
      filled.selected_option?.value ??
      filled.selected_user ??
      filled.selected_channel ??
      filled.selected_conversation ??
      filled.selected_date ??
      filled.selected_time,
  )
}

/** Text as it may be stored and compared: what is no text is '', and U+0000 and lone surrogates are gone. */
export function plainText(value: unknown): string {
  return typeof value === 'string' ? cut(value.replaceAll('\0', '').toWellFormed()) : ''
}

function cut(text: string): string {
  return text.length > textMax ? Array.from(text).slice(0, textMax).join('') : text
}

/** All that is chosen where several can be. */
export function manyOf(filled: Filled): string[] {
  const options = listed(filled.selected_options).map(option => plainText((option as Chosen | null)?.value))
  const users = listed(filled.selected_users).map(plainText)
  return [...options, ...users].filter(value => value !== '').slice(0, chosenMax)
}

function filesOf(filled: Filled): UploadedFile[] {
  return listed(filled.files)
    .slice(0, filesMax)
    .map(told => {
      const { id, size, url_private_download: url } = (told ?? {}) as NonNullable<Filled['files']>[number]
      return { id: plainText(id), size: typeof size === 'number' ? size : 0, url: plainText(url) }
    })
    .filter(({ id }) => id !== '')
}

export function shownView(view: PayloadView): ShownView {
  return {
    id: plainText(view.id),
    belowId: plainText(view.previous_view_id),
    hash: plainText(view.hash),
    callbackId: plainText(view.callback_id),
    privateMetadata: plainText(view.private_metadata),
    externalId: plainText(view.external_id),
    inputs: inputsOf(view),
  }
}

function inputsOf(view: PayloadView): InputState {
  const text = new Map<string, string>()
  const many = new Map<string, readonly string[]>()
  const files = new Map<string, readonly UploadedFile[]>()
  for (const [blockId, actions] of Object.entries(view.state?.values ?? {}).slice(0, viewBlocksMax)) {
    for (const filled of Object.values(actions ?? {}).slice(0, viewBlocksMax)) {
      if (typeof filled !== 'object' || filled === null) continue
      const one = textOf(filled)
      const some = manyOf(filled)
      if (one !== '') text.set(blockId, one)
      if (some.length > 0) many.set(blockId, some)
      const uploaded = filesOf(filled)
      if (uploaded.length > 0) files.set(blockId, uploaded)
    }
  }
  return { text, many, files }
}

function listed(value: unknown): unknown[] {
  return Array.isArray(value) ? value : []
}
