// /saasm history NAME: the last runs with trigger, who, duration and counts, or the reason of the failure.

import { goneSince, keptOf } from '../accounts/held.ts'
import { countProblems } from '../accounts/problems.ts'
import { countsText, releasedText } from '../announce/words.ts'
import type { Instance } from '../instances/instance.ts'
import { count } from '../lib/text.ts'
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
import type { Message } from '../slack/turn.ts'
import { type RunState, type SyncRun, triggerWords } from '../sync/run.ts'
import { historyOf } from '../sync/store.ts'
import type { Gesture, House } from './gesture.ts'
import { byName, byValue, goneText, pickInstance } from './pick.ts'
import { freshness, keptText, statusText } from './tiles.ts'

const runsMax = 10

export const historyGesture: Gesture = {
  command: {
    word: 'history',
    also: ['runs', 'log'],
    usage: 'history NAME',
    summary: 'The last syncs, with counts or the reason of the failure.',
    role: 'operator',
    about: byName,
    async run(turn, rest, house, _opened, instance) {
      if (instance) return turn.reply(await history(house, instance))
      const picked = await pickInstance(house, turn.who, rest, { actionId: 'history', verb: 'history' })
      await turn.reply('instance' in picked ? await history(house, picked.instance) : picked)
    },
  },
  actions: {
    history: {
      role: 'operator',
      about: byValue,
      async run(turn, house, _opened, instance) {
        await turn.reply(instance ? await history(house, instance) : { text: goneText })
      },
    },
  },
}

async function history(house: House, instance: Instance): Promise<Message> {
  const { conn } = house.db
  const since = new Date(house.clock.now().getTime() - house.goneDays * 86_400_000)
  const [runs, kept, gone] = await Promise.all([
    historyOf(conn, instance.id, runsMax),
    keptOf(conn, [instance.id]),
    goneSince(conn, instance.id, since),
  ])
  const unread = await countProblems(
    conn,
    runs.map(run => run.id),
  )
  const held = kept.get(instance.id)
  const blocks: SlackBlock[] = [
    header(`History of ${instance.name}`),
    context(`${statusText(instance)} · ${freshness(instance, house.clock.now())}`),
    context(goneLatelyText(gone, house.goneDays)),
    ...(held ? [context(keptText(instance, held))] : []),
    ...(runs.length === 0
      ? [section('It has not synced yet.')]
      : runs.map((run, at) => runBlock(run, at, unread.get(run.id) ?? 0))),
    actions([
      ...(instance.status === 'live'
        ? [button({ actionId: 'sync-now', text: 'Sync now', value: instance.id })]
        : []),
      button({ actionId: 'manage', text: 'Manage', value: instance.id }),
    ]),
  ]
  return { text: `The last syncs of ${escapeText(instance.name)}`, blocks }
}

function runBlock(run: SyncRun, at: number, unread: number): SlackBlock {
  if (unread === 0) return section(runText(run))
  const text = `Show ${count(unread, 'row', 'rows')} not read`
  return section(runText(run), button({ actionId: `unread-rows:${at}`, text, value: run.id }))
}

/** How many vanished lately: whoever comes back is the same account. */
export function goneLatelyText(gone: number, days: number): string {
  const who = gone === 0 ? 'Nobody' : count(gone, 'user', 'users')
  return `${who} vanished in the last ${count(days, 'day', 'days')} and did not come back`
}

const stateWords: Readonly<Record<RunState, string>> = {
  requested: ':hourglass_flowing_sand: Waiting',
  running: ':arrows_counterclockwise: Running',
  succeeded: ':large_green_circle: Succeeded',
  partial: ':large_yellow_circle: Partial',
  held: ':large_yellow_circle: Held',
  failed: ':red_circle: Failed',
  cancelled: ':white_circle: Cancelled',
}

function runText(run: SyncRun): string {
  const who = run.requestedBy ? ` by <@${run.requestedBy}>` : ''
  const lead = `*${stateWords[run.state]}* · ${triggerWords[run.trigger]}${who} · ${momentText(run.startedAt ?? run.requestedAt)}${duration(run)}`
  const lines = [
    lead,
    ...resultLines(run),
    ...run.warnings.map(warning => `:warning: ${escapeText(warning)}`),
    ...decisionLines(run),
  ]
  return lines.join('\n')
}

function resultLines(run: SyncRun): string[] {
  if (run.fault) return [`${escapeText(run.fault.message)} Reference ${run.fault.reference}.`]
  if (run.state === 'requested' && run.startedAt) {
    return [`The vendor asked saasm to come back later: it goes on ${momentText(run.dueAt)}.`]
  }
  if (run.state === 'running') return [`${count(run.peopleRead, 'person', 'people')} read so far`]
  if (run.added === null) return []
  return [
    countsText({
      added: run.added,
      changed: run.changed ?? 0,
      removed: run.removed ?? 0,
      unchanged: run.unchanged ?? 0,
    }),
  ]
}

/** What a person has decided since about whom it held back. */
function decisionLines({ held }: SyncRun): string[] {
  const { decision } = held ?? {}
  if (!decision) return []
  const { what, by, at, released } = decision
  const deed = what === 'allowed' ? 'allowed the removal' : 'kept the users'
  return [`<@${by}> ${deed} ${momentText(new Date(at))}${released ? `: ${releasedText(released)}` : ''}.`]
}

function duration(run: SyncRun): string {
  if (!run.startedAt || !run.endedAt) return ''
  const seconds = Math.max(0, Math.round((run.endedAt.getTime() - run.startedAt.getTime()) / 1000))
  if (seconds < 60) return ` · ${count(seconds, 'second', 'seconds')}`
  const minutes = Math.round(seconds / 60)
  return minutes < 120
    ? ` · ${count(minutes, 'minute', 'minutes')}`
    : ` · ${count(Math.round(minutes / 60), 'hour', 'hours')}`
}
