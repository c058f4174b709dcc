// /saasm audit [NAME]: who changed what, newest first.
import { type AuditRow, readAudit } from '../audit/store.ts'
import { clampText } from '../lib/text.ts'
import { escapeText, header, momentText, section } from '../slack/blocks.ts'
import type { Gesture } from './gesture.ts'
import { pickInstance } from './pick.ts'

const entriesMax = 20

export const auditGesture: Gesture = {
  command: {
    word: 'audit',
    usage: 'audit [NAME]',
    summary: 'Who changed what.',
    role: 'admin',
    async run(turn, rest, house) {
      const { teamId } = turn.who
      const picked =
        rest === ''
          ? undefined
          : await pickInstance(house, turn.who, rest, { actionId: 'history', verb: 'audit' })
      if (picked && !('instance' in picked)) return turn.reply(picked)
      const of = picked ? { teamId, instanceId: picked.instance.id } : { teamId }
      const rows = await readAudit(house.db.conn, of, entriesMax)
      const title = picked ? `Changes of ${picked.instance.name}` : 'Changes'
      const blocks =
        rows.length === 0 ? [section('Nothing has been changed yet.')] : rows.map(row => section(lineOf(row)))
      await turn.reply({ text: title, blocks: [header(title), ...blocks] })
    },
  },
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
  return `${momentText(row.at)} · ${who} · ${row.action}${name}${change ? `\n${change}` : ''}`
}

/** `status: live, outcome: never`; what is deeper stays as JSON. */
function short(value: Record<string, unknown>): string {
  const parts = Object.entries(value).map(
    ([key, one]) => `${key}: ${typeof one === 'object' && one !== null ? JSON.stringify(one) : String(one)}`,
  )
  return escapeText(clampText(parts.join(', '), 400))
}
