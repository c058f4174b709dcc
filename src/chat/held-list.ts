// Download the list: everybody whom a held removal is about, as CSV, by direct message to who pressed it.
import { type HeldPerson, heldPeople } from '../accounts/held.ts'
import { appendAudit } from '../audit/store.ts'
import { findInstance } from '../instances/store.ts'
import { clampText, count } from '../lib/text.ts'
import { escapeText } from '../slack/blocks.ts'
import type { ActionTurn } from '../slack/turn.ts'
import { heldQuestion } from '../sync/held.ts'
import type { House } from './gesture.ts'
import { sendFile, slug } from './send-file.ts'

/** The most people in one file: a few tens of megabytes. */
const listMax = 200_000
const cellMax = 255

const columns = ['id', 'name', 'email', 'reported as', 'found as', 'last active', 'not found since']

/** Answer with the file. What was decided, or has been found since, is not in it any more. */
export async function sendHeldList(turn: ActionTurn, house: House): Promise<void> {
  const { who } = turn
  const { conn } = house.db
  const question = await heldQuestion(conn, who.teamId, turn.value)
  const instance = question && (await findInstance(conn, who.teamId, question.instanceId))
  const people = instance ? await heldPeople(conn, instance.id, question.held.markedBy, listMax + 1) : []
  if (!instance || people.length === 0) {
    await turn.reply({ text: 'Nobody is held back by this sync any more.' })
    return
  }
  const shown = people.slice(0, listMax)
  const name = clampText(instance.name, 80)
  const all =
    people.length > listMax
      ? `the first ${count(listMax, 'user', 'users')}`
      : count(shown.length, 'user', 'users')
  await turn.reply({ text: `The list of ${all} is on its way to you by direct message.` })
  // Written down before it is sent: it is personal data.
  await house.db.transaction(tx =>
    appendAudit(tx, {
      teamId: who.teamId,
      actor: who.userId,
      source: 'button',
      action: 'removal.listed',
      instance,
      after: { people: shown.length },
    }),
  )
  const text = `The ${all} of *${escapeText(name)}* whose removal is held back, as a list below. It is personal data: pass it on with care.`
  await sendFile(turn, house, {
    text,
    filename: `held-removal-${slug(name)}`,
    title: `Held removal of ${name}`,
    header: columns,
    rows: rowsOf(shown),
  })
}

function* rowsOf(people: readonly HeldPerson[]): Generator<string[]> {
  for (const person of people) {
    const { externalId, name, email, status, heldStatus, lastActiveAt, missingSince } = person
    const found = heldStatus ?? 'not found'
    const row = [externalId, name, email, status, found, day(lastActiveAt), day(missingSince)]
    yield row.map(cell => clampText(cell, cellMax))
  }
}

function day(date: Date | null): string {
  return date === null ? '' : date.toISOString()
}
