// The manifest is one that Slack takes, and asks for exactly what the code uses.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { z } from 'zod'

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

/** The bot scope that each Web API method needs, from its reference page; null: none. */
const scopeOf: Record<string, string | null> = {
  'auth.test': null,
  'views.open': null,
  'views.push': null,
  'views.update': null,
  'views.publish': null,
  'chat.postMessage': 'chat:write',
  'chat.update': 'chat:write',
  'chat.postEphemeral': 'chat:write',
  'users.info': 'users:read',
  'users.list': 'users:read',
  'conversations.list': 'channels:read',
  'conversations.history': 'channels:history',
  'usergroups.users.list': 'usergroups:read',
  'files.getUploadURLExternal': 'files:write',
  'files.completeUploadExternal': 'files:write',
}

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
  const called = [
    ...code.matchAll(
      /\b(?:client|web|api)\.((?:auth|views|chat|users|conversations|usergroups|files)(?:\.\w+)+)\(/g,
    ),
  ].map(match => match[1] ?? '')
  expect(called.length).toBeGreaterThan(5)
  const needed = new Set<string>(['commands'])
  for (const method of called) {
    const scope = scopeOf[method]
    expect(scope, `${method} is in the table`).not.toBeUndefined()
    if (scope) needed.add(scope)
  }
  // users.info answers with the address only under this one.
  if (/profile\?*\.email/.test(code)) needed.add('users:read.email')
  expect([...manifest.oauth_config.scopes.bot].sort()).toEqual([...needed].sort())
})

test('the command and the events are those that the code listens to', () => {
  const commands = [...code.matchAll(/^const command = '(\/[\w-]+)'/gm)].map(match => match[1])
  expect([...new Set(commands)]).toEqual(manifest.features.slash_commands.map(one => one.command))
  const listed = /^const events = \[(.*)\]/m.exec(code)?.[1] ?? ''
  const events = [...listed.matchAll(/'(\w+)'/g)].map(match => match[1])
  expect([...new Set(events)].sort()).toEqual([...manifest.settings.event_subscriptions.bot_events].sort())
})
