// Download the list: everybody whom a held removal is about, as CSV, by direct message to who pressed it.
import { eachHeld, type HeldPerson } from '../accounts/held.ts'
import { appendAudit } from '../audit/store.ts'
import { findInstance } from '../instances/store.ts'
import { beginCsv } from '../lib/csv.ts'
import { clampText, count } from '../lib/text.ts'
import { escapeText } from '../slack/blocks.ts'
import type { ActionTurn } from '../slack/turn.ts'
import { heldQuestion } from '../sync/held.ts'
import type { House } from './gesture.ts'
import { sendFile, slug } from './send-file.ts'

const cellMax = 255

const columns = ['id', 'name', 'email', 'reported as', 'found as', 'last active', 'not found since']

/** Answer with the file. What was decided, or has been found since, is not in it any more. */
export async function sendHeldList(turn: ActionTurn, house: House): Promise<void> {
  const { who } = turn
  const question = await heldQuestion(house.db.conn, who.teamId, turn.value)
  const instance = question && (await findInstance(house.db.conn, who.teamId, question.instanceId))
  const file = beginCsv(columns)
  if (instance) {
    const of = { instanceId: instance.id, markedBy: question.held.markedBy }
    await eachHeld(house.db, of, people => file.add(people.map(rowOf)))
  }
  if (!instance || file.rows === 0) {
    await turn.reply({ text: 'Nobody is held back by this sync any more.' })
    return
  }
  const name = clampText(instance.name, 80)
  const all = `${file.cut ? 'the first ' : ''}${count(file.rows, 'user', 'users')}`
  await turn.reply({ text: `The list of ${all} is on its way to you by direct message.` })
  // Written down before it is sent: it is personal data.
  await house.db.transaction(tx =>
    appendAudit(tx, {
      teamId: who.teamId,
      actor: who.userId,
      source: 'button',
      action: 'removal.listed',
      instance,
      after: { people: file.rows },
    }),
  )
  const text = `The ${all} of *${escapeText(name)}* whose removal is held back, as a list below. It is personal data: pass it on with care.`
  await sendFile(turn, house, {
    text,
    filename: `held-removal-${slug(name)}`,
    title: `Held removal of ${name}`,
    bytes: file.bytes(),
  })
}

function rowOf({
  externalId,
  name,
  email,
  status,
  heldStatus,
  lastActiveAt,
  missingSince,
}: HeldPerson): string[] {
  const found = heldStatus ?? 'not found'
  const row = [externalId, name, email, status, found, day(lastActiveAt), day(missingSince)]
  return row.map(cell => clampText(cell, cellMax))
}

function day(date: Date | null): string {
  return date === null ? '' : date.toISOString()
}
