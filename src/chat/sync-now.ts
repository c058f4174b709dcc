// Sync now: /saasm sync NAME and the button. Asks for a run, or says that one is under way; who asked hears the end.
import { appendAudit } from '../audit/store.ts'
import { connectorById } from '../connectors/registry.ts'
import type { Instance } from '../instances/instance.ts'
import { actions, button, escapeText, momentText, section } from '../slack/blocks.ts'
import type { Message, Who } from '../slack/turn.ts'
import { requestRun } from '../sync/request.ts'
import type { Gesture, House } from './gesture.ts'
import { byName, byValue, goneText, pickInstance } from './pick.ts'
import { whyInactive } from './tiles.ts'

export const syncNowGesture: Gesture = {
  command: {
    word: 'sync',
    also: ['sync-now', 'resync', 'refresh'],
    usage: 'sync NAME',
    summary: 'Sync now. You hear the end by direct message.',
    role: 'operator',
    about: byName,
    async run(turn, rest, house, _opened, instance) {
      if (instance) return turn.reply(await syncNow(house, turn.who, instance, 'command'))
      const picked = await pickInstance(house, turn.who, rest, { actionId: 'sync-now', verb: 'sync' })
      await turn.reply(
        'instance' in picked ? await syncNow(house, turn.who, picked.instance, 'command') : picked,
      )
    },
  },
  actions: {
    'sync-now': {
      role: 'operator',
      about: byValue,
      async run(turn, house, _opened, instance) {
        await turn.reply(instance ? await syncNow(house, turn.who, instance, 'button') : { text: goneText })
      },
    },
  },
}

async function syncNow(
  house: House,
  who: Who,
  instance: Instance,
  source: 'command' | 'button',
): Promise<Message> {
  const name = escapeText(instance.name)
  if (instance.status === 'deleting') return { text: `${name} is being deleted.` }
  if (instance.status !== 'live') return inactiveText(instance)
  const now = house.clock.now()
  const { run, created, hears } = await house.db.transaction(async tx => {
    const asked = await requestRun(
      tx,
      { instanceId: instance.id, trigger: 'manual', by: who.userId, now },
      house.ring,
    )
    if (asked.created) {
      await appendAudit(tx, {
        teamId: who.teamId,
        actor: who.userId,
        source,
        action: 'sync.requested',
        instance,
      })
    }
    return asked
  })
  if (created)
    return {
      text: `:arrows_counterclockwise: Syncing *${name}* now. A direct message shows how far it is, and its end.`,
    }
  const since = run.startedAt ? `since ${momentText(run.startedAt)}` : 'and waits for its turn'
  const asker = run.requestedBy === who.userId ? 'you' : `<@${run.requestedBy}>`
  const by = run.requestedBy ? `, asked for by ${asker}` : ''
  return {
    text: `*${name}* is syncing already, ${since}${by}. No second sync was started.${hears ? ' You hear its end by direct message.' : ''}`,
  }
}

function inactiveText(instance: Instance): Message {
  const text = `*${escapeText(instance.name)}* is Inactive (${whyInactive(instance)}). ${repairOf(instance)}, and it syncs at once.`
  return {
    text,
    blocks: [section(text), actions([button({ actionId: 'manage', text: 'Manage', value: instance.id })])],
  }
}

/** What makes it sync again, by what has stopped it. */
function repairOf({ inactiveReason, connector }: Instance): string {
  if (inactiveReason === 'token_inactive') return 'Give it a new token in Edit Instance and set it Live'
  if (inactiveReason === 'insufficient_permissions')
    return `Grant the permission in ${connectorById(connector)?.name ?? connector} and set it Live in Edit Instance`
  return 'Set it Live in Edit Instance'
}
