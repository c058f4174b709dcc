// The Mailbox tab: every mail as it was sent, its HTML in a frame of its own, or its text.
import { useState } from 'preact/hooks'
import { type ShownMail, useKnown } from './store.ts'

export function Mailbox() {
  const { server } = useKnown()
  const [chosen, choose] = useState<string | null>(null)
  const mails = (server?.mails ?? []).toReversed()
  const open = mails.find(mail => mail.id === chosen) ?? mails[0]
  if (!open)
    return (
      <p class="empty">
        No mail has been sent yet. Connect an application, and its creator hears of the initial sync.
      </p>
    )
  return (
    <div class="mailbox">
      <ul class="mails" aria-label="Mails, newest first">
        {mails.map(mail => (
          <li key={mail.id}>
            <button
              type="button"
              class={mail === open ? 'mail chosen' : 'mail'}
              aria-current={mail === open}
              onClick={() => choose(mail.id)}
            >
              <strong>{mail.subject}</strong>
              <span>to {mail.to.join(', ')}</span>
              <time dateTime={mail.at}>{new Date(mail.at).toLocaleString()}</time>
            </button>
          </li>
        ))}
      </ul>
      <Reader key={open.id} mail={open} />
    </div>
  )
}

function Reader({ mail }: { mail: ShownMail }) {
  const [asText, show] = useState(!mail.html)
  return (
    <section class="reader" aria-label="Mail">
      <h2>{mail.subject}</h2>
      <p class="meta">
        {mail.from} to {mail.to.join(', ')}
      </p>
      <div class="switch" role="group" aria-label="How it is shown">
        <button
          type="button"
          class="button"
          aria-pressed={!asText}
          disabled={!mail.html}
          onClick={() => show(false)}
        >
          HTML
        </button>
        <button type="button" class="button" aria-pressed={asText} onClick={() => show(true)}>
          Text
        </button>
      </div>
      {asText ? (
        <pre class="mail-text" tabIndex={0}>
          {mail.text}
        </pre>
      ) : (
        <iframe title={mail.subject} src={`/page/mails/${mail.id}`} sandbox="" />
      )}
    </section>
  )
}
