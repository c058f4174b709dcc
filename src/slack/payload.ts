// What Slack sends, as far as we read it, and how inputs are read out of it. Everything may be missing: it comes from outside.
import type { InputState, ShownView } from './turn.ts'

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
}

export interface PayloadView {
  id?: string
  root_view_id?: string
  hash?: string
  callback_id?: string
  private_metadata?: string
  external_id?: string
  type?: string
  state?: { values?: Record<string, Record<string, Filled>> }
}

/** Typed text or the one thing chosen; '' when there is none. */
export function textOf(filled: Filled): string {
  return (
    filled.value ??
    filled.selected_option?.value ??
    filled.selected_user ??
    filled.selected_channel ??
    filled.selected_conversation ??
    filled.selected_date ??
    filled.selected_time ??
    ''
  )
}

/** All that is chosen where several can be. */
export function manyOf(filled: Filled): string[] {
  const options = (filled.selected_options ?? []).map(option => option.value ?? '')
  return [...options, ...(filled.selected_users ?? [])].filter(value => value !== '')
}

export function shownView(view: PayloadView): ShownView {
  return {
    id: view.id ?? '',
    rootId: view.root_view_id ?? view.id ?? '',
    hash: view.hash ?? '',
    callbackId: view.callback_id ?? '',
    privateMetadata: view.private_metadata ?? '',
    externalId: view.external_id ?? '',
    inputs: inputsOf(view),
  }
}

function inputsOf(view: PayloadView): InputState {
  const text = new Map<string, string>()
  const many = new Map<string, readonly string[]>()
  for (const [blockId, actions] of Object.entries(view.state?.values ?? {})) {
    for (const filled of Object.values(actions)) {
      const one = textOf(filled)
      const some = manyOf(filled)
      if (one !== '') text.set(blockId, one)
      if (some.length > 0) many.set(blockId, some)
    }
  }
  return { text, many }
}
