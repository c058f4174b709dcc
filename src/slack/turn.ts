// Turn: one thing a person did in Slack, as the gestures see it, and the answers they can give. Types only.
import type { HomeView, KnownBlock, ModalView } from '@slack/types'

export type { HomeView, KnownBlock, ModalView }

/** Who did it, from the verified request. */
export interface Who {
  teamId: string
  userId: string
}

/** A message of ours. `text` is what notifications and screen readers say: always a meaningful sentence. */
export interface Message {
  text: string
  blocks?: KnownBlock[]
}

/** A file that a person put into an input, as Slack tells of it. */
export interface UploadedFile {
  id: string
  /** In bytes; a hint. */
  size: number
  /** Where Slack says it can be downloaded; a hint, never trusted. */
  url: string
}

/** What a person has in a view's inputs: one entry a block id. A blank input is absent. */
export interface InputState {
  /** Typed text, an option's value, a chosen user, channel or conversation. */
  readonly text: ReadonlyMap<string, string>
  /** The option values of checkboxes and multi selects, and chosen users. */
  readonly many: ReadonlyMap<string, readonly string[]>
  /** Uploaded files. */
  readonly files: ReadonlyMap<string, readonly UploadedFile[]>
}

/** A view as it came back from Slack. Ids and metadata are hints, never authority. */
export interface ShownView {
  id: string
  /** The view that it was put on top of; '' when there is none. */
  belowId: string
  hash: string
  callbackId: string
  privateMetadata: string
  externalId: string
  inputs: InputState
}

/** A view of ours that is open at a person's. */
export interface OpenView {
  id: string
  /** Replace what it shows. Resolves false when the person has closed it meanwhile. */
  update(view: ModalView): Promise<boolean>
}

interface Turn {
  who: Who
  /** What Slack gives to this one doing alone: one that comes again has the same. '' when there is none. */
  once: string
  /** Tell only this person: response_url where there is one, else an ephemeral message, else a direct one. */
  reply(message: Message): Promise<void>
}

export interface CommandTurn extends Turn {
  channelId: string
  /** What stands after `/saasm`. */
  words: string
  /** Opens a modal; must be the first await after the trigger. */
  open(view: ModalView): Promise<OpenView>
}

export interface ActionTurn extends Turn {
  actionId: string
  blockId: string
  /** A button's value, a chosen option's value, or typed text; '' when there is none. */
  value: string
  /** All chosen option values (checkboxes, multi selects). */
  many: readonly string[]
  /** The view it was pressed in; undefined in a message or on the Home tab. */
  view: ShownView | undefined
  /** The view beneath that one; undefined: there is none. */
  below: OpenView | undefined
  message: { channelId: string; ts: string } | undefined
  open(view: ModalView): Promise<OpenView>
  push(view: ModalView): Promise<OpenView>
  /** Replace the view it was pressed in (with its hash: false when it changed or was closed meanwhile). */
  update(view: ModalView): Promise<boolean>
  /** The same whatever it shows by now: for a view whose content lives on the server. */
  redraw(view: ModalView): Promise<boolean>
  /** Replace the message it was pressed in; for ephemerals too. */
  replace(message: Message): Promise<void>
  /** Show the person another Home tab. */
  publish(view: HomeView): Promise<void>
}

export interface SubmissionTurn extends Turn {
  view: ShownView
  /** The view beneath; undefined: there is none. */
  below: OpenView | undefined
}

/** The answer to a submission; it is Slack's acknowledgement, due within 3 s. `after` is run once it is sent. */
export type SubmissionAnswer =
  | { kind: 'close'; after?: () => Promise<void> }
  | { kind: 'clear'; after?: () => Promise<void> }
  /** One sentence a block id; input blocks only. */
  | { kind: 'errors'; errors: Record<string, string> }
  | { kind: 'update'; view: ModalView; after?: (open: OpenView) => Promise<void> }
  | { kind: 'push'; view: ModalView }

export interface OptionsTurn {
  who: Who
  actionId: string
  /** What the person has typed so far. */
  query: string
}

export interface Option {
  /** At most 75 code points. */
  text: string
  /** At most 75 code points, unique. */
  value: string
}

/** Somebody opened the app's Home tab. */
export interface HomeTurn {
  who: Who
  /** The event's id: Slack sends an event up to four times. */
  once: string
  publish(view: HomeView): Promise<void>
}

/**
 * Who listens behind the door. Everything is acknowledged before it is heard, but submissions and option loads, whose
 * answer is the acknowledgement: they have `answerMs`.
 */
export interface Hearing {
  command(turn: CommandTurn): Promise<void>
  action(turn: ActionTurn): Promise<void>
  submission(turn: SubmissionTurn): Promise<SubmissionAnswer>
  closed(who: Who, view: ShownView): Promise<void>
  options(turn: OptionsTurn): Promise<Option[]>
  home(turn: HomeTurn): Promise<void>
}
