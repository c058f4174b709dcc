// The payloads Slack sends an app: commands, actions, submissions, closings, option loads, events. Plain data, one function each.
import { randomUUID } from 'node:crypto'
import { findElement, slackFields } from './inputs.ts'
import type { Channel, Message } from './messages.ts'
import type { InputValue, ShownUser } from './person.ts'
import type { StoredView } from './views.ts'
import { messagePayload, type Workspace } from './web-api.ts'

/** The old verification token: Slack still sends it, nobody may rely on it. */
const token = 'legacy-token'

/** A view in an answer or payload. */
export function viewPayload(
  workspace: Pick<Workspace, 'team' | 'appId' | 'botId' | 'files'>,
  view: StoredView,
): Record<string, unknown> {
  const modal = view.view.type === 'modal'
  return {
    close: null,
    submit: null,
    private_metadata: '',
    callback_id: '',
    external_id: '',
    clear_on_close: false,
    notify_on_close: false,
    ...view.view,
    id: view.id,
    team_id: workspace.team.id,
    app_id: workspace.appId,
    app_installed_team_id: workspace.team.id,
    bot_id: workspace.botId,
    hash: view.hash,
    state: { values: stateValues(workspace, view) },
    ...(modal ? { root_view_id: view.rootId, previous_view_id: view.previousId } : {}),
  }
}

function stateValues(workspace: Pick<Workspace, 'files'>, view: StoredView) {
  const values: Record<string, Record<string, unknown>> = {}
  for (const [blockId, actions] of Object.entries(view.values)) {
    for (const [actionId, value] of Object.entries(actions)) {
      const element = findElement(view.view, blockId, actionId)
      if (!element) continue
      values[blockId] ??= {}
      values[blockId][actionId] = slackFields(element, value, view.loaded, workspace.files.payload)
    }
  }
  return values
}

function who(workspace: Workspace, user: ShownUser) {
  return {
    team: { id: workspace.team.id, domain: workspace.team.domain },
    user: { id: user.id, username: user.name, name: user.name, team_id: workspace.team.id },
    api_app_id: workspace.appId,
    token,
    enterprise: null,
    is_enterprise_install: false,
  }
}

export function commandPayload(
  workspace: Workspace,
  user: ShownUser,
  from: { channel: Channel; command: string; text: string; responseUrl: string },
): Record<string, string> {
  return {
    token,
    team_id: workspace.team.id,
    team_domain: workspace.team.domain,
    channel_id: from.channel.id,
    channel_name: from.channel.with === null ? from.channel.name : 'directmessage',
    user_id: user.id,
    user_name: user.name,
    command: from.command,
    text: from.text,
    api_app_id: workspace.appId,
    is_enterprise_install: 'false',
    response_url: from.responseUrl,
    trigger_id: workspace.triggers.issue(user.id),
  }
}

/** Where an action was made. */
export type Origin =
  | { kind: 'message'; channel: Channel; message: Message; responseUrl: string }
  | { kind: 'view'; view: StoredView }

export function actionPayload(
  workspace: Workspace,
  user: ShownUser,
  origin: Origin,
  action: {
    blockId: string
    actionId: string
    element: Readonly<Record<string, unknown>>
    value: InputValue
  },
): Record<string, unknown> {
  const { element, value } = action
  const known = origin.kind === 'view' ? origin.view.loaded : new Map<string, never>()
  const button = element.type === 'button'
  const typed = String(element.type).endsWith('_input')
  const fields = button
    ? { type: 'button', text: element.text, ...(element.value === undefined ? {} : { value: element.value }) }
    : slackFields(element, value, known)
  return {
    type: 'block_actions',
    ...who(workspace, user),
    trigger_id: workspace.triggers.issue(user.id),
    ...place(workspace, origin),
    actions: [
      {
        ...fields,
        // A typed input that is blank sends no value at all.
        ...(typed && !value.value ? { value: undefined } : {}),
        action_id: action.actionId,
        block_id: action.blockId,
        action_ts: String(workspace.clock.now().getTime() / 1000),
      },
    ],
  }
}

function place(workspace: Workspace, origin: Origin): Record<string, unknown> {
  if (origin.kind === 'view') {
    return {
      container: { type: 'view', view_id: origin.view.id },
      view: viewPayload(workspace, origin.view),
      state: { values: stateValues(workspace, origin.view) },
    }
  }
  const { channel, message } = origin
  const ephemeral = message.onlyFor !== null
  return {
    container: { type: 'message', message_ts: message.ts, channel_id: channel.id, is_ephemeral: ephemeral },
    channel: { id: channel.id, name: channel.with === null ? channel.name : 'directmessage' },
    // Slack sends no message for an ephemeral one.
    ...(ephemeral ? {} : { message: messagePayload(workspace, message) }),
    state: { values: {} },
    response_url: origin.responseUrl,
  }
}

export function submissionPayload(
  workspace: Workspace,
  user: ShownUser,
  view: StoredView,
): Record<string, unknown> {
  return {
    type: 'view_submission',
    ...who(workspace, user),
    trigger_id: workspace.triggers.issue(user.id),
    view: viewPayload(workspace, view),
    response_urls: [],
  }
}

export function closedPayload(
  workspace: Workspace,
  user: ShownUser,
  view: StoredView,
  cleared: boolean,
): Record<string, unknown> {
  return {
    type: 'view_closed',
    ...who(workspace, user),
    view: viewPayload(workspace, view),
    is_cleared: cleared,
  }
}

export function optionsPayload(
  workspace: Workspace,
  user: ShownUser,
  origin: Origin,
  load: { blockId: string; actionId: string; query: string },
): Record<string, unknown> {
  const { trigger_id: _, ...rest } = {
    trigger_id: null,
    ...who(workspace, user),
    ...place(workspace, origin),
  }
  return {
    type: 'block_suggestion',
    ...rest,
    action_id: load.actionId,
    block_id: load.blockId,
    value: load.query,
  }
}

export function homeOpenedPayload(
  workspace: Workspace,
  user: ShownUser,
  channel: Channel,
  home: StoredView | undefined,
) {
  const seconds = Math.floor(workspace.clock.now().getTime() / 1000)
  return {
    token,
    team_id: workspace.team.id,
    api_app_id: workspace.appId,
    type: 'event_callback',
    event_id: `Ev${randomUUID().replaceAll('-', '').slice(0, 10).toUpperCase()}`,
    event_time: seconds,
    authorizations: [
      {
        enterprise_id: null,
        team_id: workspace.team.id,
        user_id: workspace.botUserId,
        is_bot: true,
        is_enterprise_install: false,
      },
    ],
    is_ext_shared_channel: false,
    event: {
      type: 'app_home_opened',
      user: user.id,
      channel: channel.id,
      tab: 'home',
      event_ts: String(seconds),
      ...(home ? { view: viewPayload(workspace, home) } : {}),
    },
  }
}
