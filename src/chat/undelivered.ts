// What could not be delivered: /saasm undelivered lists it with what, to whom, why and since when, and tries it again.

import type { OutboxEntry } from '../announce/outbox.ts'
import {
  countParked,
  listParked,
  mayArriveTwice,
  parkedDaysMax,
  retriedMax,
  retryParked,
} from '../announce/parked.ts'
import { whatHappened } from '../announce/undelivered.ts'
import { wordsOf } from '../announce/words.ts'
import { appendAudit } from '../audit/store.ts'
import { count } from '../lib/text.ts'
import {
  actions,
  button,
  context,
  escapeText,
  momentText,
  type SlackBlock,
  section,
} from '../slack/blocks.ts'
import { loadingView, metadataOf, modal } from '../slack/modal.ts'
import type { ActionTurn, ModalView } from '../slack/turn.ts'
import type { Gesture, House } from './gesture.ts'

const title = 'Not delivered'
const rowsAPage = 10
/** Named in one audit row. */
const auditedMax = 20

export const undeliveredGesture: Gesture = {
  command: {
    word: 'undelivered',
    also: ['parked', 'failed', 'retry'],
    usage: 'undelivered',
    summary: 'Announcements that could not be delivered.',
    role: 'admin',
    loading: () => loadingView(title),
    async run(turn, _rest, house, opened) {
      await opened?.update(await drawn(house, turn.who.teamId, { page: 0 }))
    },
  },
  actions: {
    undelivered: {
      role: 'admin',
      loading: () => loadingView(title),
      async run(turn, house, opened) {
        await opened?.update(await drawn(house, turn.who.teamId, { page: 0 }))
      },
    },
    'undelivered-page': {
      role: 'admin',
      async run(turn, house) {
        await turn.update(await drawn(house, turn.who.teamId, { page: Number.parseInt(turn.value, 10) || 0 }))
      },
    },
    'undelivered-retry': { role: 'admin', run: (turn, house) => retry(turn, house, false) },
    'undelivered-again': { role: 'admin', run: (turn, house) => retry(turn, house, true) },
    'undelivered-all': { role: 'admin', run: (turn, house) => retry(turn, house, false, 'all') },
  },
}

/** The block that says so above the tiles; none when all was delivered. */
export async function undeliveredBlocks(house: House, teamId: string): Promise<SlackBlock[]> {
  const total = await countParked(house.db.conn, teamId, house.clock.now())
  if (total === 0) return []
  const show = button({
    actionId: 'undelivered',
    text: 'Show',
    value: '',
    label: 'Show what was not delivered',
  })
  return [section(`:warning: *${notDelivered(total)}*`, show)]
}

function notDelivered(total: number): string {
  return `${count(total, 'announcement', 'announcements')} could not be delivered.`
}

async function drawn(house: House, teamId: string, at: { page: number; said?: string }): Promise<ModalView> {
  const now = house.clock.now()
  const total = await countParked(house.db.conn, teamId, now)
  const pages = Math.max(1, Math.ceil(total / rowsAPage))
  const page = Math.min(Math.max(at.page, 0), pages - 1)
  const place = { now, offset: page * rowsAPage, limit: rowsAPage }
  const entries = await listParked(house.db.conn, teamId, place)
  const lead =
    total === 0
      ? `Every announcement of the last ${parkedDaysMax} days was delivered, or is on its way.`
      : `*${notDelivered(total)}* Mend what stands in the way, then try again. After ${parkedDaysMax} days they are left out here.`
  const all = button({ actionId: 'undelivered-all', text: 'Try all again', value: '', style: 'primary' })
  return modal({
    callbackId: 'undelivered',
    title,
    metadata: { page: String(page) },
    blocks: [
      section(lead),
      ...(at.said ? [context(at.said)] : []),
      ...(total > 1 ? [actions([all], 'undelivered-all')] : []),
      ...entries.map((entry, position) => row(entry, position, now)),
      ...(pages > 1 ? paging(page, pages) : []),
    ],
  })
}

function row(entry: OutboxEntry, position: number, now: Date): SlackBlock {
  const { headline } = wordsOf(entry.announcement)
  const twice = mayArriveTwice(entry, now)
  const lines = [
    `*${escapeText(headline)}*`,
    `To ${whom(entry)} · since ${momentText(entry.createdAt)}`,
    escapeText(whatHappened(entry, entry.reason ?? '')),
  ]
  const common = { value: entry.id, label: `Try again: ${headline}` }
  const accessory = twice
    ? button({
        ...common,
        actionId: `undelivered-again:${position}`,
        text: 'Send again',
        confirm: {
          title: 'Send it again?',
          text: 'It may have arrived already: saasm cannot find out any more.',
          yes: 'Send again',
          no: 'Not now',
        },
      })
    : button({ ...common, actionId: `undelivered-retry:${position}`, text: 'Try again' })
  return section(lines.join('\n'), accessory)
}

function whom({ medium, destination }: OutboxEntry): string {
  if (/^[UW][A-Z0-9]+$/.test(destination)) return `<@${destination}>${medium === 'email' ? ' by e-mail' : ''}`
  if (/^[CG][A-Z0-9]+$/.test(destination)) return `<#${destination}>`
  return escapeText(destination)
}

function paging(page: number, pages: number): SlackBlock[] {
  const to = (suffix: string, text: string, value: number) =>
    button({ actionId: `undelivered-page:${suffix}`, text, value: String(value) })
  const buttons = [
    ...(page > 0 ? [to('back', 'Previous', page - 1)] : []),
    ...(page < pages - 1 ? [to('on', 'Next', page + 1)] : []),
  ]
  return [actions(buttons, 'undelivered-paging'), context(`Page ${page + 1} of ${pages}`)]
}

/** One or all; two who press at once try each again once. */
async function retry(turn: ActionTurn, house: House, again: boolean, all?: 'all'): Promise<void> {
  const { teamId, userId } = turn.who
  const now = house.clock.now()
  const ids = all ?? [turn.value].filter(isId)
  const retried = await house.db.transaction(async tx => {
    const entries = await retryParked(tx, teamId, { ids, again, now })
    if (entries.length === 0) return entries
    const [first] = entries
    const about =
      first?.instanceId && entries.length === 1
        ? { instance: { id: first.instanceId, name: first.announcement.instanceName } }
        : {}
    await appendAudit(tx, {
      ...{ teamId, actor: userId, source: 'button', action: 'announcements.retried', ...about },
      after: {
        announcements: entries.length,
        to: entries.slice(0, auditedMax).map(entry => entry.destination),
        ...(again ? { mayArriveTwice: true } : {}),
      },
    })
    tx.afterCommit(() => house.ring('deliver'))
    return entries
  })
  const said = saidOf(retried.length, all !== undefined)
  if (!turn.view) return turn.reply({ text: said })
  const page = Number.parseInt(metadataOf(turn.view).page ?? '', 10) || 0
  const view = await drawn(house, teamId, { page, said })
  if (!(await turn.update(view))) await turn.redraw(view)
}

function saidOf(retried: number, all: boolean): string {
  if (retried === 0)
    return all
      ? 'None can be tried again without arriving twice: choose “Send again” at each that should be.'
      : 'It was tried again already, or may arrive twice: then choose “Send again”.'
  const rest = retried === retriedMax ? ' Press again for the rest.' : ''
  return `${count(retried, 'announcement is', 'announcements are')} tried again now. What fails comes back here.${rest}`
}

function isId(value: string): boolean {
  return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(value)
}
