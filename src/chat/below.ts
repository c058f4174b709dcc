// What a window on top of Edit Instance knows of it: in its metadata, since Slack says nothing of the one beneath but its id.
import { metadataOf } from '../slack/modal.ts'
import type { ShownView } from '../slack/turn.ts'

/** In the metadata of a window on top: which version Edit Instance shows, and by which one its inputs are named. */
export type Below = { below?: string; belowInputs?: string }

/** For a window that is put on top of this one. */
export function beneath(view: ShownView | undefined): Below {
  if (view?.callbackId !== 'edit-instance') return {}
  const { version = '', inputs = version } = metadataOf(view)
  return { below: version, belowInputs: inputs }
}

/** For a window that is drawn again in the place of this one. */
export function belowOf(view: ShownView | undefined): Below {
  const { below, belowInputs } = view ? metadataOf(view) : {}
  return below === undefined ? {} : { below, belowInputs: belowInputs ?? below }
}
