// Claiming runs: each host's line gives one at its pace and under its cap, whichever process asks; dead workers' runs are taken over.
import { inArray, sql } from 'drizzle-orm'
import { stagedOf } from '../accounts/pages.ts'
import { byKeyAndOnePlan, type Db, isUniqueViolation, type Tx } from '../db/db.ts'
import type { Instance } from '../instances/instance.ts'
import { instancesById } from '../instances/store.ts'
import { one } from '../lib/assert.ts'
import { joinLines, waitingFacts } from './hosts.ts'
import { type RunLimits, smallPeopleMax } from './limits.ts'
import { type RunSize, runSizes, type SyncRun } from './run.ts'
import { lease } from './store.ts'
import { syncRunTable } from './table.ts'

/** A line that gave nothing (its host is full, or this process takes no large ones now) is left alone for this long. */
const lookAgainSeconds = 2

export interface Claimant {
  /** Names the process. */
  owner: string
  now: Date
  limits: RunLimits
  /** How many runs it takes. */
  places: number
}

export interface Claimed {
  runs: SyncRun[]
  /** Of the runs, as they are with the claim. */
  instances: Map<string, Instance>
  looked: number
  /** Of which there was room for more. */
  sizes: readonly RunSize[]
}

const nothing = { runs: [], instances: new Map(), looked: 0 }

/**
 * Take runs that are due, at most one a host; urgent ones first, then the host that waits longest. `looked`: how many lines
 * were asked. A host's row stays locked until the claim is committed, so that its cap and its pace hold for all processes.
 * `freed`: hosts on which runs of this process have ended since.
 */
export async function claimRuns(db: Db, claimant: Claimant, freed: readonly string[] = []): Promise<Claimed> {
  try {
    return await db.transaction(async tx => {
      // In this order, on the way to Postgres together.
      const [, , { hosts, ...room }] = await Promise.all([
        tx.execute(sql`select ${byKeyAndOnePlan}`),
        joinLines(tx, freed),
        lockLines(tx, claimant),
      ])
      const sizes = sizesIn(room)
      if (hosts.length === 0) return { ...nothing, sizes }
      // A statement of its own: what others have committed until the lines were locked must be seen when they are counted.
      const { taken, passed } = await choose(tx, hosts, { ...claimant, room })
      const moved = hosts.filter(host => !passed.has(host))
      const gave = taken.map(run => run.host)
      const [runs, instances] = await Promise.all([
        take(tx, taken, claimant),
        instancesById(
          tx,
          taken.map(run => run.instance_id),
        ),
        moveLines(tx, moved, { gave, limits: claimant.limits }),
      ])
      return { runs, instances, looked: hosts.length, sizes }
    })
  } catch (error) {
    // A run of the same instance was taken on another host between our look and our write.
    if (isUniqueViolation(error)) return { ...nothing, sizes: runSizes }
    throw error
  }
}

/** How many more runs this process takes that are large, and that are not known to be small. */
type Room = {
  large: number
  unsure: number
}

/** What there is room for. */
function sizesIn(room: Room): RunSize[] {
  return runSizes.filter(size => size === 'small' || (size === 'large' ? room.large : room.unsure) > 0)
}

/** What there is room for, and the lines whose turn it is, of every size of that. */
async function lockLines(
  tx: Tx,
  { owner, limits, now, places }: Claimant,
): Promise<Room & { hosts: string[] }> {
  const lanes = limits.runsAtOnce
  const rows = await tx.execute<Room & { hosts: string[] }>(sql`
    with running as (
      select count(*) filter (where size = 'large' or people_read > ${smallPeopleMax})::int as large,
        count(*) filter (where size <> 'small' or people_read > ${smallPeopleMax})::int as unsure
      from sync_run where state = 'running' and lease_owner = ${owner}),
    room as (
      select least(${Math.max(1, lanes - 1)}::int - unsure, ${Math.max(1, Math.floor(lanes / 2))}::int - large) as large,
        ${Math.max(1, lanes - 1)}::int - unsure as unsure
      from running),
    line as (
      select line.* from room
      cross join lateral generate_series(1, case when large > 0 then 3 when unsure > 0 then 2 else 1 end) as size
      cross join lateral (
        select host, urgent, ready_at from sync_host
        where smallest = size and due_at is not null and ready_at <= now() and due_at <= ${now.toISOString()}
        order by urgent desc, ready_at limit ${places} for update skip locked) line
      order by urgent desc, ready_at limit ${places})
    select large, unsure, (select coalesce(array_agg(host order by urgent desc, ready_at), '{}') from line) as hosts
    from room`)
  return one(rows, 'what there is room for is one row')
}

interface Chosen extends Record<string, unknown> {
  id: string
  instance_id: string
  host: string
  size: RunSize
}

/** One run from each of these lines that may give one. `passed`: lines whose run is one large one too many for this process. */
async function choose(
  tx: Tx,
  hosts: readonly string[],
  { now, limits, room }: Claimant & { room: Room },
): Promise<{ taken: Chosen[]; passed: Set<string> }> {
  const at = now.toISOString()
  // The others of a host's places are for what is over soon, however many large ones wait there.
  const largeOfHost = Math.max(1, limits.hostRunsAtOnce - 1)
  const found = await tx.execute<Chosen>(sql`
    select r.id, r.instance_id, r.host, r.size
    from unnest(${textArray(hosts)}) with ordinality as line(host, place) cross join lateral (
      select w.id, w.instance_id, w.host, w.size from sync_run w
      where w.host = line.host and w.state = 'requested' and w.due_at <= ${at}
        and (w.size <> 'large' or ${room.large > 0}) and (w.size = 'small' or ${room.unsure > 0})
        and (w.size = 'small' or (
          select count(*) from sync_run o where o.host = line.host and o.state = 'running'
            and (o.size = 'large' or o.people_read > ${smallPeopleMax})) < ${largeOfHost})
        and not exists (select 1 from sync_run o where o.instance_id = w.instance_id and o.state = 'running')
        and not exists (select 1 from removal m where m.instance_id = w.instance_id and m.state in ('requested', 'running'))
      order by w.urgent desc, w.due_at limit 1 for update skip locked) r
    where (select count(*) from sync_run o where o.host = line.host and o.state = 'running') < ${limits.hostRunsAtOnce}
    order by line.place`)
  const left = { ...room }
  const [taken, passed] = [[] as Chosen[], new Set<string>()]
  for (const run of found) {
    const { host, size } = run
    if ((size === 'large' && left.large <= 0) || (size !== 'small' && left.unsure <= 0)) passed.add(host)
    else {
      taken.push(run)
      if (size === 'large') left.large -= 1
      if (size !== 'small') left.unsure -= 1
    }
  }
  return { taken, passed }
}

async function take(tx: Tx, taken: readonly Chosen[], { owner, now }: Claimant): Promise<SyncRun[]> {
  if (taken.length === 0) return []
  const ids = taken.map(run => run.id)
  return tx.update(syncRunTable).set(claimed(owner, now)).where(inArray(syncRunTable.id, ids)).returning()
}

/** When each of these lines is looked at next: one that gave a run after its pause, the others a little later. */
async function moveLines(
  tx: Tx,
  hosts: readonly string[],
  { gave, limits }: { gave: readonly string[]; limits: RunLimits },
): Promise<void> {
  const pause = sql`now() + make_interval(secs => ${1 / limits.hostStartsPerSecond})`
  await tx.execute(sql`
    update sync_host h set
      next_start_at = case when h.host = any(${textArray(gave)}) then ${pause} else h.next_start_at end,
      ready_at = case when h.host = any(${textArray(gave)}) then ${pause} else now() + make_interval(secs => ${lookAgainSeconds}) end,
      due_at = rest.due_at, urgent = rest.urgent, smallest = rest.smallest
    from unnest(${textArray(hosts)}) as line(host) cross join lateral (
      select ${waitingFacts} from sync_run w
      where w.host = line.host and w.state = 'requested') rest
    where h.host = line.host`)
}

/** Take over runs whose worker has died: they have their place on their host already. */
export async function takeOverRuns(db: Db, { owner, now, places }: Claimant): Promise<SyncRun[]> {
  return db.conn
    .update(syncRunTable)
    .set(claimed(owner, now))
    .where(
      sql`${syncRunTable.id} in (
        with left_behind as materialized (
          select r.id from sync_run r where r.state = 'running' and r.lease_until < now()
            and not exists (select 1 from removal m where m.instance_id = r.instance_id and m.state in ('requested', 'running'))
          order by r.lease_until limit ${places} for update skip locked)
        select id from left_behind)`,
    )
    .returning()
}

/** Attempt and fence grow by one; the attempts are counted from the last one that has brought anything into staging. */
function claimed(owner: string, now: Date) {
  const staged = stagedOf(sql`${syncRunTable.id}`)
  return {
    state: 'running' as const,
    attempt: sql`case when ${staged} > ${syncRunTable.stagedAtClaim} then 1 else ${syncRunTable.attempt} + 1 end`,
    stagedAtClaim: staged,
    fence: sql`${syncRunTable.fence} + 1`,
    leaseUntil: lease,
    leaseOwner: owner,
    startedAt: sql`coalesce(${syncRunTable.startedAt}, ${now.toISOString()})`,
  }
}

function textArray(items: readonly string[]) {
  return sql`${sql.param([...items])}::text[]`
}
