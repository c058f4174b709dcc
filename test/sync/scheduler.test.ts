// The scheduler: caps and pace of a vendor host hold for all processes, nobody starves, and many due instances cost few statements.
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { type Db, openDb } from '../../src/db/db.ts'
import { recordOutcome } from '../../src/instances/store.ts'
import { claimRuns } from '../../src/sync/claim.ts'
import { joinLines } from '../../src/sync/hosts.ts'
import { type RunLimits, smallPeopleMax } from '../../src/sync/limits.ts'
import type { RunSize, SyncRun } from '../../src/sync/run.ts'
import { nextSyncAt } from '../../src/sync/schedule.ts'
import { settleRun } from '../../src/sync/store.ts'
import { createSweep } from '../../src/sync/sweep.ts'
import { until } from '../support/world.ts'
import { gate, halting, listing, type Pages, people, type Sync, startSync, whole } from './synced.ts'

let room: Sync
beforeAll(async () => {
  room = await startSync()
})
afterAll(() => room.database.drop())
beforeEach(() => room.rows('truncate sync_host, instance cascade'))

const unlimited: RunLimits = { runsAtOnce: 1_000, hostRunsAtOnce: 1_000, hostStartsPerSecond: 100_000 }

/** Instances with a run that waits on each of these hosts, oldest first. */
async function waiting(
  hosts: readonly string[],
  facts: { size?: RunSize; urgent?: boolean } = {},
): Promise<void> {
  await room.rows(
    `with i as (
      insert into instance (id, team_id, name, connector, status, owner, created_by, created_at, updated_at)
      select gen_random_uuid(), 'T1', gen_random_uuid()::text, 'okta', 'live', 'U1', 'U1', now(), now()
      from jsonb_array_elements_text($1::text::jsonb) returning id),
    i_n as (select id, row_number() over () as n from i),
    h as (select host, n from jsonb_array_elements_text($1::text::jsonb) with ordinality as h(host, n))
    insert into sync_run (id, instance_id, trigger, state, host, size, urgent, due_at, requested_at)
    select gen_random_uuid(), i_n.id, 'scheduled', 'requested', h.host, $2, $3::text::boolean,
      now() - interval '1 hour' + h.n * interval '1 ms', now()
    from i_n join h using (n)`,
    JSON.stringify(hosts),
    facts.size ?? 'small',
    String(facts.urgent ?? false),
  )
  await joinLines(room.db.conn, hosts)
}

async function claim(limits: Partial<RunLimits>, owner = 'first', places = 1_000): Promise<SyncRun[]> {
  const claimant = { owner, now: room.clock.now(), limits: { ...unlimited, ...limits }, places }
  const { runs } = await claimRuns(room.db, claimant)
  return runs
}

const end = (run: SyncRun) =>
  settleRun(room.db.conn, run, 'succeeded', {
    ...{ endedAt: room.clock.now(), added: 0, changed: 0, removed: 0, unchanged: 0 },
  })

const times = <T>(n: number, item: T): T[] => Array.from({ length: n }, () => item)

test('however many claims race, a host never has more runs at once than its cap', async () => {
  const hosts = ['a.example', 'b.example', 'c.example']
  await waiting(hosts.flatMap(host => times(40, host)))
  let most = 0
  const done = new Set<string>()
  async function worker(owner: string): Promise<void> {
    let before: SyncRun[] = []
    for (let idle = 0; idle < 100 && done.size < 120; ) {
      const runs = await claim({ hostRunsAtOnce: 2 }, owner, 2)
      idle = runs.length > 0 ? 0 : idle + 1
      const [row] = await room.rows(
        "select max(n)::int as most from (select count(*) as n from sync_run where state = 'running' group by host) r",
      )
      most = Math.max(most, Number(row?.most ?? 0))
      // Those of the turn before end only now, so that some are always running.
      for (const run of before) {
        await end(run)
        done.add(run.id)
      }
      await joinLines(
        room.db.conn,
        before.map(run => run.host),
      )
      before = runs
      // A line that was full is looked at again at once: here nobody waits two seconds.
      // In one order, as all who lock several lines do.
      await room.rows(`
        update sync_host h set ready_at = h.next_start_at
        from (select host from sync_host where ready_at > next_start_at order by host for update) line
        where h.host = line.host`)
    }
  }
  await Promise.all(times(8, '').map((_, at) => worker(`worker ${at}`)))
  expect(done.size).toBe(120)
  expect(most).toBe(2)
})

test('two runners on one Postgres read from a vendor host at most as often at once as its cap, and as often as that', async () => {
  const cap = 3
  const other = openDb(room.database.url)
  const begun = new Map<string, number>()
  let [atOnce, most, refused] = [0, 0, false]
  /** A line that gave nothing is looked at later than a start would be allowed. */
  const wasRefused = async () =>
    (await room.rows('select 1 from sync_host where ready_at > next_start_at')).length > 0
  const vendorOf = (owner: string): Pages =>
    async function* () {
      begun.set(owner, (begun.get(owner) ?? 0) + 1)
      atOnce += 1
      most = Math.max(most, atOnce)
      // The first ones stay until the lane that is left has asked for one more.
      await until('one was refused', async () => {
        refused ||= atOnce > cap || (atOnce === cap && (await wasRefused()))
        return refused
      })
      yield people(0, 1)
      atOnce -= 1
      return whole
    }
  await waiting(times(12, 'a.example'))
  const limits = { runsAtOnce: 2, hostRunsAtOnce: cap }
  try {
    await Promise.all([
      room.runDue(undefined, 'first', vendorOf('first'), { limits }),
      room.runDue(undefined, 'second', vendorOf('second'), { limits, db: other }),
    ])
  } finally {
    await other.close()
  }
  expect(most).toBe(cap)
  expect([...begun.keys()].toSorted(), 'both take part').toEqual(['first', 'second'])
  const ended = await room.rows("select 1 from sync_run where state = 'succeeded'")
  expect(ended).toHaveLength(12)
})

test('however many claims race, a host has no two starts within its pause', async () => {
  await waiting(times(30, 'a.example'))
  const taken = (
    await Promise.all(times(12, '').map((_, at) => claim({ hostStartsPerSecond: 1 }, `w${at}`)))
  ).flat()
  expect(taken).toHaveLength(1)
  expect(await claim({ hostStartsPerSecond: 1 })).toEqual([])
  await room.rows(
    "update sync_host set ready_at = ready_at - interval '1 second', next_start_at = next_start_at - interval '1 second'",
  )
  expect(await claim({ hostStartsPerSecond: 1 })).toHaveLength(1)
})

test('the pause lets a runner go on by itself: 12 instances of one host start no faster than 10 in a second', async () => {
  const starts: number[] = []
  room.vendor(async function* () {
    starts.push(performance.now())
    yield people(0, 1)
    return whole
  })
  await waiting(times(12, 'a.example'))
  await room.runDue(undefined, 'first', undefined, { limits: { hostStartsPerSecond: 10 } })
  expect(starts).toHaveLength(12)
  const [row] = await room.rows("select count(*)::int as n from sync_run where state = 'succeeded'")
  expect(row?.n).toBe(12)
  // 11 pauses of 100 ms; the vendor is reached a moment after the start that the database has counted.
  expect((starts.at(-1) ?? 0) - (starts[0] ?? 0)).toBeGreaterThan(1_000)
})

test('a host with a thousand waiting does not hold up another one, and gives one run a claim', async () => {
  await waiting(times(1_000, 'big.example'))
  await waiting(['small.example'])
  const runs = await claim({}, 'first', 4)
  expect(runs.map(run => run.host).toSorted()).toEqual(['big.example', 'small.example'])
})

test('large runs take half of the lanes at most, those of unknown size all but one, small ones what is left', async () => {
  const hosts = (name: string) => times(6, '').map((_, at) => `${name}${at}.example`)
  await waiting(hosts('large'), { size: 'large' })
  await waiting(hosts('unknown'), { size: 'unknown' })
  await waiting(hosts('small'), { size: 'small' })
  const limits = { runsAtOnce: 6 }
  const sizes: string[] = []
  while (sizes.length < 6) {
    const runs = await claim(limits, 'first', 6 - sizes.length)
    sizes.push(...runs.map(run => run.size))
  }
  expect(sizes.toSorted()).toEqual(['large', 'large', 'large', 'small', 'unknown', 'unknown'])
})

test('a first load that has grown large counts as large while it goes on', async () => {
  await waiting(['a.example', 'b.example'], { size: 'unknown' })
  const limits = { runsAtOnce: 4 }
  expect(await claim(limits)).toHaveLength(2)
  await room.rows(`update sync_run set people_read = ${smallPeopleMax + 1} where state = 'running'`)
  await waiting(['c.example'], { size: 'large' })
  expect(await claim(limits)).toEqual([])
  await waiting(['d.example'], { size: 'small' })
  expect(await claim(limits)).toHaveLength(1)
})

test('while a huge instance is being read, others are asked for, run and end', async () => {
  const huge = await room.instance()
  const at = gate()
  await room.ask(huge.id, 'initial')
  const running = room.runDue(undefined, 'first', halting(at))
  await at.reached
  const small = await room.instance('github')
  await room.ask(small.id)
  room.nudge()
  await expect
    .poll(async () => (await room.latest(small.id)).state, { timeout: 10_000 })
    .not.toBe('requested')
  expect((await room.latest(huge.id)).state).toBe('running')
  at.open()
  await running
  expect((await room.latest(small.id)).state).toBe('succeeded')
})

test('the size of a run is what the last good one read', async () => {
  const { id } = await room.instance()
  const sizeNow = async () => {
    room.clock.advance(1)
    const { run } = await room.ask(id)
    await room.runDue()
    return run.size
  }
  room.list(people(0, 3))
  expect(await sizeNow()).toBe('unknown')
  expect(await sizeNow()).toBe('small')
  await room.rows(`update sync_run set people_read = ${smallPeopleMax + 1} where instance_id = $1`, id)
  expect(await sizeNow()).toBe('large')
})

test('the run of a dead worker goes before all who wait, where there is one place', async () => {
  const [dead, ...others] = await Promise.all(Array.from({ length: 4 }, () => room.instance()))
  await room.ask(dead?.id ?? '')
  const { runs } = await claimRuns(room.db, {
    ...{ owner: 'dead', now: room.clock.now(), limits: unlimited, places: 1 },
  })
  expect(runs).toHaveLength(1)
  await room.die()
  await room.rows('update sync_host set ready_at = now(), next_start_at = now()')
  for (const { id } of others) await room.ask(id)
  const order: string[] = []
  const noting: Pages = async function* () {
    const [row] = await room.rows('select instance_id from sync_run where lease_until > now()')
    order.push(String(row?.instance_id))
    yield people(0, 1)
    return whole
  }
  await room.runDue(undefined, 'first', noting, { limits: { runsAtOnce: 1 } })
  expect(order).toHaveLength(4)
  expect(order[0]).toBe(dead?.id)
})

test('what a person waits for goes before what the schedule asked for, on its host and on every other', async () => {
  await waiting(times(50, 'a.example'))
  await waiting(times(50, '').map((_, at) => `other${at}.example`))
  await waiting(['a.example'], { urgent: true })
  const [first] = await claim({}, 'first', 1)
  expect(first).toMatchObject({ host: 'a.example', urgent: true })
})

test('Sync now on an instance whose scheduled run waits moves that run to the front', async () => {
  const { id } = await room.instance()
  await waiting(times(20, 'acme.example'))
  const { run } = await room.ask(id, 'scheduled', null)
  expect(run.urgent).toBe(false)
  expect((await room.ask(id)).created).toBe(false)
  const [first] = await claim({}, 'first', 1)
  expect(first?.id).toBe(run.id)
})

test('an urgent run does not pass the cap of its host', async () => {
  await waiting(['a.example', 'a.example'])
  await claim({ hostRunsAtOnce: 1 })
  await waiting(['a.example'], { urgent: true })
  expect(await claim({ hostRunsAtOnce: 1 })).toEqual([])
})

test('a run whose end nobody was told of, in a line that says nothing waits, is found by the sweep', async () => {
  await waiting(['a.example'])
  await room.rows('update sync_host set due_at = null')
  expect(await claim({})).toEqual([])
  await createSweep(room.work)(new AbortController().signal)
  expect(await claim({})).toHaveLength(1)
})

/** Instances that are due by their schedule. */
async function due(count: number, hosts = 100): Promise<void> {
  await room.rows(
    `insert into instance (id, team_id, name, connector, settings, status, owner, created_by, created_at, updated_at, next_sync_at)
     select gen_random_uuid(), 'T1', 'i' || n, 'okta', jsonb_build_object('domain', 'acme' || n % $2::text::int || '.okta.com'), 'live',
       'U1', 'U1', now(), now(), now() - interval '1 hour' from generate_series(1, $1::text::int) n`,
    String(count),
    String(hosts),
  )
}

/** The same database, and how many statements it was given. */
function counting(db: Db): { db: Db; statements(): number } {
  let statements = 0
  const watched = <T extends object>(conn: T): T =>
    new Proxy(conn, {
      get(target, name) {
        if (['execute', 'select', 'insert', 'update', 'delete'].includes(String(name))) statements += 1
        return Reflect.get(target, name)
      },
    })
  const transaction: Db['transaction'] = (work, options) => db.transaction(tx => work(watched(tx)), options)
  return { db: { ...db, conn: watched(db.conn), transaction }, statements: () => statements }
}

test('10,000 due instances are asked for in one sweep, in fewer than 100 statements', async () => {
  await due(10_000)
  const { db, statements } = counting(room.db)
  await createSweep({ ...room.work, db })(new AbortController().signal)
  const [row] = await room.rows(
    "select count(*)::int as n, count(distinct instance_id)::int as instances, count(distinct host)::int as hosts from sync_run where state = 'requested'",
  )
  expect(row).toMatchObject({ n: 10_000, instances: 10_000, hosts: 100 })
  expect(await room.rows('select 1 from instance where next_sync_at < now()')).toHaveLength(0)
  expect(statements()).toBeGreaterThan(20)
  expect(statements()).toBeLessThan(100)
})

test('a huge instance under way holds up none of forty small ones on other hosts', async () => {
  const at = gate()
  let asked = 0
  room.vendor((signal, from) => {
    asked += 1
    return (asked === 1 ? halting(at) : listing(people(0, 3)))(signal, from)
  })
  const huge = await room.instance()
  await room.ask(huge.id, 'initial')
  const running = room.runDue()
  await at.reached
  await due(40, 40)
  await createSweep(room.work)(new AbortController().signal)
  room.nudge()
  const ended = async () => (await room.rows("select 1 from sync_run where state = 'succeeded'")).length
  await expect.poll(ended, { timeout: 20_000 }).toBe(40)
  expect((await room.latest(huge.id)).state).toBe('running')
  at.open()
  await running
})

test('instances of one company that fall due at one moment are not started at one vendor in one second', async () => {
  // By the database's clock, which the pace is kept by: what Node sees of it may be late.
  await room.rows('create table started (at timestamptz not null)')
  await room.rows(`create function note_start() returns trigger language plpgsql as
    $$ begin insert into started values (now()); return null; end $$`)
  await room.rows(`create trigger note_start after update on sync_run for each row
    when (old.state = 'requested' and new.state = 'running') execute function note_start()`)
  room.list(people(0, 1))
  await due(8, 1)
  await createSweep(room.work)(new AbortController().signal)
  await room.runDue(undefined, 'first', undefined, { limits: { hostStartsPerSecond: 4 } })
  await room.rows('drop trigger note_start on sync_run')
  const gaps = await room.rows(
    'select (extract(epoch from at - lag(at) over (order by at)) * 1000)::float8 as ms from started order by at',
  )
  expect(gaps).toHaveLength(8)
  for (const { ms } of gaps.slice(1)) expect(ms).toBeGreaterThanOrEqual(250)
})

test('two sweeps at once ask for each due instance once, and an open run is enough', async () => {
  await due(1_200)
  const { id } = await room.instance()
  await room.ask(id)
  await room.db.transaction(tx =>
    recordOutcome(tx, id, { nextSyncAt: new Date(room.clock.now().getTime() - 1_000) }),
  )
  const sweep = () => createSweep(room.work)(new AbortController().signal)
  await Promise.all([sweep(), sweep()])
  await sweep()
  expect(await room.rows('select 1 from sync_run')).toHaveLength(1_201)
  expect(await room.rows('select instance_id from sync_run group by 1 having count(*) > 1')).toEqual([])
  expect(await room.history(id)).toHaveLength(1)
})

test('a claim reads one line and one run of it, however many wait', async () => {
  await due(10_000, 5_000)
  await createSweep(room.work)(new AbortController().signal)
  await room.rows('analyze sync_host')
  await room.rows('analyze sync_run')
  const plan = async (text: string) =>
    (await room.rows(`explain (analyze, format text) ${text}`))
      .map(row => String(row['QUERY PLAN']))
      .join('\n')
  const line = await plan(
    "select host from sync_host where smallest = 2 and due_at is not null and ready_at <= now() and due_at <= now() + interval '1 day' order by urgent desc, ready_at limit 4 for update skip locked",
  )
  expect(line).toContain('sync_host_turn')
  expect(line).not.toMatch(/Sort|Seq Scan/)
  const run = await plan(
    "select id from sync_run w where w.host = 'acme1.okta.com' and w.state = 'requested' and w.due_at <= now() + interval '1 day' order by w.urgent desc, w.due_at limit 1 for update skip locked",
  )
  expect(run).toContain('sync_run_waiting')
  expect(run).not.toMatch(/Sort|Seq Scan/)
})

test('instances that end at one moment are due again spread over a twentieth of their interval', () => {
  const now = new Date()
  const minutes = Array.from(
    { length: 2_000 },
    () => (nextSyncAt({ scheduleHours: 24 }, now).getTime() - now.getTime()) / 60_000,
  )
  expect(Math.max(...minutes)).toBeLessThanOrEqual(24 * 60)
  expect(Math.min(...minutes)).toBeGreaterThanOrEqual(24 * 60 * 0.95)
  const busiest = Math.max(
    ...minutes.map(at => minutes.filter(other => other >= at && other < at + 1).length),
  )
  // 72 minutes: about 28 in each.
  expect(busiest).toBeLessThan(70)
})
