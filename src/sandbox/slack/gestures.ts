// One person using the workspace: turns each doing into a delivery, and the app's acknowledgement into what the person sees.

import type { Acknowledgement, Deliveries, DeliveryKind } from './deliveries.ts'
import { optionGroups, optionList } from './elements.ts'
import { sendEvent } from './events.ts'
import { clientErrors, findElement, optionsOf } from './inputs.ts'
import * as payloads from './payloads.ts'
import type {
  Block,
  Delivery,
  InputValue,
  Person,
  PersonState,
  Place,
  ShownOption,
  ShownUser,
} from './person.ts'
import { Refusal } from './refusal.ts'
import type { Responses } from './responses.ts'
import type { StoredView } from './views.ts'
import type { Workspace } from './web-api.ts'

export interface PeopleParts {
  workspace: Workspace
  deliveries: Deliveries
  responses: Responses
  changed: () => void
  /** Aborted when the workspace is closed. */
  stopped: AbortSignal
}

export interface PersonMemory {
  waiting: PersonState['waiting'][number][]
  lastFailure: string | null
}

const trouble = 'We had some trouble connecting. Try again?'

/** The hands of one person; `state` is stand-in.ts's. */
export function createHands(
  user: ShownUser,
  memory: PersonMemory,
  parts: PeopleParts,
): Omit<Person, 'state'> {
  const { workspace, deliveries, responses, changed, stopped } = parts
  const { views, messages } = workspace

  async function deliver(
    kind: DeliveryKind,
    payload: Record<string, unknown>,
    waits: PersonState['waiting'][number],
    headers?: Record<string, string>,
  ): Promise<Acknowledgement> {
    memory.waiting.push(waits)
    memory.lastFailure = null
    changed()
    const ack = await deliveries.send(kind, payload, headers)
    memory.waiting.splice(memory.waiting.indexOf(waits), 1)
    changed()
    return ack
  }

  function failed(failure: string): Delivery {
    memory.lastFailure = failure
    changed()
    return { ok: false, failure }
  }

  function openView(viewId: string): StoredView {
    const view = views.stackOf(user.id).find(one => one.id === viewId)
    if (!view) throw new Error(`${user.realName} has no view ${viewId} open`)
    return view
  }

  function channelOf(id: string) {
    const channel = messages.channels.find(one => one.id === id && one.members.has(user.id))
    if (!channel) throw new Error(`${user.realName} is in no channel ${id}`)
    return channel
  }

  function originOf(place: Place): { origin: payloads.Origin; within: Block } {
    if ('channelId' in place) {
      const channel = channelOf(place.channelId)
      const message = channel.messages.find(
        one => one.ts === place.ts && (one.onlyFor ?? user.id) === user.id,
      )
      if (!message) throw new Error(`There is no message ${place.ts}`)
      const responseUrl = responses.issue({ userId: user.id, channelId: channel.id, ts: message.ts })
      return {
        origin: { kind: 'message', channel, message, responseUrl },
        within: { blocks: message.blocks },
      }
    }
    const view = 'viewId' in place ? openView(place.viewId) : views.homeOf(user.id)
    if (!view) throw new Error(`${user.realName}'s Home is empty`)
    return { origin: { kind: 'view', view }, within: view.view }
  }

  function put(view: StoredView, blockId: string, actionId: string, value: InputValue): void {
    view.values[blockId] ??= {}
    view.values[blockId][actionId] = value
    delete view.errors[blockId]
    changed()
  }

  /** Do what the acknowledgement of a submission says; throws Refusal when it says something Slack would not do. */
  function answerSubmission(view: StoredView, body: unknown): void {
    const answer = (body === '' ? {} : (body ?? {})) as {
      response_action?: unknown
      view?: unknown
      errors?: unknown
    }
    if (typeof answer !== 'object') throw new Refusal('invalid_ack_body')
    if (Object.keys(answer).length === 0) views.close(user.id, false)
    else if (answer.response_action === 'clear') views.close(user.id, true)
    else if (answer.response_action === 'update') views.update({ viewId: view.id }, answer.view)
    else if (answer.response_action === 'push') views.push(user.id, answer.view)
    else if (answer.response_action === 'errors') showErrors(view, answer.errors)
    else throw new Refusal('invalid_response_action')
  }

  function showErrors(view: StoredView, errors: unknown): void {
    const inputs = new Set(
      (view.view.blocks as Block[]).filter(block => block.type === 'input').map(block => block.block_id),
    )
    const entries = Object.entries((errors ?? {}) as Record<string, unknown>)
    const good =
      entries.length > 0 &&
      entries.every(([blockId, text]) => inputs.has(blockId) && typeof text === 'string' && text !== '')
    if (!good) throw new Refusal('invalid_errors')
    view.errors = Object.fromEntries(entries) as Record<string, string>
    changed()
  }

  return {
    userId: user.id,
    async command(channelId, line) {
      const channel = channelOf(channelId)
      const slash = /^(\/[a-z0-9_-]+)(?:\s+([\s\S]*))?$/.exec(line)
      if (!slash) {
        messages.post(channel, user.id, { text: line })
        return { ok: true }
      }
      const command = slash[1] ?? ''
      if (command !== '/saasm') return failed(`${command} is not a valid command.`)
      const from = { userId: user.id, channelId, ts: null }
      const payload = payloads.commandPayload(workspace, user, {
        channel,
        command,
        text: slash[2] ?? '',
        responseUrl: responses.issue(from),
      })
      const ack = await deliver('slash_commands', payload, { kind: 'command', viewId: null, actionId: null })
      if (!ack.ok) return failed(`${command} failed with the error “${ack.reason}”`)
      try {
        if (!isBlank(ack.body)) responses.answer(from, ack.body)
      } catch {
        return failed(`${command} failed with the error “dispatch_failed”`)
      }
      return { ok: true }
    },
    async act(place, action) {
      const { origin, within } = originOf(place)
      const element = findElement(within, action.blockId, action.actionId)
      if (!element) throw new Error(`There is no ${action.actionId} in ${action.blockId}`)
      const value = action.value ?? {}
      checkChoice(element, value, origin.kind === 'view' ? origin.view.loaded : new Map())
      if (origin.kind === 'view' && element.type !== 'button')
        put(origin.view, action.blockId, action.actionId, value)
      const payload = payloads.actionPayload(workspace, user, origin, { ...action, element, value })
      const viewId = origin.kind === 'view' ? origin.view.id : null
      const ack = await deliver('interactive', payload, { kind: 'action', viewId, actionId: action.actionId })
      return ack.ok ? { ok: true } : failed(trouble)
    },
    type(viewId, blockId, value) {
      const view = openView(viewId)
      const element = findElement(view.view, blockId)
      if (!element) throw new Error(`The view has no input ${blockId}`)
      checkChoice(element, value, view.loaded)
      put(view, blockId, String(element.action_id), value)
    },
    async submit(viewId) {
      const view = openView(viewId)
      if (view !== views.stackOf(user.id).at(-1)) throw new Error('Only the view on top can be submitted')
      const blank = clientErrors(view.view, view.values)
      view.errors = blank
      if (Object.keys(blank).length > 0) {
        changed()
        return { ok: true }
      }
      const payload = payloads.submissionPayload(workspace, user, view)
      const ack = await deliver('interactive', payload, { kind: 'submission', viewId, actionId: null })
      if (!ack.ok) return failed(trouble)
      try {
        answerSubmission(view, ack.body)
        return { ok: true }
      } catch (error) {
        if (!(error instanceof Refusal)) throw error
        return failed(
          `${trouble} (${error.code}${error.messages.length > 0 ? `: ${error.messages.join(' ')}` : ''})`,
        )
      }
    },
    async close(viewId, all = false) {
      const stack = views.stackOf(user.id)
      const view = openView(viewId)
      const told = all ? (stack[0] ?? view) : view
      views.close(user.id, all)
      if (told.view.notify_on_close !== true) return { ok: true }
      const payload = payloads.closedPayload(workspace, user, told, all)
      const ack = await deliver('interactive', payload, { kind: 'closed', viewId, actionId: null })
      return ack.ok ? { ok: true } : failed(trouble)
    },
    async options(place, element, query) {
      const { origin } = originOf(place)
      const payload = payloads.optionsPayload(workspace, user, origin, { ...element, query })
      const ack = await deliver('interactive', payload, {
        kind: 'options',
        viewId: null,
        actionId: element.actionId,
      })
      if (!ack.ok) return []
      const loaded = readOptions(ack.body)
      if (origin.kind === 'view') for (const option of loaded) origin.view.loaded.set(option.value, option)
      return loaded.map(({ text, value }): ShownOption => ({ text: text.text, value }))
    },
    upload: ({ name, mimetype, bytes }) => ({
      id: workspace.files.put({ name, mimetype, bytes: Buffer.from(bytes) }).id,
    }),
    async openHome() {
      const channel = messages.find(user.id)
      if (!channel) throw new Error('A bot has no Home')
      const payload = payloads.homeOpenedPayload(workspace, user, channel, views.homeOf(user.id))
      const waits = { kind: 'home', viewId: null, actionId: null } as const
      const send = (headers?: Record<string, string>) => deliver('events_api', payload, { ...waits }, headers)
      const ack = await sendEvent(send, workspace.clock, stopped)
      return ack.ok ? { ok: true } : failed(trouble)
    },
  }
}

/** A person can only choose what is offered. */
function checkChoice(
  element: Readonly<Record<string, unknown>>,
  value: InputValue,
  loaded: ReadonlyMap<string, unknown>,
): void {
  const wanted = [
    ...(value.selectedOptions ?? []),
    ...(value.selectedOption === undefined ? [] : [value.selectedOption]),
  ]
  const offered = new Set(optionsOf(element).map(option => option.value))
  const unknown = wanted.find(one => !offered.has(one) && !loaded.has(one))
  if (unknown !== undefined) throw new Error(`${String(element.action_id)} does not offer ${unknown}`)
}

function readOptions(body: unknown): { value: string; text: { text: string } }[] {
  const answer = (body ?? {}) as { options?: unknown; option_groups?: unknown }
  const flat = optionList.safeParse(answer.options)
  if (flat.success) return flat.data
  const grouped = optionGroups.safeParse(answer.option_groups)
  return grouped.success ? grouped.data.flatMap(group => group.options) : []
}

/** Over Socket Mode an acknowledgement without a body carries `{}`. */
function isBlank(body: unknown): boolean {
  return !body || (typeof body === 'object' && Object.keys(body).length === 0)
}
