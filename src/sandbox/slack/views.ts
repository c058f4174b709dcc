// The views of a workspace: a stack of three a person, hashes, input kept over updates, external ids, App Homes.
import { randomBytes } from 'node:crypto'
import { checkView, elementsOf } from './blocks.ts'
import { type Values, valuesFor } from './inputs.ts'
import { limits } from './limits.ts'
import type { Block } from './person.ts'
import { Refusal } from './refusal.ts'

export interface StoredView {
  readonly id: string
  readonly userId: string
  readonly rootId: string
  readonly previousId: string | null
  /** As the app sent it, with every block and action id filled in. */
  view: Block
  hash: string
  values: Values
  errors: Record<string, string>
  /** Options that were loaded for external selects, by value. */
  loaded: Map<string, { value: string; text: unknown }>
}

export interface Views {
  /** Bottom first. */
  stackOf(userId: string): readonly StoredView[]
  homeOf(userId: string): StoredView | undefined
  find(where: { viewId?: string; externalId?: string }): StoredView | undefined
  open(userId: string, view: unknown): StoredView
  /** On top of the person's stack; throws Refusal `push_limit_reached` at three. */
  push(userId: string, view: unknown): StoredView
  update(where: { viewId?: string; externalId?: string; hash?: string }, view: unknown): StoredView
  publish(userId: string, view: unknown, hash?: string): StoredView
  /** Close the view on top, or the whole stack. */
  close(userId: string, all: boolean): void
}

/** `nowMs` is the workspace's clock; `changed` is called after every change. */
export function createViews(nowMs: () => number, changed: () => void): Views {
  const stacks = new Map<string, StoredView[]>()
  const homes = new Map<string, StoredView>()
  let sequence = 0

  const all = () => [...[...stacks.values()].flat(), ...homes.values()]

  function newHash(): string {
    sequence += 1
    return `${Math.floor(nowMs() / 1000)}.${randomBytes(4).toString('hex')}${sequence}`
  }

  function checked(view: unknown, surface: 'modal' | 'home', self?: StoredView): Block {
    if (typeof view !== 'object' || view === null) throw new Refusal('invalid_arguments')
    if (Buffer.byteLength(JSON.stringify(view)) > limits.viewBytesMax) throw new Refusal('view_too_large')
    const problems = checkView(view, surface)
    if (problems.length > 0) throw new Refusal('invalid_arguments', { messages: problems })
    const external = (view as Block).external_id
    if (external && all().some(one => one !== self && one.view.external_id === external)) {
      throw new Refusal('duplicate_external_id')
    }
    return withIds(view as Block)
  }

  function stored(userId: string, view: Block, below: StoredView | undefined): StoredView {
    const id = `V${randomBytes(6).toString('hex').toUpperCase()}`
    return {
      id,
      userId,
      rootId: below?.rootId ?? id,
      previousId: below?.id ?? null,
      view,
      hash: newHash(),
      values: valuesFor(view),
      errors: {},
      loaded: new Map(),
    }
  }

  function replace(target: StoredView, view: Block): StoredView {
    target.values = valuesFor(view, target)
    target.view = view
    target.hash = newHash()
    target.errors = {}
    changed()
    return target
  }

  function find(where: { viewId?: string; externalId?: string }): StoredView | undefined {
    return all().find(one =>
      where.viewId === undefined ? one.view.external_id === where.externalId : one.id === where.viewId,
    )
  }

  return {
    stackOf: userId => stacks.get(userId) ?? [],
    homeOf: userId => homes.get(userId),
    find,
    open(userId, view) {
      const fresh = stored(userId, checked(view, 'modal'), undefined)
      // Slack shows one modal of an app at a time: a new one takes the place of what was open.
      stacks.set(userId, [fresh])
      changed()
      return fresh
    },
    push(userId, view) {
      const stack = stacks.get(userId) ?? []
      const top = stack.at(-1)
      if (!top) throw new Refusal('not_found')
      if (stack.length >= limits.viewStackMax) throw new Refusal('push_limit_reached')
      const fresh = stored(userId, checked(view, 'modal'), top)
      stacks.set(userId, [...stack, fresh])
      changed()
      return fresh
    },
    update(where, view) {
      const target = find(where)
      if (!target) throw new Refusal('not_found')
      if (where.hash !== undefined && where.hash !== target.hash) throw new Refusal('hash_conflict')
      return replace(target, checked(view, target.view.type === 'home' ? 'home' : 'modal', target))
    },
    publish(userId, view, hash) {
      const before = homes.get(userId)
      if (hash !== undefined && before && before.hash !== hash) throw new Refusal('hash_conflict')
      const good = checked(view, 'home', before)
      if (before) return replace(before, good)
      const fresh = stored(userId, good, undefined)
      homes.set(userId, fresh)
      changed()
      return fresh
    },
    close(userId, everything) {
      const stack = stacks.get(userId) ?? []
      stacks.set(userId, everything ? [] : stack.slice(0, -1))
      changed()
    },
  }
}

/** A copy in which every block and every element has its id, as Slack gives one where the app gave none. */
export function withIds(view: Block): Block {
  const copy = structuredClone(view) as { blocks?: Record<string, unknown>[] }
  for (const block of copy.blocks ?? []) {
    block.block_id ??= randomBytes(3).toString('base64url')
    for (const element of elementsOf(block) as Record<string, unknown>[]) {
      if (element.type !== 'image') element.action_id ??= randomBytes(3).toString('base64url')
    }
  }
  return copy as Block
}
