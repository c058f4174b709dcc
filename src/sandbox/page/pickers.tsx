// Choosing with the server's help: options that the app answers as one types, and files that are uploaded first.
import { useEffect, useState } from 'preact/hooks'
import type { ShownOption } from '../slack/person.ts'
import type { ChoiceProps } from './choices.tsx'
import { options as load, upload } from './store.ts'

export function FileInput({ value, change, label, labelId, describedBy }: ChoiceProps) {
  const [failed, fail] = useState(false)
  const choose = async (files: FileList | null) => {
    const ids = await Promise.all([...(files ?? [])].map(upload))
    fail(ids.includes(''))
    change({ files: ids.filter(Boolean) })
  }
  return (
    <>
      <input
        class="text"
        type="file"
        aria-label={labelId ? undefined : label}
        aria-labelledby={labelId}
        aria-describedby={describedBy}
        onChange={event => void choose(event.currentTarget.files)}
      />
      {failed ? <p class="error">The file could not be uploaded: this sandbox takes up to 20 MB.</p> : null}
      {value.files?.length ? <p class="hint">{value.files.length} uploaded</p> : null}
    </>
  )
}

/** Options that the app answers as one types. */
export function External({
  element,
  value,
  change,
  place,
  blockId,
  label,
  labelId,
  describedBy,
  many,
}: ChoiceProps & { many: boolean }) {
  const [query, setQuery] = useState('')
  const [found, setFound] = useState<ShownOption[]>([])
  // The value knows no labels: those of what was chosen here, or stood in the view from the start.
  const [labels, setLabels] = useState<Record<string, string>>({})
  const least = element.min_query_length ?? 3
  useEffect(() => {
    if (query.length < least) return
    let stale = false
    void load(place, blockId, element.action_id ?? '', query).then(answer => !stale && setFound(answer))
    return () => {
      stale = true
    }
  }, [query])
  const chosen = many ? (value.selectedOptions ?? []) : value.selectedOption ? [value.selectedOption] : []
  const pick = (one: ShownOption) => {
    setLabels({ ...labels, [one.value]: one.text })
    change(many ? { selectedOptions: [...new Set([...chosen, one.value])] } : { selectedOption: one.value })
  }
  const given = [
    ...(element.initial_options ?? []),
    ...(element.initial_option ? [element.initial_option] : []),
  ]
  const labelOf = (one: string) => labels[one] ?? given.find(option => option.value === one)?.text.text ?? one
  return (
    <div class="external">
      {chosen.length > 0 ? (
        <p class="picked">
          {chosen.map(one =>
            many ? (
              <button
                key={one}
                type="button"
                class="button tiny"
                aria-label={`Remove ${labelOf(one)}`}
                onClick={() => change({ selectedOptions: chosen.filter(other => other !== one) })}
              >
                {labelOf(one)} ✕
              </button>
            ) : (
              <strong key={one}>{labelOf(one)}</strong>
            ),
          )}
        </p>
      ) : null}
      <input
        class="text"
        type="search"
        aria-label={labelId ? undefined : label}
        aria-labelledby={labelId}
        aria-describedby={describedBy}
        placeholder={element.placeholder?.text}
        value={query}
        onInput={event => setQuery(event.currentTarget.value)}
      />
      <ul>
        {found.map(option => (
          <li key={option.value}>
            <button type="button" class="button" onClick={() => pick(option)}>
              {option.text}
            </button>
          </li>
        ))}
      </ul>
    </div>
  )
}
