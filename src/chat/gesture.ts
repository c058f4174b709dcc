// Gesture: one thing a person can do in Slack, as a value. saasm.ts registers them all behind one guard.
import type { Connector } from '../connectors/connector.ts'
import type { Engine } from '../connectors/engine.ts'
import type { Db } from '../db/db.ts'
import type { Seal } from '../instances/seal.ts'
import type { Ring } from '../jobs/jobs.ts'
import type { Clock } from '../lib/clock.ts'
import type { Log } from '../lib/log.ts'
import type { SlackClient } from '../slack/post.ts'
import type {
  ActionTurn,
  CommandTurn,
  ModalView,
  OpenView,
  Option,
  OptionsTurn,
  ShownView,
  SubmissionAnswer,
  SubmissionTurn,
  Who,
} from '../slack/turn.ts'

/** What every gesture may use: handed down from app.ts. */
export interface House {
  db: Db
  clock: Clock
  log: Log
  engine: Engine
  connectors: readonly Connector[]
  seal: Seal
  slack: SlackClient
  ring: Ring
  /** The sync channel (id or name); null: none. */
  channel: string | null
  allowPrivateNetwork: boolean
}

/** The role a person needs. Everything that shows or changes instances is for admins. */
export type Role = 'admin' | 'anyone'

export interface ActionRule {
  role: Role
  /** Set when pressing it in a message or on Home opens a modal: the loading view goes out before anything else. */
  loading?: (turn: ActionTurn) => ModalView
  /** Pressed in a window: the new one is put on top of it (`push`, unless told) or takes its place. */
  inView?: 'push' | 'replace'
  /** `opened` is the loading view when there is one. */
  run(turn: ActionTurn, house: House, opened: OpenView | undefined): Promise<void>
}

export interface CommandRule {
  /** The word after /saasm: `sync`. */
  word: string
  /** Other spellings: `now`, `run`. */
  also?: readonly string[]
  /** For the help: `sync NAME`. */
  usage: string
  /** For the help: one sentence. */
  summary: string
  role: Role
  /** Set when the command opens a modal: its loading view goes out in the first await. */
  loading?: (rest: string) => ModalView
  run(turn: CommandTurn, rest: string, house: House, opened: OpenView | undefined): Promise<void>
}

/**
 * What a gesture registers. Keys of `actions` and `options` are action ids, of `submissions` and `closed` callback ids;
 * an action id may carry a suffix after a colon (`manage:3`), which keeps ids unique in one message and is ignored here.
 */
export interface Gesture {
  command?: CommandRule
  actions?: Readonly<Record<string, ActionRule>>
  submissions?: Readonly<
    Record<string, { role: Role; run(turn: SubmissionTurn, house: House): Promise<SubmissionAnswer> }>
  >
  closed?: Readonly<Record<string, (who: Who, view: ShownView, house: House) => Promise<void>>>
  options?: Readonly<Record<string, { role: Role; run(turn: OptionsTurn, house: House): Promise<Option[]> }>>
}
