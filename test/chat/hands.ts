// One person's hands in a world: type a command, wait for a window, fill it in, press, and read what they are shown.
import { expect } from 'vitest'
import type { InputValue } from '../../src/sandbox/slack/person.ts'
import { readable, topView, until, type World } from '../support/world.ts'

interface DrawnBlock {
  block_id: string
  element?: { action_id?: string }
  accessory?: { action_id?: string }
  elements?: { action_id?: string }[]
}

export type Hands = ReturnType<typeof handsOf>

export function handsOf(world: World, name: string) {
  const person = world.person(name)
  const { channel } = world.sandbox.settings
  const top = () => topView(person.state())
  /** Everything in the window on top: its text, and the sentences at its fields. */
  const shown = () => {
    if (person.state().views.length === 0) return ''
    const { view, errors } = top()
    return `${readable(view)}\n${Object.values(errors).join('\n')}`
  }
  /** Everything said to this person alone, or directly: oldest first. */
  const heard = () =>
    person
      .state()
      .channels.flatMap(one => one.messages.filter(message => one.isDirect || message.ephemeral))
      .toSorted((a, b) => Number(a.ts) - Number(b.ts))
      .map(message => `${message.text}\n${readable(message.blocks)}`)
  const find = (actionId: string) => {
    for (const block of top().view.blocks as DrawnBlock[]) {
      const elements = [block.element, block.accessory, ...(block.elements ?? [])]
      const found = elements.find(
        one => one?.action_id === actionId || one?.action_id?.split(':')[0] === actionId,
      )
      if (found?.action_id) return { blockId: block.block_id, actionId: found.action_id }
    }
    throw new Error(`The window has no ${actionId}: ${shown()}`)
  }
  return {
    person,
    top,
    shown,
    heard,
    find,
    say: async (words: string) =>
      expect(await person.command(channel, `/saasm ${words}`)).toMatchObject({ ok: true }),
    seen: (what: string, pattern: RegExp) => until(`${what}: ${pattern}`, () => pattern.test(shown())),
    /** Wait for a reply that was not there before `from` replies. */
    told: (from: number, pattern: RegExp) =>
      until(`a reply like ${pattern}`, () =>
        heard()
          .slice(from)
          .find(text => pattern.test(text)),
      ),
    type(blockId: string, value: InputValue) {
      person.type(top().id, blockId, value)
    },
    /** Put a file of this text into a file input. */
    upload(blockId: string, text: string) {
      const { id } = person.upload({ name: 'people.csv', mimetype: 'text/csv', bytes: Buffer.from(text) })
      person.type(top().id, blockId, { files: [id] })
    },
    async press(actionId: string, value?: InputValue) {
      const at = find(actionId)
      const delivery = await person.act({ viewId: top().id }, { ...at, ...(value ? { value } : {}) })
      expect(delivery).toMatchObject({ ok: true })
    },
    submit: async () => expect(await person.submit(top().id)).toMatchObject({ ok: true }),
    /** What stands in a field now. */
    field: (blockId: string): InputValue | undefined => Object.values(top().values[blockId] ?? {})[0],
    async leave() {
      if (person.state().views.length > 0) await person.close(top().id, true)
    },
  }
}
