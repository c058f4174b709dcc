// Gesture: one thing a person can do in Slack, as a value. saasm.ts registers them all behind one guard.
import type { Connector } from '../connectors/connector.ts'
import type { Engine } from '../connectors/engine.ts'
import type { Db } from '../db/db.ts'
import type { Instance } from '../instances/instance.ts'
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
  /** How long people who vanished are kept and counted, in days. */
  goneDays: number
}

/** The role a person needs at least; `anyone` is any member of the workspace who is no guest. */
export type Role = 'admin' | 'operator' | 'viewer' | 'anyone'

/** Reads the instance that something is about, by team and id: its owner may do it, too, and `run` is handed it. */
type About<T> = (turn: T, house: House) => Promise<Instance | undefined>

export interface ActionRule {
  role: Role
  about?: About<ActionTurn>
  /** Set when pressing it in a message or on Home opens a modal: the loading view goes out before anything else. */
  loading?: (turn: ActionTurn) => ModalView
  /** Pressed in a window: the new one is put on top of it (`push`, unless told) or takes its place. */
  inView?: 'push' | 'replace'
  /** `opened` is the loading view when there is one. */
  run(
    turn: ActionTurn,
    house: House,
    opened: OpenView | undefined,
    instance: Instance | undefined,
  ): Promise<void>
}

export interface SubmissionRule {
  role: Role
  about?: About<SubmissionTurn>
  run(turn: SubmissionTurn, house: House, instance: Instance | undefined): Promise<SubmissionAnswer>
}

/** A window was closed: for clearing away what it left, so that a person who may no longer open it still can. */
export interface ClosingRule {
  role: Role
  run(who: Who, view: ShownView, house: House): Promise<void>
}

export interface OptionsRule {
  role: Role
  run(turn: OptionsTurn, house: House): Promise<Option[]>
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
  /** The one instance that the words name; undefined when they name none, or several. */
  about?(turn: CommandTurn, rest: string, house: House): Promise<Instance | undefined>
  /** Set when the command opens a modal: its loading view goes out in the first await. */
  loading?: (rest: string) => ModalView
  run(
    turn: CommandTurn,
    rest: string,
    house: House,
    opened: OpenView | undefined,
    instance: Instance | undefined,
  ): Promise<void>
}

/**
 * What a gesture registers. Keys of `actions` and `options` are action ids, of `submissions` and `closed` callback ids;
 * an action id may carry a suffix after a colon (`manage:3`), which keeps ids unique in one message and is ignored here.
 */
export interface Gesture {
  command?: CommandRule
  actions?: Readonly<Record<string, ActionRule>>
  submissions?: Readonly<Record<string, SubmissionRule>>
  closed?: Readonly<Record<string, ClosingRule>>
  options?: Readonly<Record<string, OptionsRule>>
}
