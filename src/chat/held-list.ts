// Download the list: everybody whom a held removal is about, as CSV, by direct message to who pressed it.
import { type HeldPerson, heldPeople } from '../accounts/held.ts'
import { appendAudit } from '../audit/store.ts'
import { findInstance } from '../instances/store.ts'
import { csvOf } from '../lib/csv.ts'
import { newId } from '../lib/ids.ts'
import { clampText, count } from '../lib/text.ts'
import { escapeText, section } from '../slack/blocks.ts'
import { SlackFailure } from '../slack/post.ts'
import type { ActionTurn } from '../slack/turn.ts'
import { heldQuestion } from '../sync/held.ts'
import type { House } from './gesture.ts'

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
  try {
    const { channel, ts } = await house.slack.post({
      to: who.userId,
      text,
      blocks: [section(text)],
      key: newId(),
    })
    const day = house.clock.now().toISOString().slice(0, 10)
    await house.slack.upload({
      channel,
      threadTs: ts,
      filename: `held-removal-${slug(name)}-${day}.csv`,
      title: `Held removal of ${name}, ${day}`,
      bytes: Buffer.from(csvOf([...columns], rowsOf(shown))),
    })
  } catch (error) {
    if (!(error instanceof SlackFailure)) throw error
    house.log.warn(
      { code: error.code, instance: instance.id },
      'Slack did not take the list of a held removal',
    )
    await turn.reply({ text: whyNot(error) })
  }
}

function whyNot(error: SlackFailure): string {
  if (error.code === 'missing_scope')
    return 'saasm may not send files here yet: install the app again with the scopes of its manifest (files:write).'
  return 'Slack did not take the file just now. Please try again in a minute.'
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

/** A file name of letters, digits and hyphens. */
function slug(name: string): string {
  const plain = name.normalize('NFKD').replaceAll(/[^A-Za-z0-9]+/g, '-')
  return (
    plain
      .replaceAll(/^-+|-+$/g, '')
      .slice(0, 40)
      .toLowerCase() || 'instance'
  )
}
