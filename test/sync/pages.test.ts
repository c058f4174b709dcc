// How batches are gathered: however many vendors answer at once, the event loop is free for Slack in between.
import { expect, test } from 'vitest'
import { gather } from '../../src/sync/pages.ts'
import { people, whole } from './synced.ts'

/** More than a turn of the event loop may be held up for. */
const pageWorkMs = 10
const runs = 4

test('runs that read side by side take turns: one goes on in a turn of the event loop, not each of them', async () => {
  let [turn, reading] = [0, true]
  const nextTurn = () => {
    turn += 1
    if (reading) setImmediate(nextTurn)
  }
  setImmediate(nextTurn)
  const pagesOf = new Map<number, number>()
  async function* busy() {
    for (let page = 0; page < 5; page += 1) {
      const end = performance.now() + pageWorkMs
      while (performance.now() < end);
      pagesOf.set(turn, (pagesOf.get(turn) ?? 0) + 1)
      yield people(page, page + 1)
    }
    return whole
  }
  async function read(): Promise<number> {
    const next = gather(busy(), new AbortController().signal)
    for (let found = 0; ; ) {
      const batch = await next()
      found += batch.accounts.length
      if (batch.end) return found
    }
  }
  const found = await Promise.all(Array.from({ length: runs }, read))
  reading = false
  expect(found, 'nobody waits for ever').toEqual([5, 5, 5, 5])
  // They all begin in the first turn.
  const [first, ...later] = pagesOf.values()
  expect(first).toBe(runs)
  expect(Math.max(...later)).toBe(1)
})
