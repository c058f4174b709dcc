// What stands in the inputs of a view: initial values, what a person put in, and Slack's `state.values` made from both.
import { elementsOf } from './blocks.ts'
import type { Block, InputValue } from './person.ts'

export type Values = Record<string, Record<string, InputValue>>

type Option = { value: string; text: unknown; description?: unknown }
type Element = Block & { type?: unknown; action_id?: unknown }

/** The element with this action id in this block; undefined when there is none. */
export function findElement(view: Block, blockId: string, actionId?: string): Element | undefined {
  const blocks = (view.blocks ?? []) as Block[]
  const block = blocks.find(one => one.block_id === blockId)
  return elementsOf(block).find(element => actionId === undefined || element.action_id === actionId)
}

/** Values of a fresh view, keeping what was in `before` where block id, action id and type are still the same. */
export function valuesFor(view: Block, before?: { view: Block; values: Values }): Values {
  const values: Values = {}
  for (const block of (view.blocks ?? []) as Block[]) {
    for (const element of elementsOf(block)) {
      if (!isStateful(element)) continue
      const [blockId, actionId] = [String(block.block_id), String(element.action_id)]
      const kept =
        before && sameElement(before.view, blockId, actionId, element)
          ? before.values[blockId]?.[actionId]
          : undefined
      values[blockId] ??= {}
      values[blockId][actionId] = kept ?? initialValue(element)
    }
  }
  return values
}

function sameElement(view: Block, blockId: string, actionId: string, element: Element): boolean {
  return findElement(view, blockId, actionId)?.type === element.type
}

/** Buttons and overflow menus have no state. */
function isStateful(element: Element): boolean {
  return !['button', 'overflow', 'image'].includes(String(element.type))
}

function initialValue(element: Element): InputValue {
  const one = element.initial_option as Option | undefined
  const some = element.initial_options as Option[] | undefined
  if (one) return { selectedOption: one.value }
  if (some) return { selectedOptions: some.map(option => option.value) }
  const plain = element.initial_value ?? element.initial_date ?? element.initial_time
  if (typeof plain === 'string') return { value: plain }
  if (typeof element.initial_user === 'string') return { selectedUser: element.initial_user }
  if (Array.isArray(element.initial_users)) return { selectedUsers: element.initial_users }
  if (typeof element.initial_channel === 'string') return { selectedChannel: element.initial_channel }
  if (typeof element.initial_conversation === 'string')
    return { selectedConversation: element.initial_conversation }
  return {}
}

/** Slack's fields for what stands in an element: of `state.values`, and of an action. `known` finds loaded options. */
export function slackFields(
  element: Element,
  value: InputValue,
  known: ReadonlyMap<string, Option>,
  fileOf: (id: string) => unknown = () => undefined,
) {
  const type = String(element.type)
  if (type === 'file_input') return { type, files: (value.files ?? []).map(fileOf).filter(Boolean) }
  const option = (wanted: string | undefined) => {
    const found =
      wanted === undefined
        ? undefined
        : (optionsOf(element).find(one => one.value === wanted) ?? known.get(wanted))
    return found ?? null
  }
  if (type.endsWith('_input')) return { type, value: value.value ? value.value : null }
  if (type === 'checkboxes' || type === 'multi_static_select' || type === 'multi_external_select') {
    return { type, selected_options: (value.selectedOptions ?? []).map(option).filter(one => one !== null) }
  }
  if (['radio_buttons', 'static_select', 'external_select', 'overflow'].includes(type)) {
    return { type, selected_option: option(value.selectedOption) }
  }
  if (type === 'users_select') return { type, selected_user: value.selectedUser ?? null }
  if (type === 'multi_users_select') return { type, selected_users: value.selectedUsers ?? [] }
  if (type === 'channels_select') return { type, selected_channel: value.selectedChannel ?? null }
  if (type === 'conversations_select')
    return { type, selected_conversation: value.selectedConversation ?? null }
  if (type === 'datepicker') return { type, selected_date: value.value ?? null }
  if (type === 'timepicker') return { type, selected_time: value.value ?? null }
  return { type }
}

/** The options that an element itself offers. */
export function optionsOf(element: Element): Option[] {
  const groups = (element.option_groups ?? []) as { options: Option[] }[]
  const initial = [element.initial_option, ...((element.initial_options as unknown[]) ?? [])].filter(Boolean)
  return [
    ...((element.options ?? []) as Option[]),
    ...groups.flatMap(group => group.options),
    ...(initial as Option[]),
  ]
}

/** Is something in it? */
export function isFilled(value: InputValue | undefined): boolean {
  if (!value) return false
  const lists = [value.selectedOptions, value.selectedUsers, value.files]
  if (lists.some(list => (list?.length ?? 0) > 0)) return true
  return [
    value.value,
    value.selectedOption,
    value.selectedUser,
    value.selectedChannel,
    value.selectedConversation,
  ].some(text => text !== undefined && text !== '')
}

/** What Slack's own client says at a field before it sends anything; one sentence a block id. */
export function clientErrors(view: Block, values: Values): Record<string, string> {
  const errors: Record<string, string> = {}
  for (const block of (view.blocks ?? []) as Block[]) {
    if (block.type !== 'input') continue
    const element = elementsOf(block)[0]
    const blockId = String(block.block_id)
    const value = values[blockId]?.[String(element?.action_id)]
    if (!isFilled(value)) {
      if (block.optional !== true) errors[blockId] = 'Please complete this required field.'
      continue
    }
    const problem = element ? typeProblem(element, value?.value ?? '') : undefined
    if (problem) errors[blockId] = problem
  }
  return errors
}

function typeProblem(element: Element, text: string): string | undefined {
  if (element.type === 'email_text_input' && !/^\S+@\S+\.\S+$/.test(text))
    return 'Please enter a valid email address.'
  if (element.type === 'url_text_input' && !/^https?:\/\//.test(text)) return 'Please enter a valid URL.'
  if (element.type === 'number_input' && Number.isNaN(Number(text))) return 'Please enter a valid number.'
  const length = Array.from(text).length
  if (typeof element.min_length === 'number' && length < element.min_length) {
    return `Please enter at least ${element.min_length} characters.`
  }
  if (typeof element.max_length === 'number' && length > element.max_length) {
    return `Please enter at most ${element.max_length} characters.`
  }
  return undefined
}
