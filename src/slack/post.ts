// Posting to Slack and reading people, with our own limits: no retries of the SDK, 10 s a call, errors told apart.
import type { KnownBlock } from '@slack/types'
import type { UploadedFile } from './turn.ts'

/** `rate-limited`: wait. `permanent`: it will never work as it is. `ambiguous`: it may have been stored. */
export type SlackFailureKind = 'rate-limited' | 'permanent' | 'ambiguous'

/** Longer than an hour Slack asks nobody to wait: it is asked again then. */
const waitMaxMs = 3_600_000

export class SlackFailure extends Error {
  readonly kind: SlackFailureKind
  /** Slack's error string, or `timeout`, `network`, `http_500`. */
  readonly code: string
  /** For `rate-limited`: milliseconds to wait, an hour at most. */
  readonly retryAfterMs: number | undefined

  constructor(kind: SlackFailureKind, code: string, retryAfterMs?: number) {
    super(`Slack answered ${code}`)
    this.name = 'SlackFailure'
    this.kind = kind
    this.code = code
    this.retryAfterMs = retryAfterMs === undefined ? undefined : Math.min(retryAfterMs, waitMaxMs)
  }
}

export interface SlackPerson {
  id: string
  teamId: string
  name: string
  email: string | null
  timeZone: string | null
  admin: boolean
  owner: boolean
  guest: boolean
  bot: boolean
  deleted: boolean
  /** Of another workspace, seen through a shared channel. */
  stranger: boolean
}

export interface SlackClient {
  /** Post to a channel (id or name), or to a person by user id. `key` goes into the metadata, so that `find` can find it. */
  post(message: {
    to: string
    text: string
    blocks: KnownBlock[]
    key: string
    threadTs?: string
  }): Promise<{ channel: string; ts: string }>
  update(message: { channel: string; ts: string; text: string; blocks: KnownBlock[] }): Promise<void>
  /** Put a file into the thread of a message of ours; `channel` is what `post` resolved to (Slack takes no user id here). */
  upload(file: {
    channel: string
    threadTs: string
    filename: string
    title: string
    bytes: Uint8Array
  }): Promise<void>
  /** Look for a message of ours by its key, among those newer than `since` (of a thread); undefined when it is not there. */
  find(where: {
    to: string
    key: string
    since: Date
    threadTs?: string | undefined
  }): Promise<{ channel: string; ts: string } | undefined>
  /** Role and address of a person; cached for at most 60 s; undefined when Slack does not know the id. */
  person(userId: string): Promise<SlackPerson | undefined>
  /** Workspace admins and owners who are people and not deleted; cached for at most 60 s; at most 200. */
  workspaceAdmins(): Promise<SlackPerson[]>
  /** User ids of a user group's members; cached for at most 60 s; empty when there is no such group. */
  groupMembers(groupId: string): Promise<ReadonlySet<string>>
  /** What a person uploaded; SlackFailure `file_too_large` above `maxBytes`, `missing_scope` without files:read. */
  download(file: UploadedFile, maxBytes: number): Promise<Uint8Array>
  /** The workspace that the token belongs to. */
  teamId(): Promise<string>
  /** Slack answers and the token is good. */
  ready(): Promise<boolean>
}
