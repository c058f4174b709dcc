// What the workspace's people see and do: plain data for the page and the tests, no Slack logic.

/** A block or view as the app sent it, checked by blocks.ts before it got here. */
export type Block = Readonly<Record<string, unknown>>

/** What stands in an input: one of these, by the element's type. */
export interface InputValue {
  /** Typed text, a number as text, a date (YYYY-MM-DD) or time. */
  value?: string
  /** An option's value. */
  selectedOption?: string
  selectedOptions?: readonly string[]
  selectedUser?: string
  selectedUsers?: readonly string[]
  selectedChannel?: string
  selectedConversation?: string
  /** Ids of uploaded files. */
  files?: readonly string[]
}

/** How a delivery to the app went, as the person would see it. */
export type Delivery =
  | { ok: true }
  /** `failure` is what Slack shows: `/saasm failed with the error "operation_timeout"`. */
  | { ok: false; failure: string }

export interface ShownUser {
  id: string
  name: string
  realName: string
  email: string
  timeZone: string
  isAdmin: boolean
  isOwner: boolean
  isPrimaryOwner: boolean
  isRestricted: boolean
  isUltraRestricted: boolean
  isBot: boolean
  deleted: boolean
  /** Of another workspace, here through a shared channel; absent: of this one. */
  teamId?: string
}

export interface ShownFile {
  id: string
  name: string
  /** In bytes. */
  size: number
}

export interface ShownMessage {
  ts: string
  /** The bot's, or a person's, user id. */
  userId: string
  text: string
  blocks: readonly Block[]
  ephemeral: boolean
  edited: boolean
  /** Of the parent, for a reply in a thread. */
  threadTs: string | null
  files: readonly ShownFile[]
}

export interface ShownChannel {
  id: string
  /** `saas-sync`; for a direct message the other's real name. */
  name: string
  isDirect: boolean
  /** Oldest first; ephemerals of this person among them. */
  messages: readonly ShownMessage[]
}

export interface ShownModal {
  id: string
  /** The view JSON as sent by the app. */
  view: Block
  hash: string
  /** What is in the inputs now: block id, action id. */
  values: Readonly<Record<string, Readonly<Record<string, InputValue>>>>
  /** One sentence a block id, from `response_action: errors`. */
  errors: Readonly<Record<string, string>>
}

export interface PersonState {
  user: ShownUser
  users: readonly ShownUser[]
  team: { id: string; name: string; domain: string }
  nowIso: string
  channels: readonly ShownChannel[]
  /** Bottom first; the last one is on top. At most three. */
  views: readonly ShownModal[]
  home: Block | null
  /** Deliveries of this person that the app has not acknowledged yet: what the page shows as waiting. */
  waiting: readonly {
    kind: 'command' | 'action' | 'submission' | 'closed' | 'options' | 'home'
    viewId: string | null
    actionId: string | null
  }[]
  /** What Slack would show in red after the last delivery; null after one that went well. */
  lastFailure: string | null
}

/** Where an action was: in a message, in a view, or on Home. */
export type Place = { channelId: string; ts: string } | { viewId: string } | { home: true }

export interface ShownOption {
  text: string
  value: string
}

/** One person using Slack: each doing is delivered to the app as Slack would, and resolves once it is acknowledged or given up. */
export interface Person {
  readonly userId: string
  /** A line typed in a channel; `/saasm …` reaches the app, anything else is posted as a message. */
  command(channelId: string, line: string): Promise<Delivery>
  /** Press a button, choose an option, press Enter in a dispatching input. Throws when there is no such element. */
  act(place: Place, action: { blockId: string; actionId: string; value?: InputValue }): Promise<Delivery>
  /** Put something into an input without telling the app. Throws when there is no such input. */
  type(viewId: string, blockId: string, value: InputValue): void
  submit(viewId: string): Promise<Delivery>
  /** Cancel or close the top view; `all`: the X, which closes the whole stack. */
  close(viewId: string, all?: boolean): Promise<Delivery>
  /** The options of an external select for what was typed; [] when the app does not answer in 3 s. */
  options(
    place: Place,
    element: { blockId: string; actionId: string },
    query: string,
  ): Promise<readonly ShownOption[]>
  openHome(): Promise<Delivery>
  /** Bring a file to the workspace, to be put into a file input by its id. */
  upload(file: { name: string; mimetype: string; bytes: Uint8Array }): { id: string }
  /** `messagesMax` newest messages a channel; all unless told. */
  state(options?: { messagesMax?: number }): PersonState
}
