// Rows not read: which rows of an application's list a sync could not take, and why; opened from History.
import { countProblems, listProblems, type UnreadRow } from '../accounts/problems.ts'
import type { Instance } from '../instances/instance.ts'
import { findInstance } from '../instances/store.ts'
import { count } from '../lib/text.ts'
import { actions, button, context, escapeText, header, momentText, section } from '../slack/blocks.ts'
import type { ActionTurn, Message } from '../slack/turn.ts'
import type { SyncRun } from '../sync/run.ts'
import { findRun } from '../sync/store.ts'
import type { Gesture, House } from './gesture.ts'
import { goneText } from './pick.ts'

const rowsAPage = 20

export const unreadRowsGesture: Gesture = {
  actions: {
    'unread-rows': {
      role: 'operator',
      about: asking,
      async run(turn, house, _opened, instance) {
        const { run, page } = await named(turn, house)
        if (!run || !instance) return turn.reply({ text: goneText })
        await turn.reply(await rows(house, instance, run, page))
      },
    },
  },
}

/** The button's value: the run, and the page after a blank. */
async function named({ who, value }: ActionTurn, house: House) {
  const [runId = '', page = '0'] = value.split(' ')
  return { run: await findRun(house.db.conn, who.teamId, runId), page: Number.parseInt(page, 10) || 0 }
}

/** About the instance of the run. */
async function asking(turn: ActionTurn, house: House): Promise<Instance | undefined> {
  const { run } = await named(turn, house)
  return run && findInstance(house.db.conn, turn.who.teamId, run.instanceId)
}

async function rows(house: House, instance: Instance, run: SyncRun, wanted: number): Promise<Message> {
  const { conn } = house.db
  const total = (await countProblems(conn, [run.id])).get(run.id) ?? 0
  const pages = Math.max(1, Math.ceil(total / rowsAPage))
  const page = Math.min(Math.max(wanted, 0), pages - 1)
  const found = await listProblems(conn, run.id, { offset: page * rowsAPage, limit: rowsAPage })
  const text = `${count(total, 'row', 'rows')} of ${escapeText(instance.name)} could not be read`
  const at = momentText(run.startedAt ?? run.requestedAt)
  const next = button({ actionId: 'unread-rows:on', text: 'Next', value: `${run.id} ${page + 1}` })
  return {
    text,
    blocks: [
      header(`Rows of ${instance.name} not read`),
      context(`${text} in the sync of ${at}. Everybody else is in; nobody was removed.`),
      ...(found.length > 0 ? [section(found.map(lineOf).join('\n'))] : []),
      ...(page < pages - 1 ? [actions([next], 'unread-rows'), context(`Page ${page + 1} of ${pages}`)] : []),
    ],
  }
}

function lineOf({ externalId, message }: UnreadRow): string {
  return `• ${externalId === null ? '_no id_' : `\`${escapeText(externalId).slice(0, 80)}\``}  ${escapeText(message)}`
}
