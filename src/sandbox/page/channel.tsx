// A channel or direct message: its messages, oldest first, and the composer that knows the words of /saasm.
import { useEffect, useRef, useState } from 'preact/hooks'
import type { ShownChannel, ShownMessage } from '../slack/person.ts'
import { Blocks } from './blocks.tsx'
import { Boundary } from './boundary.tsx'
import { Markup } from './markup.tsx'
import { say, useKnown } from './store.ts'

export function Channel({ channel }: { channel: ShownChannel }) {
  const end = useRef<HTMLDivElement>(null)
  const last = channel.messages.at(-1)?.ts
  useEffect(() => {
    end.current?.scrollIntoView({ block: 'end' })
  }, [last, channel.id])
  return (
    <>
      <div class="messages" role="log" aria-label={`Messages in ${channel.name}`} tabIndex={0}>
        {channel.messages.length === 0 ? (
          <p class="empty">Nothing has been said here yet. Type /saasm below.</p>
        ) : null}
        {channel.messages.map(message => (
          <Message key={message.ts} channelId={channel.id} message={message} />
        ))}
        <div ref={end} />
      </div>
      <Composer channel={channel} />
    </>
  )
}

function Message({ channelId, message }: { channelId: string; message: ShownMessage }) {
  const { server } = useKnown()
  const user = server?.slack.users.find(one => one.id === message.userId)
  const date = new Date(Number(message.ts) * 1000)
  return (
    <article class={`message${message.ephemeral ? ' ephemeral' : ''}${message.threadTs ? ' reply' : ''}`}>
      <div class={user?.isBot ? 'avatar bot' : 'avatar'} aria-hidden="true">
        {(user?.realName ?? '?').slice(0, 1).toUpperCase()}
      </div>
      <div class="message-body">
        {message.ephemeral ? <p class="only-you">Only visible to you</p> : null}
        <p class="by">
          <strong>{user?.realName ?? message.userId}</strong>{' '}
          {user?.isBot ? <span class="badge">APP</span> : null}{' '}
          <time dateTime={date.toISOString()}>
            {date.toLocaleTimeString(undefined, { hour: '2-digit', minute: '2-digit' })}
          </time>
          {message.edited ? <span class="edited"> (edited)</span> : null}
        </p>
        <Boundary of={message.blocks}>
          {message.files.map(file => (
            <p key={file.id} class="file">
              <a href={`/page/files/${file.id}`} download={file.name}>
                {file.name}
              </a>{' '}
              ({file.size.toLocaleString()} bytes)
            </p>
          ))}
          {message.blocks.length > 0 ? (
            <Blocks blocks={message.blocks} place={{ channelId, ts: message.ts }} />
          ) : (
            <div class="section">
              <div class="section-text">
                <Markup text={message.text} />
              </div>
            </div>
          )}
        </Boundary>
      </div>
    </article>
  )
}

const words: readonly [word: string, meaning: string][] = [
  ['help', 'what saasm can do'],
  ['integrations', 'every integration with its instances'],
  ['connect', 'connect an application'],
  ['connect okta', 'connect the Okta of the Vendors tab'],
  ['connect github', 'connect the GitHub of the Vendors tab'],
  ['connect scim', 'connect the SCIM server of the Vendors tab'],
  ['manage', 'open Edit Instance'],
  ['sync', 'sync now'],
  ['history', 'the last syncs'],
  ['recipients', 'who is told by e-mail'],
  ['audit', 'who changed what'],
]

function Composer({ channel }: { channel: ShownChannel }) {
  const { server } = useKnown()
  const [line, setLine] = useState('')
  const [chosen, choose] = useState(-1)
  const [hidden, hide] = useState(false)
  const asked = /^\/(\S*)(?:\s+(.*))?$/.exec(line)
  const offered =
    !hidden && asked ? words.filter(([word]) => `/saasm ${word}`.startsWith(line.trimStart())) : []
  const sending = (server?.slack.waiting ?? []).some(one => one.kind === 'command')
  const send = (text: string) => {
    if (text.trim() === '') return
    setLine('')
    choose(-1)
    void say(channel.id, text.trim())
  }
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      if (offered.length === 0) return
      event.preventDefault()
      const step = event.key === 'ArrowDown' ? 1 : -1
      choose((chosen + step + offered.length + (chosen < 0 && step < 0 ? 1 : 0)) % offered.length)
    } else if (event.key === 'Tab' && offered.length > 0 && chosen >= 0) {
      event.preventDefault()
      complete(offered[chosen]?.[0] ?? '')
    } else if (event.key === 'Enter') {
      event.preventDefault()
      const word = chosen >= 0 ? offered[chosen]?.[0] : undefined
      send(word ? `/saasm ${word}` : line)
    } else if (event.key === 'Escape') hide(true)
  }
  const complete = (word: string) => {
    setLine(`/saasm ${word}`)
    choose(-1)
    document.querySelector<HTMLElement>('.composer input')?.focus()
  }
  return (
    <form
      class="composer"
      onSubmit={event => {
        event.preventDefault()
        send(line)
      }}
    >
      {offered.length > 0 ? (
        <ul class="offers" id="offers" role="listbox" aria-label="Commands">
          {offered.map(([word, meaning], at) => (
            <li
              key={word}
              id={`offer-${at}`}
              role="option"
              aria-selected={at === chosen}
              class={at === chosen ? 'chosen' : ''}
              onMouseDown={event => event.preventDefault()}
              onClick={() => complete(word)}
            >
              <strong>/saasm {word}</strong> <span>{meaning}</span>
            </li>
          ))}
        </ul>
      ) : null}
      {server?.slack.lastFailure ? (
        <p class="error" role="alert">
          {server.slack.lastFailure}
        </p>
      ) : null}
      <div class="composer-line">
        <input
          type="text"
          aria-label={`Message ${channel.isDirect ? channel.name : `#${channel.name}`}`}
          role="combobox"
          aria-expanded={offered.length > 0}
          aria-controls="offers"
          aria-activedescendant={chosen >= 0 ? `offer-${chosen}` : undefined}
          autoComplete="off"
          placeholder={`Message ${channel.isDirect ? channel.name : `#${channel.name}`}, or type /saasm`}
          value={line}
          onInput={event => {
            setLine(event.currentTarget.value)
            hide(false)
            choose(-1)
          }}
          onKeyDown={onKeyDown}
        />
        <button type="submit" class="button primary" disabled={sending}>
          Send
        </button>
      </div>
    </form>
  )
}
