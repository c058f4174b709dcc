// The client: posts to Slack and reads people, with no retry of its own, 10 s a call, and every error told apart.
import { type ErrorCode, WebClient, type WebClientOptions } from '@slack/web-api'
import type { Clock } from '../lib/clock.ts'
import type { Log } from '../lib/log.ts'
import { download } from './download.ts'
import { type SlackClient, SlackFailure, type SlackPerson } from './post.ts'
import { sdkLog } from './sdk-log.ts'

export interface SlackClientOptions {
  botToken: string
  /** Null: Slack's own. */
  apiUrl: string | null
  clock: Clock
  log: Log
}

/** The event type in the metadata of our messages. */
const eventType = 'saasm_notice'
export const callTimeoutMs = 10_000
/** A file of some megabytes over a slow line. */
const uploadTimeoutMs = 60_000
const personCacheMs = 60_000
const peoplePagesMax = 50
const adminsMax = 200
const historyPagesMax = 5

/** How every Web API client here is set: the SDK's ten retries over half an hour could post twice. */
export function webOptions(apiUrl: string | null, log: Log): WebClientOptions {
  return {
    logger: sdkLog(log),
    retryConfig: { retries: 0 },
    timeout: callTimeoutMs,
    rejectRateLimitedCalls: true,
    ...(apiUrl ? { slackApiUrl: apiUrl } : {}),
  }
}

export function createSlackClient(options: SlackClientOptions): SlackClient {
  const { clock, log } = options
  const web = new WebClient(options.botToken, webOptions(options.apiUrl, log))
  const people = new Map<string, { person: SlackPerson | undefined; until: number }>()
  let admins: { people: SlackPerson[]; until: number } | undefined
  const groups = new Map<string, { members: ReadonlySet<string>; until: number }>()
  let team: string | undefined
  let readyUntil = 0
  let notReady: string | undefined

  async function told<T>(call: Promise<T>): Promise<T> {
    try {
      return await call
    } catch (error) {
      throw failureOf(error)
    }
  }

  async function channelId(where: string): Promise<string | undefined> {
    if (/^[CDG][A-Z0-9]{2,}$/.test(where)) return where
    const name = where.replace(/^#/, '')
    let cursor: string | undefined
    for (let page = 0; page < peoplePagesMax; page += 1) {
      const answer = await told(
        web.conversations.list({ limit: 1000, exclude_archived: true, ...(cursor ? { cursor } : {}) }),
      )
      const found = answer.channels?.find(channel => channel.name === name)
      cursor = answer.response_metadata?.next_cursor || undefined
      if (found?.id || !cursor) return found?.id
    }
    return undefined
  }

  return {
    async post({ to, text, blocks, key, threadTs }) {
      const answer = await told(
        web.chat.postMessage({
          channel: to,
          text,
          blocks,
          unfurl_links: false,
          unfurl_media: false,
          metadata: { event_type: eventType, event_payload: { key } },
          ...(threadTs ? { thread_ts: threadTs } : {}),
        }),
      )
      return { channel: String(answer.channel), ts: String(answer.ts) }
    },
    async update({ channel, ts, text, blocks }) {
      await told(web.chat.update({ channel, ts, text, blocks }))
    },
    async upload({ channel, threadTs, filename, title, bytes }) {
      const where = await told(web.files.getUploadURLExternal({ filename, length: bytes.length }))
      const { upload_url: address, file_id: id } = where
      if (!address || !id) throw new SlackFailure('ambiguous', 'no_upload_url')
      const stored = await fetch(address, {
        method: 'POST',
        headers: { 'content-type': 'application/octet-stream' },
        body: bytes,
        redirect: 'error',
        signal: AbortSignal.timeout(uploadTimeoutMs),
      }).catch(() => undefined)
      await stored?.body?.cancel()
      if (!stored?.ok) throw new SlackFailure('ambiguous', stored ? `http_${stored.status}` : 'network')
      const files: [{ id: string; title: string }] = [{ id, title }]
      await told(web.files.completeUploadExternal({ files, channel_id: channel, thread_ts: threadTs }))
    },
    async find({ to, key, since, threadTs }) {
      // A direct message cannot be looked up without im:history: it may be told again rather than not at all.
      const channel = /^[UW]/.test(to) ? undefined : await channelId(to)
      if (!channel) return undefined
      let cursor: string | undefined
      for (let page = 0; page < historyPagesMax; page += 1) {
        const asked = {
          channel,
          oldest: String(since.getTime() / 1000),
          include_all_metadata: true,
          limit: 100,
          ...(cursor ? { cursor } : {}),
        }
        // A history has no replies.
        const answer = await told(
          threadTs ? web.conversations.replies({ ...asked, ts: threadTs }) : web.conversations.history(asked),
        )
        const found = answer.messages?.find(
          message => (message.metadata?.event_payload as { key?: string } | undefined)?.key === key,
        )
        if (found?.ts) return { channel, ts: found.ts }
        cursor = answer.response_metadata?.next_cursor || undefined
        if (!cursor) break
      }
      return undefined
    },
    async person(userId) {
      const now = clock.now().getTime()
      const cached = people.get(userId)
      if (cached && cached.until > now) return cached.person
      const person = await told(web.users.info({ user: userId })).then(
        answer => personOf(answer.user as SlackUser | undefined),
        (error: SlackFailure) => {
          if (error.code === 'user_not_found' || error.code === 'user_not_visible') return undefined
          throw error
        },
      )
      if (people.size > 10_000) people.clear()
      people.set(userId, { person, until: now + personCacheMs })
      return person
    },
    async workspaceAdmins() {
      const now = clock.now().getTime()
      if (admins && admins.until > now) return admins.people
      const found: SlackPerson[] = []
      let cursor: string | undefined
      for (let page = 0; page < peoplePagesMax && found.length < adminsMax; page += 1) {
        const answer = await told(web.users.list({ limit: 200, ...(cursor ? { cursor } : {}) }))
        for (const member of answer.members ?? []) {
          const person = personOf(member as SlackUser)
          if (person && isPerson(person) && (person.admin || person.owner)) found.push(person)
        }
        cursor = answer.response_metadata?.next_cursor || undefined
        if (!cursor) break
      }
      admins = { people: found.slice(0, adminsMax), until: now + personCacheMs }
      return admins.people
    },
    async groupMembers(groupId) {
      const now = clock.now().getTime()
      const cached = groups.get(groupId)
      if (cached && cached.until > now) return cached.members
      const members = await told(web.usergroups.users.list({ usergroup: groupId })).then(
        answer => new Set(answer.users ?? []),
        (error: SlackFailure) => {
          if (error.code !== 'no_such_subteam') throw error
          log.warn({ groupId }, 'A user group that saasm is set to ask about is not in this workspace')
          return new Set<string>()
        },
      )
      groups.set(groupId, { members, until: now + personCacheMs })
      return members
    },
    async download(file, maxBytes) {
      if (file.size > maxBytes) throw new SlackFailure('permanent', 'file_too_large')
      return download(options, file.url, maxBytes)
    },
    async teamId() {
      team ??= (await told(web.auth.test())).team_id
      if (!team) throw new SlackFailure('ambiguous', 'no_team')
      return team
    },
    async ready() {
      const now = Date.now()
      if (readyUntil > now) return true
      const why = await told(web.auth.test()).then(
        () => undefined,
        (error: SlackFailure) => error.code,
      )
      if (why && why !== notReady)
        log.warn({ code: why }, 'Slack does not answer, or does not take SLACK_BOT_TOKEN')
      notReady = why
      if (!why) readyUntil = now + 10_000
      return !why
    },
  }
}

function isPerson(person: SlackPerson): boolean {
  return !person.bot && !person.deleted && !person.guest && person.id !== 'USLACKBOT'
}

/** The fields of `users.info` that we read. */
interface SlackUser {
  id?: string
  team_id?: string
  real_name?: string
  name?: string
  tz?: string
  deleted?: boolean
  is_admin?: boolean
  is_owner?: boolean
  is_primary_owner?: boolean
  is_restricted?: boolean
  is_ultra_restricted?: boolean
  is_bot?: boolean
  is_stranger?: boolean
  profile?: { email?: string }
}

function personOf(user: SlackUser | undefined): SlackPerson | undefined {
  if (!user?.id) return undefined
  return {
    id: user.id,
    teamId: user.team_id ?? '',
    name: user.real_name || user.name || user.id,
    email: user.profile?.email ?? null,
    timeZone: user.tz ?? null,
    admin: user.is_admin === true,
    owner: user.is_owner === true || user.is_primary_owner === true,
    guest: user.is_restricted === true || user.is_ultra_restricted === true,
    bot: user.is_bot === true,
    deleted: user.deleted === true,
    stranger: user.is_stranger === true,
  }
}

/** What a thrown SDK error means. Only 429 and `ok: false` are definite: everything else may have been stored. */
export function failureOf(error: unknown): SlackFailure {
  const thrown = error as {
    code?: `${ErrorCode}`
    data?: { error?: string }
    retryAfter?: number
    statusCode?: number
  }
  if (thrown.code === 'slack_webapi_rate_limited_error') {
    return new SlackFailure('rate-limited', 'ratelimited', (thrown.retryAfter ?? 1) * 1000)
  }
  if (thrown.code === 'slack_webapi_platform_error') {
    const code = thrown.data?.error ?? 'unknown'
    if (code === 'ratelimited' || code === 'rate_limited')
      return new SlackFailure('rate-limited', code, 30_000)
    const unsure = [
      'internal_error',
      'fatal_error',
      'service_unavailable',
      'request_timeout',
      'team_added_to_org',
    ]
    return new SlackFailure(unsure.includes(code) ? 'ambiguous' : 'permanent', code)
  }
  if (thrown.code === 'slack_webapi_http_error')
    return new SlackFailure('ambiguous', `http_${thrown.statusCode ?? 0}`)
  return new SlackFailure('ambiguous', 'network')
}
