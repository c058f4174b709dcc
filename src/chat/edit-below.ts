// Edit Instance while another window is on top of it: drawn again once something was decided there, with what was typed in it.
import type { Instance } from '../instances/instance.ts'
import { findInstance } from '../instances/store.ts'
import { noticeView } from '../slack/modal.ts'
import type { OpenView, ShownView, Who } from '../slack/turn.ts'
import { belowOf } from './below.ts'
import { drawn } from './edit-instance.ts'
import type { House } from './gesture.ts'
import { goneText } from './pick.ts'

/**
 * Draw Edit Instance anew beneath the window that something was decided in. `changed`: that was a change of its own, from
 * the version `from`. Of somebody else's change who saves is told; until then what was typed stays.
 */
export async function redrawBelow(
  house: House,
  turn: { who: Who; view: ShownView | undefined; below: OpenView | undefined },
  { id }: Instance,
  changed?: { from: number; to: number },
): Promise<void> {
  const { below, belowInputs: inputsOf } = belowOf(turn.view)
  if (!turn.below || below === undefined) return
  try {
    const instance = await findInstance(house.db.conn, turn.who.teamId, id)
    const shown = changed && below === String(changed.from) ? String(changed.to) : below
    if (!instance) await turn.below.update(noticeView('Edit Instance', goneText))
    else if (instance.status === 'deleting' || String(instance.version) === shown)
      await turn.below.update(await drawn(house, instance, { inputsOf }))
  } catch (error) {
    // What was decided holds, and was answered.
    house.log.info({ err: error, instance: id }, 'A window beneath another one could not be drawn anew')
  }
}
