// Interactive elements outside input blocks: buttons, boxes, choices. Each tells the app at once, and shows that it waits.
import { useState } from 'preact/hooks'
import type { InputValue, Place, ShownModal } from '../slack/person.ts'
import { Choices } from './choices.tsx'
import { Confirm, type ConfirmJson } from './confirm.tsx'
import { type SlackText, Text } from './markup.tsx'
import { act, refresh, useKnown } from './store.ts'

export interface OptionJson {
  text: SlackText
  value: string
  description?: SlackText
}

export interface ElementJson {
  type?: string
  action_id?: string
  text?: SlackText
  value?: string
  url?: string
  style?: string
  accessibility_label?: string
  confirm?: ConfirmJson
  options?: OptionJson[]
  option_groups?: { label: SlackText; options: OptionJson[] }[]
  initial_option?: OptionJson
  initial_options?: OptionJson[]
  initial_user?: string
  initial_channel?: string
  initial_conversation?: string
  initial_date?: string
  initial_time?: string
  placeholder?: SlackText
  image_url?: string
  alt_text?: string
  min_query_length?: number
}

interface Props {
  element: ElementJson
  place: Place
  blockId: string
  modal: ShownModal | undefined
}

export function Interactive({ element, place, blockId, modal }: Props) {
  const { server } = useKnown()
  const [asking, ask] = useState<(() => void) | null>(null)
  const actionId = element.action_id ?? ''
  const viewId = 'viewId' in place ? place.viewId : null
  const [pressed, setPressed] = useState(false)
  // What was chosen shows at once, until the server's state has it.
  const [chosen, choose] = useState<InputValue | null>(null)
  const waiting =
    pressed &&
    (server?.slack.waiting ?? []).some(
      one => one.actionId === actionId && (viewId === null || one.viewId === viewId),
    )
  const send = (value?: InputValue) => {
    const go = () => {
      setPressed(true)
      choose(value ?? null)
      void act(place, blockId, actionId, value)
        .then(refresh)
        .finally(() => {
          setPressed(false)
          choose(null)
        })
    }
    if (element.confirm) ask(() => go)
    else go()
  }
  const dialog =
    asking && element.confirm ? <Confirm of={element.confirm} yes={asking} done={() => ask(null)} /> : null
  if (element.type === 'button') {
    return (
      <>
        <button
          type="button"
          class={`button ${element.style ?? ''}`}
          aria-label={element.accessibility_label}
          aria-busy={waiting}
          disabled={waiting}
          onClick={() => send()}
        >
          <Text of={element.text} />
          {waiting ? <span class="spinner" aria-hidden="true" /> : null}
        </button>
        {dialog}
      </>
    )
  }
  if (element.type === 'image')
    return <img class="thumb" src={element.image_url} alt={element.alt_text ?? ''} />
  const current = chosen ?? modal?.values[blockId]?.[actionId] ?? initialOf(element)
  return (
    <>
      <Choices
        element={element}
        name={`${blockId}-${actionId}`}
        label={element.accessibility_label ?? labelOf(element)}
        value={current}
        place={place}
        blockId={blockId}
        change={send}
      />
      {dialog}
    </>
  )
}

/** What a message or Home says is chosen; a modal's values come with its state. */
function initialOf(element: ElementJson): InputValue {
  if (element.initial_options) return { selectedOptions: element.initial_options.map(one => one.value) }
  return {
    ...(element.initial_option ? { selectedOption: element.initial_option.value } : {}),
    ...(element.initial_user ? { selectedUser: element.initial_user } : {}),
    ...(element.initial_channel ? { selectedChannel: element.initial_channel } : {}),
    ...(element.initial_conversation ? { selectedConversation: element.initial_conversation } : {}),
    ...value(element.initial_date ?? element.initial_time),
  }
}

function value(text: string | undefined): InputValue {
  return text === undefined ? {} : { value: text }
}

function labelOf(element: ElementJson): string {
  return element.placeholder?.text ?? element.options?.[0]?.text.text ?? 'Choose'
}
