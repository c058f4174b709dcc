// Which instance is meant: a part of a name is enough; none or several matches are answered with a list of buttons.
import type { Instance } from '../instances/instance.ts'
import { findInstance, instanceById, listInstances, matchInstances } from '../instances/store.ts'
import { clampText } from '../lib/text.ts'
import { actions, button, context, escapeText, type SlackBlock, section } from '../slack/blocks.ts'
import { metadataOf } from '../slack/modal.ts'
import type { ActionTurn, ShownView, Who } from '../slack/turn.ts'
import type { House } from './gesture.ts'
import { nearest } from './parse.ts'

export type Picked =
  | { instance: Instance }
  /** For the person: which ones could be meant, each with a button. */
  | { text: string; blocks: SlackBlock[] }

/** The most buttons one list offers: Slack takes 25 in a row, people read fewer. */
const offeredMax = 10

/** `act` is the action id of the buttons; each carries an instance's id. `deleted`: they are meant, too. */
export async function pickInstance(
  house: House,
  who: Who,
  part: string,
  act: { actionId: string; verb: string; deleted?: true },
): Promise<Picked> {
  const { conn } = house.db
  const matches = part === '' ? [] : await matchInstances(conn, who.teamId, part, act)
  const [only] = matches
  if (only && matches.length === 1) return { instance: only }
  if (matches.length > 1) {
    return offer(`${matches.length} instances match “${escapeText(part)}”. Which one?`, matches, act)
  }
  const all = await listInstances(conn, who.teamId, act)
  if (all.length === 0) {
    const text = 'No application is connected yet. Start with `/saasm connect`.'
    return { text, blocks: [section(text)] }
  }
  if (part === '')
    return offer(
      `Which instance? You can also type its name: \`/saasm ${act.verb} ${escapeText(all[0]?.name ?? 'NAME')}\`.`,
      all,
      act,
    )
  const near = nearest(
    part.toLowerCase(),
    all.map(instance => instance.name.toLowerCase()),
    offeredMax,
  )
  const close = all.filter(instance => near.includes(instance.name.toLowerCase()))
  return offer(
    `No instance is called “${escapeText(part)}”. These are there:`,
    close.length > 0 ? close : all,
    act,
  )
}

function offer(text: string, instances: readonly Instance[], act: { actionId: string }): Picked {
  const shown = instances.slice(0, offeredMax)
  const buttons = shown.map((instance, at) =>
    button({ actionId: `${act.actionId}:${at}`, text: nameOf(instance), value: instance.id }),
  )
  const more = instances.length - shown.length
  return {
    text,
    blocks: [
      section(text),
      actions(buttons),
      ...(more > 0 ? [context(`and ${more} more: \`/saasm integrations\` shows them all.`)] : []),
    ],
  }
}

/** One of several of a name: which were deleted, and on what day (in UTC). */
function nameOf({ name, deletedAt }: Instance): string {
  return deletedAt ? `${clampText(name, 48)} (deleted ${deletedAt.toISOString().slice(0, 10)})` : name
}

/** The instance of exactly this name, in whatever case. */
export async function instanceCalled(house: House, who: Who, name: string): Promise<Instance | undefined> {
  const matches = await matchInstances(house.db.conn, who.teamId, name)
  return matches.find(instance => instance.name.toLowerCase() === name.trim().toLowerCase())
}

/** About the one instance whose name these words are, or are a part of. */
export async function byName(turn: { who: Who }, rest: string, house: House): Promise<Instance | undefined> {
  const matches = rest === '' ? [] : await matchInstances(house.db.conn, turn.who.teamId, rest)
  return matches.length === 1 ? matches[0] : undefined
}

/** About the instance whose id is the button's value. */
export function byValue(turn: ActionTurn, house: House): Promise<Instance | undefined> {
  return namedByButton(house, turn.who, turn.value)
}

/** About the instance whose id is in the window's metadata. */
export async function byWindow(
  turn: { who: Who; view: ShownView | undefined },
  house: House,
): Promise<Instance | undefined> {
  return turn.view && namedByButton(house, turn.who, metadataOf(turn.view).instance ?? '')
}

/** The instance that a button names, if it is this team's and not deleted. */
export async function namedByButton(
  house: House,
  who: Who,
  instanceId: string,
): Promise<Instance | undefined> {
  return isId(instanceId) ? findInstance(house.db.conn, who.teamId, instanceId) : undefined
}

/** The same, deleted or not: for what is kept of it. */
export async function onceNamedByButton(
  house: House,
  who: Who,
  instanceId: string,
): Promise<Instance | undefined> {
  const instance = isId(instanceId) ? await instanceById(house.db.conn, instanceId) : undefined
  return instance?.teamId === who.teamId ? instance : undefined
}

function isId(text: string): boolean {
  return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(text)
}

/** What is said when an instance is not there any more. */
export const goneText = 'This instance is not there any more. It may have been deleted.'
