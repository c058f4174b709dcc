// The App Home tab: the tiles for who may see them, and a clear word for everybody else.
import { section } from '../slack/blocks.ts'
import type { HomeView, Who } from '../slack/turn.ts'
import type { Verdict } from './authorize.ts'
import type { House } from './gesture.ts'
import { tiles } from './tiles.ts'

export async function homeTab(house: House, who: Who, verdict: Verdict, page: number): Promise<HomeView> {
  const blocks = verdict.ok ? await tiles(house, who.teamId, page) : [section(verdict.reason)]
  return { type: 'home', callback_id: 'home', blocks }
}
