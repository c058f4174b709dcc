// /saasm integrations: the tiles as a message of one's own; and turning their pages, there and on Home.
import type { Gesture, House } from './gesture.ts'
import { tiles } from './tiles.ts'

export const integrationsGesture: Gesture = {
  command: {
    word: 'integrations',
    also: ['list', 'instances', 'status', 'apps'],
    usage: 'integrations',
    summary: 'Every integration with its instances, each with Manage.',
    role: 'viewer',
    async run(turn, _rest, house) {
      await turn.reply(await listed(house, turn.who.teamId, 0))
    },
  },
  actions: {
    'integrations-page': {
      role: 'viewer',
      async run(turn, house) {
        const page = Number.parseInt(turn.value, 10) || 0
        const shown = await listed(house, turn.who.teamId, page)
        if (turn.message) await turn.replace(shown)
        else await turn.publish({ type: 'home', callback_id: 'home', blocks: shown.blocks })
      },
    },
  },
}

async function listed(house: House, teamId: string, page: number) {
  return { text: 'Your integrations and their instances', blocks: await tiles(house, teamId, page) }
}
