// Every announcement, whatever people and vendors wrote into it, is a valid Slack message and a safe mail.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Announcement, AnnouncementKind, HeldNews } from '../../src/announce/announcement.ts'
import { bundleMessage, channelMessage } from '../../src/announce/channel.ts'
import { renderMail } from '../../src/announce/email.tsx'
import { checkMessageBlocks } from '../../src/sandbox/slack/blocks.ts'

const kinds: AnnouncementKind[] = [
  'initial-succeeded',
  'initial-failed',
  'failed',
  'cause-changed',
  'recovered',
  'revoked',
  'inactivated',
  'reactivated',
  'held',
  'held-ended',
  'progress',
  'run-ended',
  'users-deleted',
  'instance-deleted',
  'removal-stuck',
  'undelivered',
]
const id = '0b9d6c1e-6a43-4b0c-9c55-0a3d0c1f2e3d'

const held: HeldNews = {
  runId: id,
  gone: 90,
  disabled: 10,
  of: 450,
  names: ['Ada Berg'],
  why: ['A permission or a filter may hide them.'],
}

function told(kind: AnnouncementKind, more: Partial<Announcement> = {}): Announcement {
  const failing = [
    'initial-failed',
    'failed',
    'cause-changed',
    'revoked',
    'removal-stuck',
    'undelivered',
  ].includes(kind)
  return {
    kind,
    instanceId: id,
    instanceName: 'okta-prod',
    app: 'Okta',
    at: '2026-11-24T10:00:00.000Z',
    actor: 'U0ADA',
    lastSuccessAt: '2026-11-22T10:00:00.000Z',
    users: 450,
    counts: { added: 1, changed: 2, removed: 3, unchanged: 4 },
    removed: 450,
    next: 'saasm tries again in 24 hours.',
    ...(failing
      ? { failure: { code: 'broken', message: 'Okta does not answer.', missing: [], reference: 'E2345678' } }
      : {}),
    ...(kind === 'held' ? { held } : {}),
    ...(kind === 'held-ended' ? { held: { ...held, ended: { how: 'kept', by: 'U0ADA' } } } : {}),
    ...(kind === 'progress' ? { progress: { doing: 'sync', done: 12_400, of: 50_000, perMinute: 900 } } : {}),
    ...more,
  }
}

describe.each(kinds)('%s', kind => {
  test('is a valid message with a meaningful text, and a mail with both parts', async () => {
    const message = channelMessage(told(kind))
    expect(checkMessageBlocks(message.blocks)).toEqual([])
    expect(message.text.length).toBeGreaterThan(10)
    const mail = await renderMail(told(kind))
    expect(mail.subject.length).toBeGreaterThan(10)
    expect(mail.html).toContain('</html>')
    expect(mail.text).toContain(told(kind).next)
    if (kind !== 'undelivered') expect(`${mail.subject} ${mail.text}`).toContain('okta-prod')
  })
})

const buttonsOf = (announcement: Announcement) =>
  [...JSON.stringify(channelMessage(announcement).blocks).matchAll(/"action_id":"([a-z-]+)"/g)].map(
    ([, actionId]) => actionId,
  )
const stopped = { stopped: true } as const
const failure = { code: 'credentials', message: 'Refused.', missing: [], reference: 'E2345678' }

test.each<[AnnouncementKind, Partial<Announcement>, string[]]>([
  ['run-ended', stopped, ['sync-now', 'manage', 'history']],
  ['run-ended', { ...stopped, notLive: true }, ['manage', 'history']],
  ['run-ended', { failure }, ['fix', 'sync-now', 'history']],
  ['run-ended', { failure, notLive: true }, ['fix', 'history']],
  ['users-deleted', {}, ['sync-now', 'manage', 'history']],
  ['users-deleted', { notLive: true }, ['manage', 'history']],
  ['failed', {}, ['fix', 'sync-now', 'history']],
  ['revoked', {}, ['fix', 'history']],
  ['inactivated', {}, ['manage', 'history']],
  ['reactivated', {}, ['sync-now', 'manage', 'history']],
])('%s with %o offers Sync now only where it would not be refused', (kind, more, offered) => {
  expect(buttonsOf(told(kind, more))).toEqual(offered)
})

test('who set an instance Live or Inactive is said so', () => {
  const said = (kind: AnnouncementKind) => JSON.stringify(channelMessage(told(kind)).blocks)
  expect(said('reactivated')).toContain('*okta-prod is Live*, set by <@U0ADA>')
  expect(said('inactivated')).toContain('*okta-prod is now Inactive*, set by <@U0ADA>')
  expect(said('users-deleted')).toContain('*okta-prod: all users deleted* by <@U0ADA>')
})

// Long, many-coloured, turned around, with control characters, and with what Slack and HTML would take for their own.
const wild = fc.oneof(
  fc.string({ unit: 'grapheme', minLength: 1, maxLength: 80 }),
  fc.constantFrom(
    '<!channel>',
    '<@U0ADA>',
    '*bold*',
    '`code`',
    '<script>alert(1)</script>',
    'a\r\nBcc: x@y.z',
    '\u202Eevil',
    '\u0000',
    '😀'.repeat(3_000),
    '&amp;<>',
  ),
)

/** All text in which Slack looks for mentions and links. */
function marked(node: unknown): string {
  if (Array.isArray(node)) return node.map(marked).join('\n')
  if (typeof node !== 'object' || node === null) return ''
  const { type, text, ...rest } = node as Record<string, unknown>
  const own = type === 'mrkdwn' && typeof text === 'string' ? text : marked(text)
  return `${own}\n${Object.values(rest).map(marked).join('\n')}`
}

test('whatever is in a name or a message, the blocks are valid, nothing mentions anybody, no header is broken, no script gets in', async () => {
  await fc.assert(
    fc.asyncProperty(wild, wild, fc.constantFrom(...kinds), async (name, message, kind) => {
      const failure = { code: 'broken', message, missing: [name], reference: 'E2345678' }
      const news = told(kind).held
      const said = news
        ? { held: { ...news, names: Array.from({ length: 20 }, () => name), why: [message] } }
        : {}
      const announcement = told(kind, { instanceName: name, failure, warnings: [message], ...said })
      for (const shown of [
        channelMessage(announcement),
        channelMessage(announcement, { resolved: true, failureBefore: announcement }),
        bundleMessage([announcement, announcement]),
      ]) {
        expect(
          checkMessageBlocks(shown.blocks.map((block, at) => ({ ...block, block_id: `b${at}` }))),
        ).toEqual([])
        expect(marked(shown.blocks).replaceAll('<@U0ADA>', '')).not.toMatch(/<[!@#](?!date)/)
        expect(shown.text).not.toMatch(/<[!@]/)
      }
      const mail = await renderMail(announcement)
      expect(mail.subject).not.toMatch(/[\r\n\0\u202E]/)
      expect(mail.html).not.toContain('<script')
    }),
    { numRuns: 120 },
  )
})

test('twenty long names that must be escaped leave room for why so many may be gone', () => {
  const names = Array.from({ length: 20 }, () => '&'.repeat(60))
  const why = ['The token may have lost a scope.', 'The last of the reasons.']
  const shown = channelMessage(told('held', { held: { ...held, names, why } }))
  expect(marked(shown.blocks)).toMatch(/The token may have lost a scope\. The last of the reasons\./)
})
