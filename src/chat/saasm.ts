// What is heard from Slack: one guard in front of every gesture, then the gesture, and an answer on every path.
import { type AuditSource, appendAudit } from '../audit/store.ts'
import type { Instance } from '../instances/instance.ts'
import { newReference } from '../lib/ids.ts'
import { clampText } from '../lib/text.ts'
import { noticeView } from '../slack/modal.ts'
import type { ActionTurn, Hearing, Message, OpenView, Who } from '../slack/turn.ts'
import { type Access, createAuthorize } from './authorize.ts'
import type { ActionRule, Gesture, House, Role } from './gesture.ts'
import { createHeard } from './heard.ts'
import { rulesOf, unknownWord } from './help.ts'
import { homeTab } from './home.ts'
import { createLimit } from './limit.ts'
import { parseWords } from './parse.ts'

/** Wire the gestures. Throws when two of them claim one word or id. */
export function createHearing(
  gestures: readonly Gesture[],
  house: House,
  options: { access: Access; requestsPerMinute: number },
): Hearing {
  const { log } = house
  const authorize = createAuthorize(house.slack, options.access)
  const isWithin = createLimit(house.clock, options.requestsPerMinute)
  const isFirst = createHeard(house.db, log)
  const rules = rulesOf(gestures)
  const commands = table(
    rules.flatMap(rule => [rule.word, ...(rule.also ?? [])].map(word => [word, rule] as const)),
  )
  const actions = table(gestures.flatMap(gesture => Object.entries(gesture.actions ?? {})))
  const submissions = table(gestures.flatMap(gesture => Object.entries(gesture.submissions ?? {})))
  const closings = table(gestures.flatMap(gesture => Object.entries(gesture.closed ?? {})))
  const loads = table(gestures.flatMap(gesture => Object.entries(gesture.options ?? {})))

  /**
   * The guard: how much, whether for the first time, who, which instance, which is this team's. A refusal is told first,
   * then written down; what comes again is not answered again.
   */
  async function admit(asked: Asked): Promise<Admission> {
    if (!isWithin(asked.who)) {
      log.info({ userId: asked.who.userId, what: asked.what }, 'A person asked for too much in a minute')
      const reason = 'That was a lot at once. Wait a minute, then try again.'
      return { ok: false, reason, again: false, writeDown: async () => {} }
    }
    const about = asked.about?.()
    const [verdict, instance, first] = await Promise.all([
      authorize(asked.who, asked.role, about),
      about,
      isFirst(asked.once ?? ''),
    ])
    if (!first) {
      log.info({ userId: asked.who.userId, what: asked.what }, 'A doing came again and was let go')
      return { ok: false, reason: '', again: true, writeDown: async () => {} }
    }
    if (verdict.ok) return { ok: true, instance }
    const entry = {
      teamId: asked.who.teamId,
      actor: asked.who.userId,
      source: asked.source,
      action: 'refused',
      after: { what: asked.what },
    }
    return { ...verdict, again: false, writeDown: () => house.db.transaction(tx => appendAudit(tx, entry)) }
  }

  /** Something broke on our side: a reference for the log and for the person, in the window or as a reply. */
  async function broke(error: unknown, what: string, say: (text: string) => Promise<unknown>): Promise<void> {
    const reference = newReference()
    log.error({ err: error, what, reference }, 'A gesture failed')
    await say(
      `Something went wrong on saasm’s side, and nothing was changed. Try again; if it stays, tell your admin ${reference}.`,
    )
  }

  async function guarded(
    turn: { reply(message: Message): Promise<void> },
    asked: Asked,
    open: (() => Promise<OpenView>) | undefined,
    run: (opened: OpenView | undefined, instance: Instance | undefined) => Promise<void>,
  ): Promise<void> {
    // The window first: a trigger lives three seconds, and the person's role may take one of them.
    const admitting = settled(admit(asked))
    const opened = open && (await settled(open()))
    const admitted = await admitting
    if ('value' in admitted && !admitted.value.ok && admitted.value.again) return
    if (opened && 'error' in opened) {
      log.info({ reason: String(opened.error), what: asked.what }, 'A window could not be opened')
      return turn.reply({ text: 'Slack did not open the window in time. Please try again.' })
    }
    const view = opened?.value
    const say = (text: string) =>
      view ? view.update(noticeView('saasm', text, 'warning')) : turn.reply({ text })
    try {
      if ('error' in admitted) throw admitted.error
      if (admitted.value.ok) await run(view, admitted.value.instance)
      else {
        await say(admitted.value.reason)
        await admitted.value.writeDown()
      }
    } catch (error) {
      await broke(error, asked.what, say)
    }
  }

  return {
    async command(turn) {
      const { who, once } = turn
      const { word, rest } = parseWords(turn.words)
      const rule = commands.get(word || 'help')
      if (!rule) {
        const unknown = {
          who,
          once,
          role: 'anyone',
          what: `/saasm ${clampText(word, 40)}`,
          source: 'command',
        } as const
        return guarded(turn, unknown, undefined, () => turn.reply(unknownWord(word, rules)))
      }
      const loading = rule.loading?.(rest)
      const open = loading ? () => turn.open(loading) : undefined
      const about = rule.about && (async () => rule.about?.(turn, rest, house))
      const what = `/saasm ${rule.word}`
      const asked = { who, once, role: rule.role, what, source: 'command', about } as const
      await guarded(turn, asked, open, (opened, instance) => rule.run(turn, rest, house, opened, instance))
    },
    async action(turn) {
      const { who, once } = turn
      const what = baseOf(turn.actionId)
      const rule = actions.get(what)
      if (!rule) {
        const unknown = { who, once, role: 'anyone', what: clampText(what, 40), source: 'button' } as const
        return guarded(turn, unknown, undefined, async () =>
          log.warn({ actionId: turn.actionId }, 'Nobody hears this action'),
        )
      }
      const about = rule.about && (async () => rule.about?.(turn, house))
      const asked = { who, once, role: rule.role, what, source: 'button', about } as const
      const run = (opened: OpenView | undefined, instance: Instance | undefined) =>
        rule.run(turn, house, opened, instance)
      await guarded(turn, asked, openerOf(rule, turn), run)
    },
    async submission(turn) {
      const { who, once } = turn
      const what = turn.view.callbackId
      const rule = submissions.get(what)
      const about = rule?.about && (async () => rule.about?.(turn, house))
      const role = rule?.role ?? 'anyone'
      try {
        const asked = { who, once, role, what: clampText(what, 40), source: 'modal', about } as const
        const admitted = await admit(asked)
        if (!admitted.ok) {
          if (admitted.again) return { kind: 'close' }
          await admitted.writeDown()
          return { kind: 'update', view: noticeView('saasm', admitted.reason, 'warning') }
        }
        if (rule) return await rule.run(turn, house, admitted.instance)
        const text = 'This window is from another version. Open it again.'
        return { kind: 'update', view: noticeView('saasm', text) }
      } catch (error) {
        let said = ''
        await broke(error, what, async text => {
          said = text
        })
        return { kind: 'update', view: noticeView('saasm', said, 'error') }
      }
    },
    async closed(who, view) {
      const rule = closings.get(view.callbackId)
      const what = clampText(view.callbackId, 40)
      const admitted = await admit({ who, role: rule?.role ?? 'anyone', what, source: 'modal' })
      if (!admitted.ok) return admitted.writeDown()
      await rule?.run(who, view, house)
    },
    async options(turn) {
      const what = baseOf(turn.actionId)
      const rule = loads.get(what)
      const role = rule?.role ?? 'anyone'
      const admitted = await admit({ who: turn.who, role, what: clampText(what, 40), source: 'modal' })
      if (!admitted.ok) await admitted.writeDown()
      return rule && admitted.ok ? rule.run(turn, house) : []
    },
    async home(turn) {
      if (!isWithin(turn.who) || !(await isFirst(turn.once))) return
      const verdict = await authorize(turn.who, 'viewer')
      await turn.publish(await homeTab(house, turn.who, verdict, 0))
    },
  }
}

/** What somebody asks for, before it is known whether they may. */
interface Asked {
  who: Who
  /** Asked about when it has an effect: it has it once. */
  once?: string
  role: Role
  /** For the audit: what was asked for. */
  what: string
  source: AuditSource
  about?: (() => Promise<Instance | undefined>) | undefined
}

type Admission =
  | { ok: true; instance: Instance | undefined }
  /** `again`: this very doing was heard before. */
  | { ok: false; reason: string; again: boolean; writeDown(): Promise<void> }

function settled<T>(work: Promise<T>): Promise<{ value: T } | { error: unknown }> {
  return work.then(
    value => ({ value }),
    (error: unknown) => ({ error }),
  )
}

/** `manage:3` is `manage`: the suffix only keeps ids apart within one message. */
export function baseOf(actionId: string): string {
  return actionId.split(':')[0] ?? actionId
}

/** How an action's window opens: pressed in a window it is put on top (or takes its place), else it is opened. */
function openerOf(rule: ActionRule, turn: ActionTurn): (() => Promise<OpenView>) | undefined {
  const { view } = turn
  const loading = rule.loading?.(turn)
  if (!loading) return undefined
  if (!view) return () => turn.open(loading)
  if (rule.inView === 'replace') return async () => ({ id: view.id, update: shown => turn.update(shown) })
  return () => turn.push(loading)
}

function table<T>(entries: readonly (readonly [string, T])[]): Map<string, T> {
  const found = new Map<string, T>()
  for (const [key, value] of entries) {
    if (found.has(key)) throw new Error(`Two gestures claim ${key}`)
    found.set(key, value)
  }
  return found
}
