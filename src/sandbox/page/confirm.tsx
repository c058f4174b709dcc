// The small dialog that some buttons ask with before they are sent.
import { Dialog } from './dialog.tsx'
import { type SlackText, Text } from './markup.tsx'

export interface ConfirmJson {
  title: SlackText
  text: SlackText
  confirm: SlackText
  deny: SlackText
  style?: string
}

export function Confirm({ of, yes, done }: { of: ConfirmJson; yes(): void; done(): void }) {
  return (
    <Dialog title={of.title.text ?? ''} small close={done}>
      <div class="dialog-body">
        <Text of={of.text} />
      </div>
      <div class="dialog-foot">
        <button type="button" class="button" onClick={done}>
          <Text of={of.deny} />
        </button>
        <button
          type="button"
          class={`button ${of.style ?? 'primary'}`}
          onClick={() => {
            done()
            yes()
          }}
        >
          <Text of={of.confirm} />
        </button>
      </div>
    </Dialog>
  )
}
