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
  | 'run-ended'
  | 'users-deleted'
  | 'instance-deleted'
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
  /** For `held`: the run that asks, how many of how many are missing, and some of their names. */
  held?: { runId: string; count: number; of: number; names: string[] }
  /** What is not reported (a permission an optional listing lacks, rows that could not be read). */
  warnings?: string[]
  /** What saasm does next, for people, made from the configured numbers: `saasm tries again in 24 hours.` */
  next: string
}
