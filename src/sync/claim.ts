// Claiming runs: each host's line gives one at its pace and under its cap, whichever process asks; dead workers' runs are taken over.
import { sql } from 'drizzle-orm'
import { type Db, isUniqueViolation, type Tx } from '../db/db.ts'
import { joinLines } from './hosts.ts'
import { type RunLimits, smallPeopleMax } from './limits.ts'
import type { SyncRun } from './run.ts'
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

/**
 * Take runs that are due, at most one a host; urgent ones first, then the host that waits longest. `looked`: how many lines
 * were asked. A host's row stays locked until the claim is committed, so that its cap and its pace hold for all processes.
 * `freed`: hosts on which runs of this process have ended since.
 */
export async function claimRuns(
  db: Db,
  claimant: Claimant,
  freed: readonly string[] = [],
): Promise<{ runs: SyncRun[]; looked: number }> {
  try {
    return await db.transaction(async tx => {
      await joinLines(tx, freed)
      const hosts = await lockLines(tx, claimant)
      if (hosts.length === 0) return { runs: [], looked: 0 }
      // A statement of its own: what others have committed until the lines were locked must be seen when they are counted.
      const runs = await takeFrom(tx, hosts, claimant)
      await moveLines(tx, hosts, { runs, limits: claimant.limits })
      return { runs, looked: hosts.length }
    })
  } catch (error) {
    // A run of the same instance was taken on another host between our look and our write.
    if (isUniqueViolation(error)) return { runs: [], looked: 0 }
    throw error
  }
}

async function lockLines(tx: Tx, { now, places }: Claimant): Promise<string[]> {
  const rows = await tx.execute<{ host: string }>(sql`
    select host from sync_host where due_at is not null and ready_at <= now() and due_at <= ${now.toISOString()}
    order by urgent desc, ready_at limit ${places} for update skip locked`)
  return rows.map(row => row.host)
}

/** One run from each of these lines that may give one. */
async function takeFrom(
  tx: Tx,
  hosts: readonly string[],
  { owner, now, limits }: Claimant,
): Promise<SyncRun[]> {
  const at = now.toISOString()
  const largeMax = Math.max(1, Math.floor(limits.runsAtOnce / 2))
  const unsureMax = Math.max(1, limits.runsAtOnce - 1)
  return tx
    .update(syncRunTable)
    .set(claimed(owner, now))
    .where(
      sql`${syncRunTable.id} in (
        with mine as materialized (
          select count(*) filter (where size = 'large' or people_read > ${smallPeopleMax}) as large,
            count(*) filter (where size <> 'small' or people_read > ${smallPeopleMax}) as unsure
          from sync_run where state = 'running' and lease_owner = ${owner}),
        found as materialized (
          select r.id, r.size, line.place
          from unnest(${textArray(hosts)}) with ordinality as line(host, place) cross join mine cross join lateral (
            select w.id, w.size from sync_run w
            where w.host = line.host and w.state = 'requested' and w.due_at <= ${at}
              and (w.size <> 'large' or mine.large < ${largeMax}) and (w.size = 'small' or mine.unsure < ${unsureMax})
              and not exists (select 1 from sync_run o where o.instance_id = w.instance_id and o.state = 'running')
              and not exists (select 1 from removal m where m.instance_id = w.instance_id and m.state in ('requested', 'running'))
            order by w.urgent desc, w.due_at limit 1 for update skip locked) r
          where (select count(*) from sync_run o where o.host = line.host and o.state = 'running') < ${limits.hostRunsAtOnce}),
        summed as (
          select id, size, count(*) filter (where size = 'large') over so_far as large,
            count(*) filter (where size <> 'small') over so_far as unsure
          from found window so_far as (order by place))
        select summed.id from summed cross join mine
        where (size <> 'large' or mine.large + summed.large <= ${largeMax})
          and (size = 'small' or mine.unsure + summed.unsure <= ${unsureMax}))`,
    )
    .returning()
}

/** When each of these lines is looked at next: one that gave a run after its pause, the others a little later. */
async function moveLines(
  tx: Tx,
  hosts: readonly string[],
  { runs, limits }: { runs: readonly SyncRun[]; limits: RunLimits },
): Promise<void> {
  const gave = runs.map(run => run.host)
  const pause = sql`now() + make_interval(secs => ${1 / limits.hostStartsPerSecond})`
  await tx.execute(sql`
    update sync_host h set
      next_start_at = case when h.host = any(${textArray(gave)}) then ${pause} else h.next_start_at end,
      ready_at = case when h.host = any(${textArray(gave)}) then ${pause} else now() + make_interval(secs => ${lookAgainSeconds}) end,
      due_at = rest.due_at, urgent = coalesce(rest.urgent, false)
    from unnest(${textArray(hosts)}) as line(host) cross join lateral (
      select min(w.due_at) as due_at, bool_or(w.urgent) as urgent from sync_run w
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

/** Attempt and fence grow by one. */
function claimed(owner: string, now: Date) {
  return {
    state: 'running' as const,
    attempt: sql`${syncRunTable.attempt} + 1`,
    fence: sql`${syncRunTable.fence} + 1`,
    leaseUntil: lease,
    leaseOwner: owner,
    startedAt: sql`coalesce(${syncRunTable.startedAt}, ${now.toISOString()})`,
  }
}

function textArray(items: readonly string[]) {
  return sql`${sql.param([...items])}::text[]`
}
