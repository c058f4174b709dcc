// Show: whatever happens to an instance, its accounts are those of a model in memory that fits on a screen.
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createCutter } from '../../src/accounts/chunks.ts'
import type { House } from '../../src/chat/gesture.ts'
import { heldRemovalsGesture } from '../../src/chat/held-removals.ts'
import type { Account, AccountStatus } from '../../src/connectors/account.ts'
import { ProviderError } from '../../src/connectors/errors.ts'
import { regenerateInstance } from '../../src/instances/store.ts'
import { silentLog } from '../../src/lib/log.ts'
import type { ActionTurn } from '../../src/slack/turn.ts'
import { requestRemoval } from '../../src/sync/request.ts'
import { people, type Sync, startSync } from './synced.ts'

let room: Sync

/** Six ids in the order of their numbers, of which two end a chunk. */
const ids = Array.from({ length: 6 }, (_, n) => {
  const spellings = Array.from({ length: 1_000 }, (_, at) => `p${n}-${at}`)
  const ends = n === 1 || n === 3
  const found = spellings.find(id =>
    people(0, 1, { externalId: id }).accounts.every(one => isEnd(one) === ends),
  )
  if (!found) throw new Error('One in sixteen ids ends a chunk')
  return found
})

function isEnd(account: Account): boolean {
  return createCutter().push(account) !== undefined
}

interface Said {
  name: string
  status: AccountStatus
}
type Listed = Map<string, Said>

const thresholds = { people: 1, percent: 30 }
const isOff = (status: AccountStatus) => status === 'suspended' || status === 'deactivated'

/** The end of the run that saw somebody first, if they were seen within it: a first load notes its beginning. */
function ofRun(endedMs: number | undefined, seenAt: string): number {
  const seenMs = Date.parse(seenAt)
  return endedMs !== undefined && seenMs <= endedMs && endedMs - seenMs < 30_000 ? endedMs : seenMs
}

type Lost = Map<string, AccountStatus | null>

/** Who is missing or disabled, and stays as they were: since when, by which question, and whether a person wants it so. */
interface Mark {
  as: AccountStatus | null
  by: number
  sinceMs: number
  kept: boolean
}

/** Who is reported, since when they are known, and what is held back: nothing about pages, staging, SQL or rows. */
function createModel() {
  const reported: Listed = new Map()
  const firstSeen = new Map<string, number>()
  const marks = new Map<string, Mark>()
  /** What the last held run asked about, and the last one with a whole list. */
  interface Question {
    set: Lost
    by: number
    open: boolean
    decided: boolean
  }
  let last: Question | null = null
  let whole: Question | null = null
  let questions = 0
  const alike = (a: Lost, b: Lost) =>
    a.size === b.size && [...a].every(([id, what]) => b.has(id) && b.get(id) === what)
  const marked = (by: number) => [...marks].filter(([, mark]) => mark.by === by)
  const askedAbout = (lost: Lost) =>
    [last, whole].find(one => one && alike(one.set, lost) && marked(one.by).length === lost.size)
  const isKept = (id: string) => marks.get(id)?.kept === true
  return {
    reported,
    firstSeen,
    run(listed: Listed, complete: boolean, atMs: number) {
      const lost: Lost = new Map()
      for (const [id, was] of reported) {
        const now = listed.get(id)
        if (!now && complete) lost.set(id, null)
        if (now && isOff(now.status) && !isOff(was.status)) lost.set(id, now.status)
      }
      // A list that is not complete asks about nobody who is kept, but about the very same set.
      const others = !complete && !askedAbout(lost)
      const asked: Lost = others ? new Map([...lost].filter(([id]) => !isKept(id))) : lost
      const many = Math.max(thresholds.people, (reported.size * thresholds.percent) / 100)
      const tooMany = asked.size >= reported.size || asked.size > many
      const held = asked.size > 0 && (tooMany || [...asked.keys()].some(isKept))
      const back = (id: string) => lost.get(id) && ((held && asked.has(id)) || (!complete && marks.has(id)))
      for (const [id, said] of listed) {
        if (back(id)) continue
        reported.set(id, said)
        if (!firstSeen.has(id)) firstSeen.set(id, atMs)
      }
      if (held) {
        const same = askedAbout(asked)
        const sinceMs = (id: string) => marks.get(id)?.sinceMs ?? atMs
        const keptUntil = Math.max(...[...asked.keys()].filter(isKept).map(sinceMs))
        last = same
          ? { ...same, open: !same.decided }
          : { set: asked, by: ++questions, open: true, decided: false }
        const { by } = last
        // Who is missing as long as one who is kept, is kept.
        if (!same)
          for (const [id, as] of asked)
            marks.set(id, { as, by, sinceMs: sinceMs(id), kept: sinceMs(id) <= keptUntil })
        if (complete) whole = last
      } else if (complete) last = whole = null
      else if (last) last.open = false
      if (!held && complete) for (const id of lost.keys()) if (lost.get(id) === null) reported.delete(id)
      if (complete) for (const [id, { by }] of marks) if (by !== last?.by) marks.delete(id)
    },
    decide(what: 'allow' | 'keep') {
      if (!last?.open) return
      last.open = false
      last.decided = true
      for (const [id, mark] of marked(last.by)) {
        mark.kept = true
        if (what === 'keep') continue
        const was = reported.get(id)
        if (mark.as === null) reported.delete(id)
        else if (was) reported.set(id, { ...was, status: mark.as })
        marks.delete(id)
      }
    },
    deleteAll() {
      for (const all of [reported, firstSeen, marks]) all.clear()
      last = whole = null
    },
  }
}

const person = fc.record({
  id: fc.integer({ min: 0, max: 5 }),
  name: fc.constantFrom('x', 'y', '\\N', 'tab\t'),
  status: fc.constantFrom<AccountStatus>('active', 'active', 'active', 'invited', 'suspended', 'deactivated'),
})
const pages = fc.array(fc.array(person, { maxLength: 5 }), { maxLength: 3 })
const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant('run' as const), pages, complete: fc.boolean() }) },
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constant('run' as const), pages, complete: fc.constant(true) }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('again' as const), back: fc.nat({ max: 2 }) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('fail' as const), pages }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constantFrom('allow' as const, 'keep' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('allow-old' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('delete' as const) }) },
)

type Step = typeof step extends fc.Arbitrary<infer S> ? S : never

const all = (status: AccountStatus, ...ids: number[]): Step => ({
  do: 'run',
  pages: [ids.map(id => ({ id, name: 'x', status }))],
  complete: true,
})
const active = (...ids: number[]) => all('active', ...ids)

/** What chance seldom hits. */
const examples: Step[][] = [
  // Disabled by permission, and back as they were before.
  [active(0, 1, 2), all('suspended', 0, 1, 2), { do: 'allow' }, active(0, 1, 2)],
  // Kept among few, and still kept among many.
  [
    active(0, 1, 2, 3, 4),
    active(0, 1, 2),
    { do: 'keep' },
    active(0, 1, 2, 5, 6, 7, 8, 9),
    active(0, 1, 2, 5, 6, 7, 8, 9),
  ],
  // Kept, deleted, and missing again: another question.
  [
    ...[active(0, 1, 2, 3, 4), active(0, 1, 2), { do: 'keep' } as const, { do: 'delete' } as const],
    ...[{ ...active(0, 1, 2, 3, 4), complete: false } as Step, active(0, 1, 2), { do: 'allow' } as const],
  ],
  // Kept, fewer of them than anybody would ask about by now, and another set: nobody goes, not even when it stays so.
  [
    ...[active(0, 1, 2, 3, 4, 5), active(0, 1, 2), { do: 'keep' } as const, active(0, 1, 2, 3, 4)],
    ...[{ do: 'again', back: 0 } as const, active(0, 1, 2, 3, 5), { do: 'allow' } as const],
  ],
  // Kept, and a list that is not complete finds others disabled: each decision stands.
  [
    ...[active(0, 1, 2, 3, 4, 5), all('suspended', 0, 1), { do: 'keep' } as const],
    ...[{ ...all('suspended', 0, 1, 2, 3), complete: false } as Step, { do: 'keep' } as const],
    ...[all('suspended', 0, 1), { do: 'allow' } as const],
  ],
  // Held back as disabled, and listed so again by a list that is not complete.
  [
    ...[active(0, 1, 2, 3, 4, 5), all('suspended', 0, 1, 2, 3, 4, 5), { do: 'keep' } as const],
    { ...all('suspended', 3), complete: false } as Step,
  ],
  // Held back as disabled, the same again, and allowed then.
  [
    ...[active(0, 1, 2, 3, 4, 5), all('suspended', 0, 1, 2, 3, 4, 5), { do: 'again', back: 0 } as const],
    { do: 'allow' } as const,
  ],
  // Void since a list that was not complete came after it.
  [
    ...[active(0, 1, 2, 3), active(0, 1), { ...active(0, 1, 2, 3), complete: false } as Step],
    ...[{ do: 'allow' } as const, active(0, 1), { do: 'allow' } as const],
  ],
]

/** Press a card's button as an admin would, past the guard. */
async function press(actionId: 'held-allow' | 'held-keep', runId: string | undefined): Promise<void> {
  const { db, clock } = room
  const house: Partial<House> = { db, clock, log: silentLog, ring: () => {}, channel: 'C0SYNC' }
  const turn: Partial<ActionTurn> = {
    who: { teamId: 'T1', userId: 'U0ADA' },
    value: runId ?? '00000000-0000-0000-0000-000000000000',
    reply: async () => {},
  }
  await heldRemovalsGesture.actions?.[actionId]?.run(turn as ActionTurn, house as House, undefined, undefined)
}

describe.each([
  { known: 'nobody', remembers: false },
  { known: 'by what is read of them', remembers: true },
  { known: 'by the vendor’s bytes', remembers: true, cuts: true },
])('known again: $known', options => {
  beforeAll(async () => {
    room = await startSync(options)
  })
  afterAll(() => room.database.drop())

  test('any sequence of pages, repeats, failures, holds, approvals, refusals, deletions and returns leaves the accounts that the model has', async () => {
    const seed = Number(process.env.SAASM_TEST_SEED ?? Date.now() % 2 ** 31)
    process.stdout.write(`model: SAASM_TEST_SEED=${seed}\n`)
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 2, maxLength: 12 }), async (steps: Step[]) => {
        const { id } = await room.instance()
        await room.rows(
          `update instance set removal_people_max = ${thresholds.people}, removal_percent_max = ${thresholds.percent} where id = $1`,
          id,
        )
        const model = createModel()
        const listings: ReturnType<typeof listing>[] = []
        for (const taken of steps) {
          room.clock.advance(60_000)
          const runs = (await room.history(id)).filter(run => run.state === 'held')
          if (taken.do === 'allow' || taken.do === 'keep') {
            await press(`held-${taken.do}`, runs[0]?.id)
            model.decide(taken.do)
          } else if (taken.do === 'allow-old') {
            await press('held-allow', runs[1]?.id)
          } else if (taken.do === 'delete') {
            await room.db.transaction(async tx => {
              const now = room.clock.now()
              await regenerateInstance(tx, id, now)
              await requestRemoval(tx, { instanceId: id, kind: 'users', by: 'U1', now }, () => {})
            })
            await room.removeDue()
            model.deleteAll()
          } else {
            const asked =
              'pages' in taken
                ? listing(taken.pages, taken.do === 'run' && taken.complete)
                : listings.at(-1 - ('back' in taken ? taken.back : 0))
            if (!asked) continue
            listings.push(asked)
            const { listed, complete } = asked
            const fails = taken.do === 'fail'
            await runWith(id, asked, fails)
            const [run] = await room.history(id)
            if (!fails) model.run(listed, complete, run?.endedAt?.getTime() ?? 0)
            else expect(run?.state).toBe('failed')
          }
          const stored = await room.rows(
            'select external_id, name, status, first_seen_at from account where instance_id = $1 and gone_at is null order by external_id collate "C"',
            id,
          )
          const wanted = [...model.reported].toSorted(([a], [b]) => (a < b ? -1 : 1))
          expect(
            stored.map(row => [
              row.external_id,
              row.name,
              row.status,
              ofRun(model.firstSeen.get(row.external_id), row.first_seen_at),
            ]),
          ).toEqual(wanted.map(([key, said]) => [key, said.name, said.status, model.firstSeen.get(key)]))
        }
      }),
      {
        seed,
        numRuns: Number(process.env.SAASM_TEST_RUNS ?? 40),
        examples: examples.map(steps => [steps] as [Step[]]),
      },
    )
  }, 400_000)
})

/** Within one run a repeated person says the same each time, as the engine sees to it. */
function listing(given: { id: number; name: string; status: AccountStatus }[][], complete: boolean) {
  const listed: Listed = new Map(
    given.flat().map(({ id, name, status }) => [ids[id] ?? '', { name, status }]),
  )
  return { listed, pages: given.map(page => page.map(one => ids[one.id] ?? '')), complete }
}

async function runWith(
  id: string,
  { listed, pages, complete }: ReturnType<typeof listing>,
  fails: boolean,
): Promise<void> {
  room.vendor(async function* () {
    for (const page of pages) {
      const { accounts } = people(0, page.length)
      yield {
        accounts: accounts.map((account, at) => {
          const externalId = page[at] ?? ''
          return { ...account, externalId, email: null, ...listed.get(externalId) }
        }),
        problems: [],
      }
    }
    if (fails) throw new ProviderError('broken', { message: 'It broke.', detail: 'planned' })
    return { complete, warnings: [] }
  })
  await room.ask(id)
  await room.runDue()
}
