// Settings: the only reader of process.env. Every variable with its meaning; a bad one stops the start with one line each.
import { z } from 'zod'
import type { Access } from './chat/authorize.ts'
import type { LogLevel } from './lib/log.ts'
import { type RunLimits, runLimits } from './sync/limits.ts'

export interface Settings {
  port: number
  /** Null: no Slack is configured, and saasm starts the sandbox. */
  slack: {
    botToken: string
    signingSecret: string | null
    appToken: string | null
    apiUrl: string | null
  } | null
  channel: string | null
  access: Access
  databaseUrl: string | null
  /** Null: the schema is brought up to date under `databaseUrl`. */
  databaseMigrationUrl: string | null
  mongodbUrl: string | null
  mail: { apiKey: string; baseUrl: string | null; from: string } | null
  /** Null only in the sandbox, which makes and keeps one. */
  secretKeys: Buffer[] | null
  allowPrivateNetwork: boolean
  goneDays: number
  roles: { chat: boolean; work: boolean }
  /** How long what has ended is kept, in days. */
  kept: { historyDays: number; auditDays: number }
  limits: RunLimits
  logLevel: LogLevel
  /** For the fault suite: where this process ends itself. Null: nowhere. */
  crashAt: string | null
}

const url = (protocols: string[], example: string) =>
  z.string().refine(text => URL.canParse(text) && protocols.includes(new URL(text).protocol), {
    message: `is not an address like ${example}`,
  })

const holders = z
  .string()
  .default('')
  .transform(text => text.split(/[\s,]+/).filter(Boolean))
  .refine(
    ids => ids.every(id => /^[UWS][A-Z0-9]{2,}$/.test(id)),
    'lists something that is neither a Slack user id (U0123ABCD) nor a user group’s (S0123ABCD); copy ids from a profile’s menu',
  )

const days = (standard: number, least: number) =>
  z.coerce
    .number('is not a number of days')
    .int('is not a whole number of days')
    .min(least, `is less than ${least} days`)
    .max(36_500, 'is more than a hundred years')
    .default(standard)
const countUpTo = (max: number) =>
  z.coerce
    .number('is not a number')
    .int('is not a whole number')
    .min(1, 'is less than 1')
    .max(max, `is more than ${max}`)

/** One entry a variable: how it is read, and what to say of a bad one. */
const variables = z.object({
  PORT: z.coerce
    .number('is not a number')
    .int('is not a whole number')
    .min(0)
    .max(65_535, 'is not a port (0 to 65535)')
    .default(3000),
  SLACK_BOT_TOKEN: z
    .string()
    .startsWith('xoxb-', 'does not start with xoxb-; copy it from OAuth & Permissions in your Slack app')
    .optional(),
  SLACK_SIGNING_SECRET: z
    .string()
    .min(8, 'is too short; copy it from Basic Information in your Slack app')
    .optional(),
  SLACK_APP_TOKEN: z
    .string()
    .startsWith(
      'xapp-',
      'does not start with xapp-; make an app-level token with connections:write in Basic Information',
    )
    .optional(),
  SLACK_API_URL: url(['http:', 'https:'], 'https://slack.com/api/').optional(),
  SAASM_CHANNEL: z.string().max(255).optional(),
  SAASM_ADMINS: holders,
  SAASM_OPERATORS: holders,
  SAASM_VIEWERS: holders,
  SAASM_OWNERS_MANAGE: z.enum(['true', 'false'], 'is neither true nor false').default('true'),
  DATABASE_URL: url(['postgres:', 'postgresql:'], 'postgres://user:password@host:5432/saasm').optional(),
  DATABASE_MIGRATION_URL: url(
    ['postgres:', 'postgresql:'],
    'postgres://owner:password@host:5432/saasm',
  ).optional(),
  MONGODB_URI: url(['mongodb:', 'mongodb+srv:'], 'mongodb://host:27017/saasm').optional(),
  RESEND_API_KEY: z
    .string()
    .startsWith('re_', 'does not start with re_; make one under API Keys in Resend')
    .optional(),
  RESEND_BASE_URL: url(['http:', 'https:'], 'https://api.resend.com').optional(),
  SAASM_EMAIL_FROM: z
    .string()
    .regex(
      /^([^<>\r\n]+<[^@\s<>]+@[^@\s<>]+>|[^@\s<>]+@[^@\s<>]+)$/,
      'is not an address like saasm <saasm@example.com>; its domain must be verified in Resend',
    )
    .optional(),
  SAASM_SECRET_KEY: z
    .string()
    .transform(text => text.split(',').map(key => Buffer.from(key.trim(), 'base64')))
    .refine(
      keys => keys.every(key => key.length === 32),
      'is not 32 bytes in base64; make one with: openssl rand -base64 32',
    )
    .optional(),
  SAASM_ALLOW_PRIVATE_NETWORK: z.enum(['true', 'false'], 'is neither true nor false').default('false'),
  SAASM_GONE_DAYS: z.coerce
    .number('is not a number')
    .int('is not a whole number')
    .min(1, 'is less than a day')
    .max(3_650, 'is more than ten years (3650)')
    .default(30),
  SAASM_ROLES: z
    .string()
    .default('chat,work')
    .transform(text => text.split(',').map(role => role.trim()))
    .refine(
      roles => roles.length > 0 && roles.every(role => role === 'chat' || role === 'work'),
      'lists something else than chat and work',
    ),
  SAASM_HISTORY_DAYS: days(365, 7),
  SAASM_AUDIT_DAYS: days(730, 30),
  SAASM_RUNS_AT_ONCE: countUpTo(50).default(runLimits.runsAtOnce),
  SAASM_HOST_RUNS_AT_ONCE: countUpTo(50).default(runLimits.hostRunsAtOnce),
  SAASM_HOST_STARTS_PER_SECOND: countUpTo(1_000).default(runLimits.hostStartsPerSecond),
  LOG_LEVEL: z
    .enum(['debug', 'info', 'warn', 'error', 'silent'], 'is none of debug, info, warn, error, silent')
    .default('info'),
  SAASM_CRASH_AT: z.string().optional(),
})

export type ReadSettings = { ok: true; settings: Settings } | { ok: false; problems: string[] }

/** Read the settings from an environment. Problems are one line a variable: its name, what is wrong, where to get it. */
export function readSettings(environment: Record<string, string | undefined>): ReadSettings {
  // A file of a secret ends with a line end, which would make of it another secret.
  const trimmed = Object.entries(environment).map(([name, value]) => [name, value?.trim()] as const)
  const given: Record<string, string | undefined> = Object.fromEntries(trimmed.filter(([, value]) => value))
  const quoted = Object.keys(variables.shape).filter(name => /^(["']).*\1$/s.test(given[name] ?? ''))
  if (quoted.length > 0) {
    const problems = quoted.map(name => `${name} is in quotation marks: take them off.`)
    return { ok: false, problems }
  }
  const read = variables.safeParse(given)
  if (!read.success) {
    const problems = read.error.issues.map(issue => `${String(issue.path[0])} ${issue.message}.`)
    return { ok: false, problems: [...new Set(problems)] }
  }
  const env = read.data
  const problems = missing(env, given)
  if (problems.length > 0) return { ok: false, problems }
  return {
    ok: true,
    settings: {
      port: env.PORT,
      slack: env.SLACK_BOT_TOKEN
        ? {
            botToken: env.SLACK_BOT_TOKEN,
            signingSecret: env.SLACK_SIGNING_SECRET ?? null,
            appToken: env.SLACK_APP_TOKEN ?? null,
            apiUrl: env.SLACK_API_URL ?? null,
          }
        : null,
      channel: env.SAASM_CHANNEL ?? null,
      access: {
        admins: env.SAASM_ADMINS,
        operators: env.SAASM_OPERATORS,
        viewers: env.SAASM_VIEWERS,
        ownersManage: env.SAASM_OWNERS_MANAGE === 'true',
      },
      databaseUrl: env.DATABASE_URL ?? null,
      databaseMigrationUrl: env.DATABASE_MIGRATION_URL ?? null,
      mongodbUrl: env.MONGODB_URI ?? null,
      mail:
        env.RESEND_API_KEY && env.SAASM_EMAIL_FROM
          ? { apiKey: env.RESEND_API_KEY, baseUrl: env.RESEND_BASE_URL ?? null, from: env.SAASM_EMAIL_FROM }
          : null,
      secretKeys: env.SAASM_SECRET_KEY ?? null,
      allowPrivateNetwork: env.SAASM_ALLOW_PRIVATE_NETWORK === 'true',
      goneDays: env.SAASM_GONE_DAYS,
      roles: { chat: env.SAASM_ROLES.includes('chat'), work: env.SAASM_ROLES.includes('work') },
      kept: { historyDays: env.SAASM_HISTORY_DAYS, auditDays: env.SAASM_AUDIT_DAYS },
      limits: {
        runsAtOnce: env.SAASM_RUNS_AT_ONCE,
        hostRunsAtOnce: env.SAASM_HOST_RUNS_AT_ONCE,
        hostStartsPerSecond: env.SAASM_HOST_STARTS_PER_SECOND,
      },
      logLevel: env.LOG_LEVEL,
      crashAt: env.SAASM_CRASH_AT ?? null,
    },
  }
}

/** What is missing although something else that is set (or production) calls for it. */
function missing(env: z.output<typeof variables>, given: Record<string, string | undefined>): string[] {
  const problems: string[] = []
  const need = (name: string, why: string) => {
    if (!given[name]) problems.push(`${name} is missing: ${why}.`)
  }
  const production = given.NODE_ENV === 'production'
  const slackGiven = ['SLACK_BOT_TOKEN', 'SLACK_SIGNING_SECRET', 'SLACK_APP_TOKEN'].some(name => given[name])
  if (production || slackGiven) {
    need('SLACK_BOT_TOKEN', 'install the app to your workspace and copy it from OAuth & Permissions')
    if (!env.SLACK_APP_TOKEN) {
      need(
        'SLACK_SIGNING_SECRET',
        'copy it from Basic Information in your Slack app, or set SLACK_APP_TOKEN for Socket Mode',
      )
    }
    need('SAASM_SECRET_KEY', 'it seals credentials; make one with: openssl rand -base64 32')
  }
  if (production)
    need('DATABASE_URL', 'the address of your Postgres, such as postgres://user:password@host:5432/saasm')
  if (env.RESEND_API_KEY)
    need('SAASM_EMAIL_FROM', 'the sender of e-mails, from a domain that is verified in Resend')
  if (env.SAASM_AUDIT_DAYS < env.SAASM_HISTORY_DAYS)
    problems.push(
      'SAASM_AUDIT_DAYS is less than SAASM_HISTORY_DAYS: each telling keeps the change it tells of.',
    )
  if (production && env.SAASM_CRASH_AT) problems.push('SAASM_CRASH_AT is for the fault suite: take it out.')
  if (production) need('RESEND_API_KEY', 'make one under API Keys in Resend')
  return problems
}
