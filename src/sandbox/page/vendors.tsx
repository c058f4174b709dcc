// The Vendors tab: the applications' own side. Change their people, their token, their permission and their mood, and watch saasm react.
import { useState } from 'preact/hooks'
import { type ShownVendor, searchVendors, useKnown, vendorDoes } from './store.ts'

const moods: readonly [value: string, label: string][] = [
  ['normal', 'Answers as usual'],
  ['slow', 'Slow: 3 seconds a request'],
  ['rate-limited', 'Rate limited: 429'],
  ['broken', 'Broken: 503'],
  ['half-hidden', 'Half hidden: a scope shows every second person'],
]

export function Vendors() {
  const { server, search } = useKnown()
  const [chosen, choose] = useState('okta')
  const vendors = server?.vendors ?? []
  const open = vendors.find(vendor => vendor.id === chosen) ?? vendors[0]
  if (!open) return null
  return (
    <div class="vendors">
      <div class="tabs" role="tablist" aria-label="Vendors">
        {vendors.map(vendor => (
          <button
            key={vendor.id}
            type="button"
            role="tab"
            id={`tab-${vendor.id}`}
            aria-selected={vendor === open}
            aria-controls="vendor"
            onClick={() => choose(vendor.id)}
          >
            {vendor.name}
          </button>
        ))}
      </div>
      <section id="vendor" class="vendor" role="tabpanel" aria-labelledby={`tab-${open.id}`}>
        <Access vendor={open} />
        <People key={open.id} vendor={open} search={search} />
      </section>
    </div>
  )
}

function Access({ vendor }: { vendor: ShownVendor }) {
  const does = (what: string, body: object = {}) => void vendorDoes(vendor.id, what, body)
  return (
    <div class="access">
      <h2>Connect {vendor.name}</h2>
      <dl>
        {Object.entries(vendor.fields).map(([key, value]) => (
          <div key={key}>
            <dt>{key}</dt>
            <dd>
              <code>{value}</code>
              <Copy key={value} name={key} value={value} />
            </dd>
          </div>
        ))}
      </dl>
      <p class="state">
        Token: <strong>{vendor.tokenLives ? 'works' : 'revoked'}</strong>. Permission:{' '}
        <strong>{vendor.scopeGiven ? 'given' : 'taken away'}</strong>.
      </p>
      <div class="actions">
        <button
          type="button"
          class="button danger"
          disabled={!vendor.tokenLives}
          onClick={() => does('revoke-token')}
        >
          Revoke token
        </button>
        <button type="button" class="button" onClick={() => does('renew-token')}>
          Make a new token
        </button>
        {vendor.scopeGiven ? (
          <button type="button" class="button" onClick={() => does('take-scope')}>
            Take permission away
          </button>
        ) : (
          <button type="button" class="button" onClick={() => does('give-scope')}>
            Give permission back
          </button>
        )}
        <label class="mood">
          {vendor.name} now{' '}
          <select
            class="select"
            value={vendor.mood}
            onChange={event => does('mood', { mood: event.currentTarget.value })}
          >
            {moods.map(([value, label]) => (
              <option key={value} value={value}>
                {label}
              </option>
            ))}
          </select>
        </label>
      </div>
    </div>
  )
}

function Copy({ name, value }: { name: string; value: string }) {
  const [label, say] = useState('Copy')
  const copy = () =>
    navigator.clipboard.writeText(value).then(
      () => say('Copied'),
      () => say('Select it and copy by hand'),
    )
  return (
    <button type="button" class="button tiny" aria-label={`${label} ${name}`} onClick={() => void copy()}>
      {label}
    </button>
  )
}

function People({ vendor, search }: { vendor: ShownVendor; search: string }) {
  const [name, setName] = useState('')
  const [email, setEmail] = useState('')
  const does = (what: string, body: object) => void vendorDoes(vendor.id, what, body)
  return (
    <div class="people">
      <h2>
        {vendor.peopleCount} people in {vendor.name}
      </h2>
      <form
        class="add"
        onSubmit={event => {
          event.preventDefault()
          if (!name.trim() || !email.trim()) return
          does('add', { name, email })
          setName('')
          setEmail('')
        }}
      >
        <input
          class="text"
          aria-label="Name of the new person"
          placeholder="Name"
          value={name}
          onInput={event => setName(event.currentTarget.value)}
        />
        <input
          class="text"
          type="email"
          aria-label="E-mail of the new person"
          placeholder="name@example.com"
          value={email}
          onInput={event => setEmail(event.currentTarget.value)}
        />
        <button type="submit" class="button primary">
          Add person
        </button>
      </form>
      <input
        class="text"
        type="search"
        aria-label="Search people"
        placeholder="Search people"
        value={search}
        onInput={event => searchVendors(event.currentTarget.value)}
      />
      <ul>
        {vendor.people.map(person => (
          <li key={person.id}>
            <span class="who">
              <strong>{person.name}</strong> <span>{person.email}</span>
            </span>
            <span class={`badge ${person.status}`}>
              {person.role ? `${person.status}, ${person.role}` : person.status}
            </span>
            <span class="doings">
              <Rename
                key={person.name}
                person={person}
                rename={next => does('change', { id: person.id, name: next })}
              />
              <button
                type="button"
                class="button tiny"
                aria-label={`Suspend ${person.name}`}
                onClick={() => does('suspend', { id: person.id })}
              >
                Suspend
              </button>
              <button
                type="button"
                class="button tiny danger"
                aria-label={`Remove ${person.name}`}
                onClick={() => does('remove', { id: person.id })}
              >
                Remove
              </button>
            </span>
          </li>
        ))}
      </ul>
      {vendor.foundCount > vendor.people.length ? (
        <p class="hint">
          The first {vendor.people.length} of {vendor.foundCount}: search for the others.
        </p>
      ) : null}
    </div>
  )
}

function Rename({ person, rename }: { person: { name: string }; rename(name: string): void }) {
  const [name, setName] = useState<string | null>(null)
  if (name === null) {
    return (
      <button
        type="button"
        class="button tiny"
        aria-label={`Rename ${person.name}`}
        onClick={() => setName(person.name)}
      >
        Rename
      </button>
    )
  }
  return (
    <form
      class="rename"
      onSubmit={event => {
        event.preventDefault()
        rename(name)
        setName(null)
      }}
    >
      <input
        class="text"
        aria-label={`New name of ${person.name}`}
        value={name}
        onInput={event => setName(event.currentTarget.value)}
      />
      <button type="submit" class="button tiny">
        Rename
      </button>
    </form>
  )
}
