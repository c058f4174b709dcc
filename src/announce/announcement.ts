// Announcement: one thing worth telling, as plain data. It is stored as it is and rendered by email.tsx and channel.ts.

export type AnnouncementKind =
  | 'initial-succeeded'
  | 'initial-failed'
  | 'failed'
  | 'cause-changed'
  | 'recovered'
  | 'revoked'
  | 'inactivated'
  | 'reactivated'
  | 'held'
  /** In the channel only: the card of a held removal once it is decided, or void. */
  | 'held-ended'
  /** To who asked only: how far a sync or a removal is. */
  | 'progress'
  | 'run-ended'
  | 'users-deleted'
  | 'instance-deleted'
  /** To who asked and to admins: a removal does not come to its end. */
  | 'removal-stuck'
  /** To admins only: a telling that Slack or the mail service refuses for good. */
  | 'undelivered'

/** Everything a telling says. Dates are ISO 8601 in UTC, since this is stored as JSON. */
export interface Announcement {
  kind: AnnouncementKind
  instanceId: string
  instanceName: string
  /** The connector's name for people: `Okta`. */
  app: string
  at: string
  /** The Slack user who did it or asked for it; null: saasm. */
  actor: string | null
  /** What failed, for people. */
  failure?: { code: string; message: string; missing: string[]; reference: string }
  /** Null: never. */
  lastSuccessAt: string | null
  counts?: { added: number; changed: number; removed: number; unchanged: number }
  /** How many users are reported now. */
  users: number
  /** For a removal. */
  removed?: number
  /** For `held`, and for `held-ended` with how it ended. */
  held?: HeldNews
  /** The instance is not Live as this is told, so that it cannot be synced now. */
  notLive?: true
  /** For `run-ended`: it ended without a result, since it was not wanted any more. */
  stopped?: true
  /** For `progress`. */
  progress?: Progress
  /** What is not reported (a permission an optional listing lacks, rows that could not be read). */
  warnings?: string[]
  /** What saasm does next, for people, made from the configured numbers: `saasm tries again in 24 hours.` */
  next: string
}

/** A removal that is held back. */
export interface HeldNews {
  /** The run that asks. */
  runId: string
  /** People not found, and people found disabled, of those reported. */
  gone: number
  disabled: number
  of: number
  /** Some of them. */
  names: string[]
  /** Why so many may be gone: sentences. */
  why: string[]
  /** Set when a later sync has found the same: since when it is asked. */
  askedAt?: string
  ended?: HeldEnd
}

/** `void`: a newer sync has ended; `deleted`: all users were. Counts are of what was done. */
export type HeldEnd =
  | { how: 'allowed'; by: string; removed: number; disabled: number }
  | { how: 'kept'; by: string }
  | { how: 'void' }
  | { how: 'deleted' }

/** How far something long is; people. */
export interface Progress {
  doing: 'sync' | 'users-deletion' | 'instance-deletion'
  done: number
  /** The last known count; null: unknown. */
  of: number | null
  /** Null: not known yet. */
  perMinute: number | null
}
