// Turns made from payloads: what a person did, and the calls with which a gesture can answer it.
import type { WebClient } from '@slack/web-api'
import type { Log } from '../lib/log.ts'
import { failureOf } from './client.ts'
import { type Filled, manyOf, type PayloadView, plainText, shownView, textOf } from './payload.ts'
import type {
  ActionTurn,
  CommandTurn,
  HomeTurn,
  KnownBlock,
  Message,
  ModalView,
  OpenView,
  OptionsTurn,
  ShownView,
  SubmissionAnswer,
  SubmissionTurn,
  Who,
} from './turn.ts'

export interface CommandBody {
  team_id: string
  user_id: string
  channel_id: string
  text?: string
  trigger_id: string
}

export interface InteractiveBody {
  team?: { id?: string } | null
  user?: { id?: string; team_id?: string }
  trigger_id?: string
  view?: PayloadView
  channel?: { id?: string }
  container?: { type?: string; message_ts?: string; channel_id?: string; is_ephemeral?: boolean }
  actions?: (Filled & { action_id?: string; block_id?: string })[]
  action_id?: string
  value?: string
}

type Respond = (message: {
  response_type: 'ephemeral'
  replace_original: boolean
  text: string
  blocks?: KnownBlock[]
}) => Promise<unknown>

const onceMax = 255
/** `not_found`, `hash_conflict`: the person has closed it, or it has changed under us. */
const overtaken = new Set(['not_found', 'hash_conflict'])

export function createTurns(web: WebClient, log: Log) {
  function opened(id: string): OpenView {
    return { id, update: view => update({ view_id: id }, view) }
  }

  function below(view: ShownView | undefined): OpenView | undefined {
    return view && view.belowId !== '' ? opened(view.belowId) : undefined
  }

  /** False when there is nothing left to update. Any other failure throws. */
  async function update(where: { view_id: string; hash?: string }, view: ModalView): Promise<boolean> {
    try {
      await web.views.update({ ...where, view })
      return true
    } catch (error) {
      const failure = failureOf(error)
      if (overtaken.has(failure.code)) return false
      throw Object.assign(failure, { detail: detailOf(error) })
    }
  }

  async function open(triggerId: string, view: ModalView): Promise<OpenView> {
    const answer = await web.views.open({ trigger_id: triggerId, view })
    return opened(String(answer.view?.id))
  }

  async function replyDirectly(who: Who, message: Message): Promise<void> {
    await web.chat.postMessage({ channel: who.userId, text: message.text, ...blocksOf(message) })
  }

  function replyThrough(respond: Respond, who: Who, channelId: string) {
    return async (message: Message): Promise<void> => {
      try {
        await respond({ response_type: 'ephemeral', replace_original: false, ...message })
      } catch (error) {
        // The address is used up or too old: an ephemeral message says the same.
        log.info({ reason: String(error) }, 'A response_url did not answer')
        await web.chat.postEphemeral({
          channel: channelId,
          user: who.userId,
          text: message.text,
          ...blocksOf(message),
        })
      }
    }
  }

  function who(body: InteractiveBody): Who {
    return { teamId: plainText(body.team?.id ?? body.user?.team_id), userId: plainText(body.user?.id) }
  }

  function command(body: CommandBody, respond: Respond): CommandTurn {
    const who = { teamId: plainText(body.team_id), userId: plainText(body.user_id) }
    return {
      who,
      once: onceOf(body),
      channelId: body.channel_id,
      words: plainText(body.text),
      reply: replyThrough(respond, who, body.channel_id),
      open: view => open(body.trigger_id, view),
    }
  }

  function action(body: InteractiveBody, respond: Respond): ActionTurn {
    const by = who(body)
    const pressed = body.actions?.[0] ?? {}
    const view = body.view?.type === 'modal' ? shownView(body.view) : undefined
    const { container } = body
    const message =
      container?.type === 'message'
        ? { channelId: container.channel_id ?? body.channel?.id ?? '', ts: container.message_ts ?? '' }
        : undefined
    return {
      who: by,
      once: onceOf(body),
      actionId: plainText(pressed.action_id),
      blockId: plainText(pressed.block_id),
      value: textOf(pressed),
      many: manyOf(pressed),
      view,
      below: below(view),
      message,
      reply: message ? replyThrough(respond, by, message.channelId) : said => replyDirectly(by, said),
      open: shown => open(body.trigger_id ?? '', shown),
      async push(shown) {
        const answer = await web.views.push({ trigger_id: body.trigger_id ?? '', view: shown })
        return opened(String(answer.view?.id))
      },
      update: async shown => (view ? update({ view_id: view.id, hash: view.hash }, shown) : false),
      redraw: async shown => (view ? update({ view_id: view.id }, shown) : false),
      async replace(said) {
        if (message) await respond({ response_type: 'ephemeral', ...said, replace_original: true })
      },
      publish: home(by, '').publish,
    }
  }

  function submission(body: InteractiveBody): SubmissionTurn {
    const by = who(body)
    const view = shownView(body.view ?? {})
    return { who: by, once: onceOf(body), view, below: below(view), reply: said => replyDirectly(by, said) }
  }

  function options(body: InteractiveBody): OptionsTurn {
    return { who: who(body), actionId: plainText(body.action_id), query: plainText(body.value) }
  }

  function home(by: Who, eventId: string): HomeTurn {
    return {
      who: by,
      once: plainText(eventId).slice(0, onceMax),
      async publish(view) {
        await web.views.publish({ user_id: by.userId, view })
      },
    }
  }

  /** What a submission left to do once it was acknowledged. */
  async function after(answer: SubmissionAnswer, turn: SubmissionTurn): Promise<void> {
    if (answer.kind === 'update') await answer.after?.(opened(turn.view.id))
    else if (answer.kind === 'close' || answer.kind === 'clear') await answer.after?.()
  }

  return { command, action, submission, options, home, after, who }
}

/** The trigger id, where it is as short as Slack's are. */
function onceOf({ trigger_id }: { trigger_id?: string }): string {
  return plainText(trigger_id).slice(0, onceMax)
}

function blocksOf(message: Message): { blocks?: KnownBlock[] } {
  return message.blocks ? { blocks: message.blocks } : {}
}

/** Slack's own lines on what was wrong with a view: pointers, no content. */
function detailOf(error: unknown): string {
  const data = (error as { data?: { response_metadata?: { messages?: string[] } } }).data
  return (data?.response_metadata?.messages ?? []).join(' ')
}
