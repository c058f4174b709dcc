// The window on top of a person's stack: its blocks, its submit and close, what it waits for and what went wrong.
import { useState } from 'preact/hooks'
import type { ShownModal } from '../slack/person.ts'
import { Blocks } from './blocks.tsx'
import { Boundary } from './boundary.tsx'
import { Dialog } from './dialog.tsx'
import { type SlackText, withEmoji } from './markup.tsx'
import { close, submit, useKnown } from './store.ts'

interface ViewJson {
  title?: SlackText
  submit?: SlackText
  close?: SlackText
  blocks?: readonly Record<string, unknown>[]
}

export function Modal({ modal, depth }: { modal: ShownModal; depth: number }) {
  const { server } = useKnown()
  const [busy, setBusy] = useState(false)
  const view = modal.view as ViewJson
  const waiting =
    busy || (server?.slack.waiting ?? []).some(one => one.viewId === modal.id && one.kind === 'submission')
  const failure = server?.slack.lastFailure
  const cancel = () => void close(modal.id, false)
  const send = () => {
    setBusy(true)
    void submit(modal.id).finally(() => setBusy(false))
  }
  return (
    <Dialog title={view.title?.text ?? ''} close={cancel}>
      <button
        type="button"
        class="dialog-x"
        aria-label="Close everything"
        onClick={() => void close(modal.id, true)}
      >
        ✕
      </button>
      <form
        class="dialog-form"
        noValidate
        onSubmit={event => {
          event.preventDefault()
          if (view.submit && !waiting) send()
        }}
      >
        <div class="dialog-body">
          <Boundary of={modal.hash}>
            <Blocks blocks={view.blocks ?? []} place={{ viewId: modal.id }} modal={modal} />
          </Boundary>
          {failure ? (
            <p class="error" role="alert">
              {failure}
            </p>
          ) : null}
        </div>
        <div class="dialog-foot">
          {depth > 1 ? (
            <span class="depth">
              Window {depth} of {depth}
            </span>
          ) : null}
          <button type="button" class="button" onClick={cancel}>
            {withEmoji(view.close?.text ?? (depth > 1 ? 'Back' : 'Cancel'))}
          </button>
          {view.submit ? (
            <button type="submit" class="button primary" disabled={waiting} aria-busy={waiting}>
              {withEmoji(view.submit.text ?? '')}
              {waiting ? <span class="spinner" aria-hidden="true" /> : null}
            </button>
          ) : null}
        </div>
      </form>
    </Dialog>
  )
}
