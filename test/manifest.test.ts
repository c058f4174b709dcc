// The manifest is one that Slack takes, and asks for exactly what the code uses.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { z } from 'zod'
import { calledMethods, callsIn, scopeOf } from './support/web-api-calls.ts'

// Slack's manifest reference: lengths, required keys, and no key that it does not know.
const manifestSchema = z.strictObject({
  display_information: z.strictObject({
    name: z.string().max(35),
    description: z.string().max(140),
    long_description: z.string().min(175).max(4000),
    background_color: z.string().regex(/^#[0-9a-f]{6}$/),
  }),
  features: z.strictObject({
    app_home: z.strictObject({
      home_tab_enabled: z.literal(true),
      messages_tab_enabled: z.boolean(),
      messages_tab_read_only_enabled: z.boolean(),
    }),
    bot_user: z.strictObject({ display_name: z.string().max(80), always_online: z.boolean() }),
    slash_commands: z
      .array(
        z.strictObject({
          command: z.string().regex(/^\//).min(2).max(32),
          description: z.string().max(2000),
          usage_hint: z.string().max(1000),
          url: z.url(),
          should_escape: z.boolean(),
        }),
      )
      .max(50),
  }),
  oauth_config: z.strictObject({ scopes: z.strictObject({ bot: z.array(z.string()).max(255) }) }),
  settings: z.strictObject({
    event_subscriptions: z.strictObject({ request_url: z.url(), bot_events: z.array(z.string()).max(100) }),
    interactivity: z.strictObject({
      is_enabled: z.literal(true),
      request_url: z.url(),
      message_menu_options_url: z.url(),
    }),
    org_deploy_enabled: z.boolean(),
    socket_mode_enabled: z.boolean(),
    token_rotation_enabled: z.boolean(),
  }),
})

const manifest = parse(readFileSync('manifest.yml', 'utf8')) as z.infer<typeof manifestSchema>
const sources = ['slack', 'chat'].flatMap(room =>
  readdirSync(join('src', room)).map(name => readFileSync(join('src', room, name), 'utf8')),
)
const code = sources.join('\n')

test('Slack takes the manifest', () => {
  expect(manifestSchema.safeParse(manifest).error?.issues ?? []).toEqual([])
  expect(manifestSchema.safeParse({ ...manifest, extra: 1 }).success, 'an unknown key is refused').toBe(false)
})

test('every Web API method that is called has its scope, and every scope has a caller', () => {
  const called = [...calledMethods()]
  expect(called.length).toBeGreaterThan(10)
  const needed = new Set<string>(['commands'])
  for (const method of called) {
    const scope = scopeOf(method)
    expect(scope, `${method} is in the stand-in’s table`).not.toBeUndefined()
    if (scope) needed.add(scope)
  }
  // users.info answers with the address only under this one.
  if (/profile\?*\.email/.test(code)) needed.add('users:read.email')
  // A file input is drawn and its file downloaded only under this one.
  if (/url_private_download/.test(code)) needed.add('files:read')
  expect([...manifest.oauth_config.scopes.bot].sort()).toEqual([...needed].sort())
})

test.each([
  ["await web.conversations.open({ users: 'U1' })", ['conversations.open']],
  ["this.client\n  .files\n  .info({ file: 'F1' })", ['files.info']],
  ['slack.web?.reactions.add({})', ['reactions.add']],
  ["told(web.apiCall('pins.add', {}))", ['pins.add']],
  ["web.paginate('users.conversations')", ['users.conversations']],
  ['web.filesUploadV2({})', ['files.getUploadURLExternal', 'files.completeUploadExternal']],
])('a call such as %s is seen', (text, methods) => {
  expect(callsIn(text)).toEqual(methods)
})

test('a method that only the run knows is refused', () => {
  expect(() => callsIn('web.apiCall(name, {})')).toThrow(/only the run knows/)
})

test('SECURITY.md gives a reason for each scope, and for no other', () => {
  const security = readFileSync('SECURITY.md', 'utf8')
  const rows = [...security.matchAll(/^\| `([a-z.:]+)` \| (.{8,}) \|$/gm)].map(match => match[1])
  expect(rows.sort()).toEqual([...manifest.oauth_config.scopes.bot].sort())
})

test('the command and the events are those that the code listens to', () => {
  const commands = [...code.matchAll(/^const command = '(\/[\w-]+)'/gm)].map(match => match[1])
  expect([...new Set(commands)]).toEqual(manifest.features.slash_commands.map(one => one.command))
  const listed = /^const events = \[(.*)\]/m.exec(code)?.[1] ?? ''
  const events = [...listed.matchAll(/'(\w+)'/g)].map(match => match[1])
  expect([...new Set(events)].sort()).toEqual([...manifest.settings.event_subscriptions.bot_events].sort())
})
