// What is heard from Slack: one guard in front of every gesture, then the gesture, and an answer on every path.
import { appendAudit } from '../audit/store.ts'
import { newReference } from '../lib/ids.ts'
import { noticeView } from '../slack/modal.ts'
import type { ActionTurn, Hearing, Message, OpenView, Who } from '../slack/turn.ts'
import { createAuthorize } from './authorize.ts'
import type { ActionRule, CommandRule, Gesture, House } from './gesture.ts'
import { rulesOf, unknownWord } from './help.ts'
import { homeTab } from './home.ts'
import { parseWords } from './parse.ts'

/** Wire the gestures. Throws when two of them claim one word or id. */
export function createHearing(
  gestures: readonly Gesture[],
  house: House,
  admins: readonly string[],
): Hearing {
  const { log } = house
  const authorize = createAuthorize(house.slack, admins)
  const rules = rulesOf(gestures)
  const commands = table(
    rules.flatMap(rule => [rule.word, ...(rule.also ?? [])].map(word => [word, rule] as const)),
  )
  const actions = table(gestures.flatMap(gesture => Object.entries(gesture.actions ?? {})))
  const submissions = table(gestures.flatMap(gesture => Object.entries(gesture.submissions ?? {})))
  const closings = table(gestures.flatMap(gesture => Object.entries(gesture.closed ?? {})))
  const loads = table(gestures.flatMap(gesture => Object.entries(gesture.options ?? {})))

  /** A refusal is written down: who, and what was asked for. */
  async function refused(who: Who, what: string): Promise<void> {
    await house.db.transaction(tx =>
      appendAudit(tx, {
        teamId: who.teamId,
        actor: who.userId,
        source: 'command',
        action: 'refused',
        after: { what },
      }),
    )
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
    turn: { who: Who; reply(message: Message): Promise<void> },
    rule: Pick<CommandRule | ActionRule, 'role'>,
    what: string,
    open: (() => Promise<OpenView>) | undefined,
    run: (opened: OpenView | undefined) => Promise<void>,
  ): Promise<void> {
    // The window first: a trigger lives three seconds, and the person's role may take one of them.
    const opening = open?.().then(
      view => ({ view }),
      (error: unknown) => ({ error }),
    )
    const [verdict, opened] = await Promise.all([authorize(turn.who, rule.role), opening])
    if (opened && 'error' in opened) {
      log.info({ reason: String(opened.error), what }, 'A window could not be opened')
      return turn.reply({ text: 'Slack did not open the window in time. Please try again.' })
    }
    const view = opened?.view
    const say = (text: string) =>
      view ? view.update(noticeView('saasm', text, 'warning')) : turn.reply({ text })
    if (!verdict.ok) {
      await say(verdict.reason)
      return refused(turn.who, what)
    }
    try {
      await run(view)
    } catch (error) {
      await broke(error, what, say)
    }
  }

  return {
    async command(turn) {
      const { word, rest } = parseWords(turn.words)
      const rule = commands.get(word || 'help')
      if (!rule) return turn.reply(unknownWord(word, rules))
      const loading = rule.loading?.(rest)
      const open = loading ? () => turn.open(loading) : undefined
      await guarded(turn, rule, `/saasm ${rule.word}`, open, opened => rule.run(turn, rest, house, opened))
    },
    async action(turn) {
      const id = baseOf(turn.actionId)
      const rule = actions.get(id)
      if (!rule) return log.warn({ actionId: turn.actionId }, 'Nobody hears this action')
      await guarded(turn, rule, id, openerOf(rule, turn), opened => rule.run(turn, house, opened))
    },
    async submission(turn) {
      const id = turn.view.callbackId
      const rule = submissions.get(id)
      if (!rule)
        return {
          kind: 'update',
          view: noticeView('saasm', 'This window is from another version. Open it again.'),
        }
      const verdict = await authorize(turn.who, rule.role)
      if (!verdict.ok) {
        await refused(turn.who, id)
        return { kind: 'update', view: noticeView('saasm', verdict.reason, 'warning') }
      }
      try {
        return await rule.run(turn, house)
      } catch (error) {
        let said = ''
        await broke(error, id, async text => {
          said = text
        })
        return { kind: 'update', view: noticeView('saasm', said, 'error') }
      }
    },
    async closed(who, view) {
      await closings.get(view.callbackId)?.(who, view, house)
    },
    async options(turn) {
      const rule = loads.get(baseOf(turn.actionId))
      if (!rule || !(await authorize(turn.who, rule.role)).ok) return []
      return rule.run(turn, house)
    },
    async home(turn) {
      const verdict = await authorize(turn.who, 'admin')
      await turn.publish(await homeTab(house, turn.who, verdict, 0))
    },
  }
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
