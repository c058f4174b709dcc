// Choosing: checkboxes, radio buttons, selects (of options, people, channels), overflow menus, dates.
import type { InputValue, Place, ShownOption } from '../slack/person.ts'
import type { ElementJson, OptionJson } from './elements.tsx'
import { Text, withEmoji } from './markup.tsx'
import { External, FileInput } from './pickers.tsx'
import { useKnown } from './store.ts'

export interface ChoiceProps {
  element: ElementJson
  /** Unique on the page: groups radio buttons, binds labels. */
  name: string
  label: string
  labelId?: string
  describedBy?: string | undefined
  value: InputValue
  place: Place
  blockId: string
  change(value: InputValue): void
}

export function Choices(props: ChoiceProps) {
  const { element, value, change } = props
  const { server } = useKnown()
  switch (element.type) {
    case 'checkboxes':
      return <Boxes {...props} />
    case 'radio_buttons':
      return <Radios {...props} />
    case 'static_select':
      return (
        <Select
          {...props}
          groups={groupsOf(element)}
          chosen={value.selectedOption}
          pick={one => change({ selectedOption: one })}
        />
      )
    case 'overflow':
      return (
        <Select
          {...props}
          groups={groupsOf(element)}
          chosen={undefined}
          pick={one => change({ selectedOption: one })}
        />
      )
    case 'users_select': {
      const people = (server?.slack.users ?? [])
        .filter(user => !user.isBot)
        .map(user => ({ value: user.id, text: user.realName }))
      return (
        <Select
          {...props}
          groups={[{ label: '', options: people }]}
          chosen={value.selectedUser}
          pick={one => change({ selectedUser: one })}
        />
      )
    }
    case 'channels_select':
    case 'conversations_select': {
      const channels = (server?.slack.channels ?? [])
        .filter(one => !one.isDirect)
        .map(one => ({ value: one.id, text: `#${one.name}` }))
      const isChannel = element.type === 'channels_select'
      const chosen = isChannel ? value.selectedChannel : value.selectedConversation
      return (
        <Select
          {...props}
          groups={[{ label: '', options: channels }]}
          chosen={chosen}
          pick={one => change(isChannel ? { selectedChannel: one } : { selectedConversation: one })}
        />
      )
    }
    case 'multi_static_select':
      return (
        <Many
          {...props}
          options={groupsOf(element).flatMap(group => group.options)}
          chosen={value.selectedOptions ?? []}
          pick={some => change({ selectedOptions: some })}
        />
      )
    case 'multi_users_select': {
      const people = (server?.slack.users ?? []).filter(user => !user.isBot)
      return (
        <Many
          {...props}
          options={people.map(user => ({ value: user.id, text: user.realName }))}
          chosen={value.selectedUsers ?? []}
          pick={some => change({ selectedUsers: some })}
        />
      )
    }
    case 'external_select':
    case 'multi_external_select':
      return <External {...props} many={element.type === 'multi_external_select'} />
    case 'file_input':
      return <FileInput {...props} />
    case 'datepicker':
    case 'timepicker':
      return (
        <input
          class="text"
          type={element.type === 'datepicker' ? 'date' : 'time'}
          aria-label={props.labelId ? undefined : props.label}
          aria-labelledby={props.labelId}
          aria-describedby={props.describedBy}
          value={value.value ?? ''}
          onChange={event => change({ value: event.currentTarget.value })}
        />
      )
    default:
      throw new Error(`This page cannot draw an element of type ${element.type}`)
  }
}

interface Group {
  label: string
  options: ShownOption[]
}

function groupsOf(element: ElementJson): Group[] {
  const shown = (option: OptionJson) => ({ value: option.value, text: withEmoji(option.text.text ?? '') })
  if (element.option_groups)
    return element.option_groups.map(group => ({
      label: group.label.text ?? '',
      options: group.options.map(shown),
    }))
  return [{ label: '', options: (element.options ?? []).map(shown) }]
}

function Boxes({ element, name, value, change, label, labelId, describedBy }: ChoiceProps) {
  const ticked = new Set(value.selectedOptions ?? [])
  const toggle = (one: string) => {
    const next = (element.options ?? [])
      .map(option => option.value)
      .filter(option => (option === one ? !ticked.has(one) : ticked.has(option)))
    change({ selectedOptions: next })
  }
  return (
    <fieldset
      class="options"
      aria-label={labelId ? undefined : label}
      aria-labelledby={labelId}
      aria-describedby={describedBy}
    >
      {(element.options ?? []).map(option => (
        <label key={option.value} class="option">
          <input
            type="checkbox"
            name={name}
            checked={ticked.has(option.value)}
            onChange={() => toggle(option.value)}
          />
          <OptionText option={option} />
        </label>
      ))}
    </fieldset>
  )
}

function Radios({ element, name, value, change, label, labelId, describedBy }: ChoiceProps) {
  return (
    <fieldset
      class="options"
      aria-label={labelId ? undefined : label}
      aria-labelledby={labelId}
      aria-describedby={describedBy}
    >
      {(element.options ?? []).map(option => (
        <label key={option.value} class="option">
          <input
            type="radio"
            name={name}
            checked={value.selectedOption === option.value}
            onChange={() => change({ selectedOption: option.value })}
          />
          <OptionText option={option} />
        </label>
      ))}
    </fieldset>
  )
}

function OptionText({ option }: { option: OptionJson }) {
  return (
    <span>
      <Text of={option.text} />
      {option.description ? (
        <span class="description">
          <Text of={option.description} />
        </span>
      ) : null}
    </span>
  )
}

function Select({
  groups,
  chosen,
  pick,
  label,
  labelId,
  describedBy,
  element,
}: ChoiceProps & { groups: Group[]; chosen: string | undefined; pick(value: string): void }) {
  return (
    <select
      class="select"
      aria-label={labelId ? undefined : label}
      aria-labelledby={labelId}
      aria-describedby={describedBy}
      value={chosen ?? ''}
      onChange={event => event.currentTarget.value && pick(event.currentTarget.value)}
    >
      <option value="">
        {element.type === 'overflow' ? '…' : (element.placeholder?.text ?? 'Choose one')}
      </option>
      {groups.map(group =>
        group.label ? (
          <optgroup key={group.label} label={group.label}>
            {optionsOf(group)}
          </optgroup>
        ) : (
          optionsOf(group)
        ),
      )}
    </select>
  )
}

function optionsOf(group: Group) {
  return group.options.map(option => (
    <option key={option.value} value={option.value}>
      {option.text}
    </option>
  ))
}

function Many({
  options,
  chosen,
  pick,
  label,
  labelId,
  describedBy,
}: ChoiceProps & { options: ShownOption[]; chosen: readonly string[]; pick(values: string[]): void }) {
  return (
    <select
      class="select"
      multiple
      aria-label={labelId ? undefined : label}
      aria-labelledby={labelId}
      aria-describedby={describedBy}
      onChange={event => pick([...event.currentTarget.selectedOptions].map(option => option.value))}
    >
      {options.map(option => (
        <option key={option.value} value={option.value} selected={chosen.includes(option.value)}>
          {option.text}
        </option>
      ))}
    </select>
  )
}
