// No sequence of opens, pushes, updates, submissions, closes and clock moves leaves the stand-in where Slack's rules forbid.
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Served, serveSlack } from './served.ts'

let served: Served
beforeAll(async () => {
  served = await serveSlack()
})
afterAll(() => served.stop())

type Op =
  | { do: 'command' }
  | { do: 'open' | 'push'; view: View; trigger: 'fresh' | 'last' }
  | { do: 'update'; at: number; view: View; hash: 'none' | 'fresh' | 'stale' }
  | { do: 'type'; text: string }
  | { do: 'submit'; answer: 'blank' | 'clear' | 'errors' | 'update' | 'push'; view: View }
  | { do: 'close'; all: boolean }
  | { do: 'wait'; ms: number }

/** Which input a view has, and its external id ('' for none). */
interface View {
  block: string
  action: string
  external: string
}

const view = fc.record({
  block: fc.constantFrom('b1', 'b1', 'b2'),
  action: fc.constantFrom('a1', 'a1', 'a2'),
  external: fc.constantFrom('', '', '', '', '', 'e1', 'e2'),
})
const wherever = <T>(...words: T[]) => fc.constantFrom(...words)
const op: fc.Arbitrary<Op> = fc.oneof(
  { weight: 1, arbitrary: fc.record({ do: wherever('command' as const) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: wherever('open' as const),
      view,
      trigger: wherever('fresh' as const, 'last' as const),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      do: wherever('push' as const),
      view,
      trigger: wherever('fresh' as const, 'fresh' as const, 'last' as const),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      do: wherever('update' as const),
      at: fc.nat(2),
      view,
      hash: wherever('none' as const, 'fresh' as const, 'stale' as const),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({ do: wherever('type' as const), text: fc.string({ minLength: 1, maxLength: 5 }) }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: wherever('submit' as const),
      answer: wherever(
        'blank' as const,
        'clear' as const,
        'errors' as const,
        'update' as const,
        'push' as const,
      ),
      view,
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: wherever('close' as const), all: fc.boolean() }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: wherever('wait' as const), ms: wherever(10, 1_000, 2_900, 3_100) }),
  },
)

const json = ({ block, action, external }: View) => ({
  type: 'modal',
  title: { type: 'plain_text', text: 'Title' },
  submit: { type: 'plain_text', text: 'Send' },
  ...(external ? { external_id: external } : {}),
  blocks: [
    {
      type: 'input',
      block_id: block,
      optional: true,
      label: { type: 'plain_text', text: 'Label' },
      element: { type: 'plain_text_input', action_id: action },
    },
  ],
})

const ada = () => served.slack.as('U0ADA')
const stack = () => ada().state().views
const typed = (shown: { values: Readonly<Record<string, Readonly<Record<string, { value?: string }>>>> }) =>
  Object.entries(shown.values).flatMap(([block, actions]) =>
    Object.entries(actions).map(([action, { value }]) => `${block}/${action}=${value ?? ''}`),
  )

async function run(ops: readonly Op[]): Promise<void> {
  let trigger: { id: string; atMs: number; used: boolean } | undefined
  const hashes = new Set<string>()
  for (const one of ops) {
    const before = stack()
    const top = before.at(-1)
    if (one.do === 'wait') served.clock.advance(one.ms)
    const fresh = (one.do === 'open' || one.do === 'push') && one.trigger === 'fresh'
    if (one.do === 'command' || fresh) {
      await ada().command('C0GENERAL', '/saasm help')
      trigger = {
        id: String(served.delivered.at(-1)?.payload.trigger_id),
        atMs: served.clock.now().getTime(),
        used: false,
      }
    }
    if ((one.do === 'open' || one.do === 'push') && trigger) {
      const late = served.clock.now().getTime() - trigger.atMs > 3_000
      const answer = await served.call(`views.${one.do}`, { trigger_id: trigger.id, view: json(one.view) })
      if (trigger.used) expect(answer.error).toBe('exchanged_trigger_id')
      // A call on the very edge of three seconds may fall on either side.
      else if (late) expect(answer.error).toBe('expired_trigger_id')
      else if (one.do === 'push' && before.length === 0) expect(answer.error).toBe('not_found')
      else if (one.do === 'push' && before.length === 3) expect(answer.error).toBe('push_limit_reached')
      else expect([true, 'duplicate_external_id', 'expired_trigger_id']).toContain(answer.ok || answer.error)
      if (answer.error !== 'expired_trigger_id') trigger.used = true
      if (!answer.ok) expect(stack()).toEqual(before)
    }
    const target = one.do === 'update' ? before[one.at] : undefined
    if (one.do === 'update' && target) {
      const hash = one.hash === 'none' ? {} : { hash: one.hash === 'fresh' ? target.hash : 'old' }
      const answer = await served.call('views.update', { view_id: target.id, view: json(one.view), ...hash })
      if (one.hash === 'stale') expect(answer.error).toBe('hash_conflict')
      const after = stack()[one.at]
      const key = `${one.view.block}/${one.view.action}=`
      const kept = typed(target).find(entry => entry.startsWith(key)) ?? key
      if (answer.ok && after) expect(typed(after), 'kept only where both ids stay').toEqual([kept])
      else expect(stack()).toEqual(before)
      if (answer.ok && after) expect(after.hash).not.toBe(target.hash)
    }
    if (one.do === 'type' && top) ada().type(top.id, Object.keys(top.values)[0] ?? '', { value: one.text })
    if (one.do === 'close' && top) await ada().close(top.id, one.all)
    if (one.do === 'submit' && top) {
      const block = Object.keys(top.values)[0] ?? ''
      const bodies = {
        blank: '',
        clear: { response_action: 'clear' },
        errors: { response_action: 'errors', errors: { [block]: 'Not this' } },
        update: { response_action: 'update', view: json(one.view) },
        push: { response_action: 'push', view: json(one.view) },
      }
      served.answer({ body: bodies[one.answer] })
      const delivery = await ada().submit(top.id)
      const after = stack()
      if (one.answer === 'blank') expect(after).toHaveLength(before.length - 1)
      if (one.answer === 'clear') expect(after).toEqual([])
      if (one.answer === 'errors') expect(after.at(-1)?.errors).toEqual({ [block]: 'Not this' })
      if (one.answer === 'push' && before.length === 3) expect(delivery.ok).toBe(false)
    }
    const now = stack()
    expect(now.length).toBeLessThanOrEqual(3)
    expect(new Set(now.map(shown => shown.id)).size).toBe(now.length)
    const externals = now.map(shown => shown.view.external_id).filter(Boolean)
    expect(new Set(externals).size, 'external ids are unique').toBe(externals.length)
    for (const shown of now) hashes.add(shown.hash)
    expect(new Set(now.map(shown => shown.hash)).size).toBe(now.length)
  }
  const top = stack().at(-1)
  if (top) await ada().close(top.id, true)
}

test('whatever is done in whatever order, the stack, the triggers, the hashes and the inputs keep Slack’s rules', async () => {
  await fc.assert(fc.asyncProperty(fc.array(op, { minLength: 5, maxLength: 40 }), run), { numRuns: 80 })
})
