// An input block in a modal: label, field, hint and error bound together; what is typed is kept while the view redraws.
import { useEffect, useRef } from 'preact/hooks'
import type { Block, InputValue, ShownModal } from '../slack/person.ts'
import { Choices } from './choices.tsx'
import type { ElementJson } from './elements.tsx'
import { type SlackText, withEmoji } from './markup.tsx'
import { act, keyOf, type, typedValue } from './store.ts'

interface InputJson {
  block_id?: string
  label?: SlackText
  hint?: SlackText
  optional?: boolean
  dispatch_action?: boolean
  element?: ElementJson & {
    multiline?: boolean
    max_length?: number
    focus_on_load?: boolean
    is_decimal_allowed?: boolean
    dispatch_action_config?: { trigger_actions_on?: string[] }
  }
}

export function Input({ block, modal }: { block: Block; modal: ShownModal }) {
  const { block_id: blockId = '', label, hint, optional, dispatch_action, element } = block as InputJson
  if (!element) throw new Error('An input block without an element')
  const actionId = element.action_id ?? ''
  const key = keyOf(modal.id, blockId, actionId)
  const value = typedValue(key) ?? modal.values[blockId]?.[actionId] ?? {}
  const error = modal.errors[blockId]
  const id = `input-${modal.id}-${blockId}`
  const described =
    [hint ? `${id}-hint` : '', error ? `${id}-error` : ''].filter(Boolean).join(' ') || undefined
  const put = (next: InputValue) => {
    if (dispatch_action && !isTyped(element.type)) void act({ viewId: modal.id }, blockId, actionId, next)
    else type(modal.id, blockId, actionId, next)
  }
  const enters =
    dispatch_action &&
    (element.dispatch_action_config?.trigger_actions_on ?? ['on_enter_pressed']).includes('on_enter_pressed')
  const field = {
    id,
    value,
    described,
    invalid: Boolean(error),
    put,
    enter: enters ? (next: InputValue) => void act({ viewId: modal.id }, blockId, actionId, next) : undefined,
  }
  return (
    <div class={error ? 'input invalid' : 'input'}>
      {isTyped(element.type) ? (
        <label class="label" for={id}>
          {withEmoji(label?.text ?? '')} {optional ? <span class="optional">(optional)</span> : null}
        </label>
      ) : (
        <div class="label" id={`${id}-label`}>
          {withEmoji(label?.text ?? '')} {optional ? <span class="optional">(optional)</span> : null}
        </div>
      )}
      {isTyped(element.type) ? (
        <Typed element={element} {...field} />
      ) : (
        <Choices
          element={element}
          name={id}
          label={label?.text ?? ''}
          labelId={`${id}-label`}
          describedBy={described}
          value={value}
          place={{ viewId: modal.id }}
          blockId={blockId}
          change={put}
        />
      )}
      {error ? (
        <p class="error" id={`${id}-error`} role="alert">
          {error}
        </p>
      ) : null}
      {hint ? (
        <p class="hint" id={`${id}-hint`}>
          {withEmoji(hint.text ?? '')}
        </p>
      ) : null}
    </div>
  )
}

const typedInputs = new Set(['plain_text_input', 'email_text_input', 'url_text_input', 'number_input'])

function isTyped(name: string | undefined): boolean {
  return typedInputs.has(name ?? '')
}

interface TypedProps {
  element: NonNullable<InputJson['element']>
  id: string
  value: InputValue
  described: string | undefined
  invalid: boolean
  put(value: InputValue): void
  enter: ((value: InputValue) => void) | undefined
}

function Typed({ element, id, value, described, invalid, put, enter }: TypedProps) {
  const ref = useRef<HTMLInputElement & HTMLTextAreaElement>(null)
  useEffect(() => {
    if (element.focus_on_load) ref.current?.focus()
  }, [id])
  const shared = {
    id,
    ref,
    class: 'text',
    value: value.value ?? '',
    placeholder: element.placeholder?.text,
    maxLength: element.max_length,
    'aria-describedby': described,
    'aria-invalid': invalid,
    onInput: (event: { currentTarget: { value: string } }) => put({ value: event.currentTarget.value }),
  }
  if (element.multiline) return <textarea rows={4} {...shared} />
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key !== 'Enter' || !enter) return
    // Enter sends what is typed to the app; the form stays open.
    event.preventDefault()
    enter({ value: (event.currentTarget as HTMLInputElement).value })
  }
  const line = { ...shared, onKeyDown, autoComplete: 'off' }
  if (element.type === 'email_text_input') return <input {...line} type="email" />
  if (element.type === 'url_text_input') return <input {...line} type="url" />
  if (element.type === 'number_input') {
    return <input {...line} type="number" step={element.is_decimal_allowed ? 'any' : '1'} />
  }
  return <input {...line} type="text" />
}
