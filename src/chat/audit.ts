// /saasm audit [NAME]: who changed what, from where and when, newest first, in pages; all of it as a file.
import { type AuditEntry, type AuditRow, appendAudit, readAudit } from '../audit/store.ts'
import type { Instance } from '../instances/instance.ts'
import { beginCsv } from '../lib/csv.ts'
import { clampText, count } from '../lib/text.ts'
import {
  actions,
  button,
  context,
  escapeText,
  header,
  momentText,
  type SlackBlock,
  section,
} from '../slack/blocks.ts'
import type { ActionTurn, Message, Who } from '../slack/turn.ts'
import type { Gesture, House } from './gesture.ts'
import { goneText, onceNamedByButton, pickInstance } from './pick.ts'
import { sendFile, slug } from './send-file.ts'

const entriesMax = 20
/** Entries read at once for a file. */
const filePage = 500
const columns = ['id', 'at', 'actor', 'from', 'action', 'instance', 'instance id', 'before', 'after']

export const auditGesture: Gesture = {
  command: {
    word: 'audit',
    usage: 'audit [NAME]',
    summary: 'Who changed what, and from where.',
    role: 'admin',
    async run(turn, rest, house) {
      if (rest === '') return turn.reply(await entries(house, turn.who, undefined))
      const act = { actionId: 'audit-of', verb: 'audit', deleted: true } as const
      const picked = await pickInstance(house, turn.who, rest, act)
      await turn.reply('instance' in picked ? await entries(house, turn.who, picked.instance) : picked)
    },
  },
  actions: {
    'audit-of': {
      role: 'admin',
      async run(turn, house) {
        const instance = await onceNamedByButton(house, turn.who, turn.value)
        await turn.reply(instance ? await entries(house, turn.who, instance) : { text: goneText })
      },
    },
    'audit-page': {
      role: 'admin',
      async run(turn, house) {
        const { instance, before } = await pageOf(turn, house)
        await turn.replace(await entries(house, turn.who, instance, before))
      },
    },
    'audit-file': {
      role: 'admin',
      async run(turn, house) {
        await asFile(turn, house, await onceNamedByButton(house, turn.who, turn.value))
      },
    },
  },
}

/** `ID|NUMBER`: entries of this instance ('' for all), older than this one. */
async function pageOf(turn: ActionTurn, house: House) {
  const [id = '', before = ''] = turn.value.split('|')
  return {
    instance: await onceNamedByButton(house, turn.who, id),
    ...(/^\d{1,15}$/.test(before) ? { before: Number(before) } : {}),
  }
}

function of({ teamId }: Who, instance: Instance | undefined) {
  return instance ? { teamId, instanceId: instance.id } : { teamId }
}

async function entries(
  house: House,
  who: Who,
  instance: Instance | undefined,
  before?: number,
): Promise<Message> {
  const rows = await readAudit(house.db.conn, { ...of(who, instance), before }, entriesMax + 1)
  const shown = rows.slice(0, entriesMax)
  const title = instance ? `Changes of ${instance.name}${instance.deletedAt ? ' (deleted)' : ''}` : 'Changes'
  const id = instance?.id ?? ''
  const buttons = [
    ...(before === undefined
      ? []
      : [button({ actionId: 'audit-page:newest', text: 'Newest', value: `${id}|` })]),
    ...(rows.length > shown.length
      ? [button({ actionId: 'audit-page:older', text: 'Older', value: `${id}|${shown.at(-1)?.id}` })]
      : []),
    ...(shown.length > 0
      ? [button({ actionId: 'audit-file', text: 'Download as CSV', value: id || 'all' })]
      : []),
  ]
  const blocks: SlackBlock[] = [
    header(title),
    ...(shown.length === 0
      ? [section('Nothing has been changed yet.')]
      : shown.map(row => section(lineOf(row)))),
    ...(buttons.length > 0 ? [actions(buttons)] : []),
    context(`Kept for a set time, and never changed. Only you see this.`),
  ]
  return { text: escapeText(title), blocks }
}

async function asFile(turn: ActionTurn, house: House, instance: Instance | undefined): Promise<void> {
  const { who } = turn
  // Who names an instance that is not there does not get everybody's changes in place of its own.
  if (!instance && turn.value !== 'all') return turn.reply({ text: goneText })
  const file = beginCsv(columns)
  // Newest first.
  for (let [more, before] = [true, undefined as number | undefined]; more; ) {
    const rows = await readAudit(house.db.conn, { ...of(who, instance), before }, filePage)
    before = rows.at(-1)?.id
    more = (await file.add(rows.map(cellsOf))) && rows.length === filePage
  }
  const all = count(file.rows, 'change', 'changes')
  await turn.reply({ text: `A file with ${all} is on its way to you by direct message.` })
  const entry: AuditEntry = {
    ...{ teamId: who.teamId, actor: who.userId, source: 'button', action: 'audit.exported' },
    ...(instance ? { instance } : {}),
    after: { changes: file.rows },
  }
  await house.db.transaction(tx => appendAudit(tx, entry))
  const name = instance ? clampText(instance.name, 80) : ''
  const newest = file.cut ? 'the newest ' : ''
  await sendFile(turn, house, {
    text: `The audit${name ? ` of *${escapeText(name)}*` : ''}: ${newest}${all}, as a list below.`,
    filename: name ? `audit-${slug(name)}` : 'audit',
    title: name ? `Audit of ${name}` : 'Audit',
    bytes: file.bytes(),
  })
}

function cellsOf(row: AuditRow): string[] {
  const json = (value: unknown) => (value === null ? '' : JSON.stringify(value))
  return [
    ...[String(row.id), row.at.toISOString(), row.actor, row.source, row.action],
    ...[row.instanceName ?? '', row.instanceId ?? '', json(row.before), json(row.after)],
  ]
}

/** Where from, as people say it. */
const sourceWords: Readonly<Record<string, string>> = {
  command: 'by command',
  button: 'by a button',
  modal: 'in a window',
  sweep: 'by schedule',
  run: 'in a sync',
  operator: 'on the server',
}

function lineOf(row: AuditRow): string {
  const who = row.actor === 'saasm' ? 'saasm' : `<@${row.actor}>`
  const name = row.instanceName ? ` *${escapeText(row.instanceName)}*` : ''
  const change = [
    row.before ? `before: ${short(row.before)}` : '',
    row.after ? `now: ${short(row.after)}` : '',
  ]
    .filter(Boolean)
    .join('\n')
  const from = sourceWords[row.source] ?? row.source
  return `${momentText(row.at)} · ${who} · ${row.action}${name} · ${from}${change ? `\n${change}` : ''}`
}

/** `status: live, outcome: never`; what is deeper stays as JSON. */
function short(value: Record<string, unknown>): string {
  const parts = Object.entries(value).map(
    ([key, one]) => `${key}: ${typeof one === 'object' && one !== null ? JSON.stringify(one) : String(one)}`,
  )
  return escapeText(clampText(parts.join(', '), 400))
}
