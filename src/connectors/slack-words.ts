// Slack's words that its two connectors share: errors with status 200, and who has which rights.
import type { Account } from './account.ts'
import { at, textAt, wordsIn } from './bodies.ts'
import type { ErrorRule } from './connector.ts'

/** Slack answers errors with status 200. */
export const slackRules: readonly ErrorRule[] = [
  {
    on: '*',
    code: /^(not_authed|invalid_auth|token_revoked|token_expired|account_inactive)$/,
    is: 'credentials',
  },
  { on: '*', code: /^ratelimited$/, is: 'busy' },
  {
    on: '*',
    code: /^missing_scope$/,
    is: 'permission',
    missing: ({ body }) => wordsIn(textAt('needed')(body)) ?? [],
  },
  {
    on: '*',
    code: /^(not_allowed_token_type|access_denied|ekm_access_denied|no_permission|not_an_admin|restricted_action|feature_not_enabled|not_an_enterprise|team_access_not_granted|org_login_required)$/,
    is: 'permission',
  },
  {
    on: '*',
    code: /^(fatal_error|internal_error|service_unavailable|request_timeout|team_added_to_org)$/,
    is: 'broken',
  },
  { on: 200, code: /./, is: 'unreadable' },
]

/** A limit that comes with status 200 has no header. */
export function slackWait({ status, body }: { status: number; body: unknown }): number | undefined {
  return status === 200 && slackCode(body) === 'ratelimited' ? 30 : undefined
}

/** The word of an answer that is not ok. */
export function slackCode(body: unknown): string | undefined {
  return at(body, 'ok') === false ? (textAt('error')(body) ?? 'unknown_error') : undefined
}

/** What both listings of members say of somebody's rights; of the deactivated Slack says none. */
export function rightsOf(
  read: Partial<
    Record<
      'is_admin' | 'is_owner' | 'is_primary_owner' | 'is_restricted' | 'is_ultra_restricted',
      boolean | null | undefined
    >
  >,
): Pick<Account, 'kind' | 'roles' | 'admin'> {
  const role = read.is_primary_owner
    ? 'primary owner'
    : read.is_owner
      ? 'owner'
      : read.is_admin
        ? 'admin'
        : read.is_ultra_restricted
          ? 'single-channel guest'
          : read.is_restricted
            ? 'multi-channel guest'
            : 'member'
  const admin = read.is_admin || read.is_owner || read.is_primary_owner
  return {
    kind: read.is_restricted || read.is_ultra_restricted ? 'guest' : 'human',
    roles: read.is_admin === undefined && role === 'member' ? [] : [role],
    admin: admin || (read.is_admin ?? null),
  }
}
