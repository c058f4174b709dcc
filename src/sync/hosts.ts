// The lines of the vendor hosts: joined when a run is asked for, put right by the sweep, and when the next one's turn comes.
import { type SQL, sql } from 'drizzle-orm'
import { connectorById } from '../connectors/registry.ts'
import type { Conn } from '../db/db.ts'
import type { Instance } from '../instances/instance.ts'
import { smallPeopleMax, smallSecondsMax } from './limits.ts'
import { type RunSize, runSizes } from './run.ts'

/** A line in which nobody has waited for this long is dropped. */
const emptySecondsMax = 3_600
const lockedMs = 20

/** The vendor host that runs of this instance read from; the connector's id when its settings name none. */
export function hostOf(instance: Pick<Instance, 'connector' | 'settings'>): string {
  try {
    const base = connectorById(instance.connector)?.base(instance.settings)
    return base ? new URL(base).host : instance.connector
  } catch {
    // The run itself says what is wrong with the settings.
    return instance.connector
  }
}

/** The size of the next run of this instance, as its last good one lets expect. */
export function sizeOf(instanceId: SQL): SQL {
  return sql`coalesce((
    select case when l.people_read > ${smallPeopleMax} or l.ended_at - l.started_at > make_interval(secs => ${smallSecondsMax} + l.put_off_ms / 1000.0)
      then 'large' else 'small' end
    from sync_run l where l.instance_id = ${instanceId} and l.state in ('succeeded', 'partial', 'held')
    order by l.requested_at desc limit 1), 'unknown')`
}

/** What a line says of the runs `w` that wait in it. */
export const waitingFacts = sql`min(w.due_at) as due_at, coalesce(bool_or(w.urgent), false) as urgent,
  coalesce(min(array_position(${sql.param([...runSizes])}::text[], w.size)), 1) as smallest`

/**
 * What a line says once more waits in it. Whoever joined it meanwhile was not seen: it says of both, and of one that waits no
 * more until it is looked at next.
 */
const joined = sql`due_at = least(h.due_at, excluded.due_at),
  urgent = excluded.urgent or (h.urgent and h.due_at is not null),
  smallest = case when h.due_at is null then excluded.smallest else least(h.smallest, excluded.smallest) end`

/** Runs wait on these hosts: the lines are looked at as soon as a start is allowed there. Locks them: the last thing a transaction does. */
export async function joinLines(conn: Conn, hosts: readonly string[]): Promise<void> {
  if (hosts.length === 0) return
  await conn.execute(sql`
    insert into sync_host as h (host, due_at, urgent, smallest)
    select w.host, ${waitingFacts} from sync_run w
    where w.state = 'requested' and w.host in ${[...new Set(hosts)]} group by w.host order by w.host
    on conflict (host) do update set ${joined}, ready_at = least(h.ready_at, greatest(h.next_start_at, now()))`)
}

/** Lines that do not say what waits in them are put right: their process died between a run's end and its word of it. */
export async function mendLines(conn: Conn): Promise<void> {
  await conn.execute(sql`
    insert into sync_host as h (host, due_at, urgent, smallest)
    select f.host, f.due_at, f.urgent, f.smallest
    from (select w.host, ${waitingFacts} from sync_run w where w.state = 'requested' group by w.host) f
    left join sync_host l on l.host = f.host
    where l.due_at is null or l.due_at > f.due_at or (f.urgent and not l.urgent) or l.smallest > f.smallest
    order by f.host
    on conflict (host) do update set ${joined}`)
  await conn.execute(
    sql`delete from sync_host where host in (
      select host from sync_host where due_at is null and ready_at < now() - make_interval(secs => ${emptySecondsMax})
      for update skip locked)`,
  )
}

/**
 * Milliseconds until a run that is due, of one of these sizes, may be started on a host that has just had one; undefined: none
 * waits for that. A line whose time has come is locked by somebody else just now: `lockedMs`.
 */
export async function paceMs(conn: Conn, now: Date, sizes: readonly RunSize[]): Promise<number | undefined> {
  const places = sizes.map(size => runSizes.indexOf(size) + 1)
  const rows = await conn.execute<{ ms: number | null }>(sql`
    select (extract(epoch from min(ready_at) - now()) * 1000)::float8 as ms from sync_host
    where due_at <= ${now.toISOString()} and ready_at = next_start_at and smallest in ${places}`)
  const ms = rows[0]?.ms
  return ms === null || ms === undefined ? undefined : Math.max(lockedMs, ms)
}

/** Milliseconds until the next line is to be looked at, or the lease of a run ends; undefined: neither will. */
export async function nextRunMs(conn: Conn, now: Date): Promise<number | undefined> {
  const rows = await conn.execute<{ ms: number | null }>(sql`
    select (extract(epoch from least(
      (select min(greatest(ready_at - now(), due_at - ${now.toISOString()}::timestamptz)) from sync_host where due_at is not null),
      (select min(lease_until) - now() from sync_run where state = 'running' and lease_until > now()))) * 1000)::float8 as ms`)
  const ms = rows[0]?.ms
  return ms === null || ms === undefined ? undefined : Math.max(0, ms)
}
