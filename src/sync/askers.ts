// Askers: who asked for a run, and who would have and found it there already; each of them hears its end, whatever it is.
import { type SQL, sql } from 'drizzle-orm'
import { usersOf } from '../accounts/summary.ts'
import { tellPeople } from '../announce/announce.ts'
import { isLockTimeout, type Tx } from '../db/db.ts'
import type { Instance } from '../instances/instance.ts'
import type { Ring } from '../jobs/jobs.ts'
import { newId } from '../lib/ids.ts'
import type { RunTrigger, SyncRun } from './run.ts'
import { cancelRequested } from './store.ts'
import { announcementOf, type Told } from './told.ts'

/** One run has so many more askers at most; whoever comes after them finds the end in the history. */
const alsoAskedMax = 20
/**
 * A running run is locked for moments, also where a machine is slow, but by its end, which may take seconds: nobody waits
 * longer for that. Who has locked the instance, which the end needs, gives way before Postgres looks for deadlocks, after 1 s.
 */
const lockedMs = { manual: 2_000, afterChange: 200 }

interface Telling {
  now: Date
  ring: Ring
}

/** Of an initial sync its asker hears by the announcement, and directly only by asking once more. */
const hears = (by: string) =>
  sql`(${by} = any(also_asked) or (requested_by is not distinct from ${by} and trigger <> 'initial'))`
const withAsker = (by: string): SQL => sql`case
  when ${hears(by)} or cardinality(also_asked) >= ${alsoAskedMax} then also_asked else also_asked || ${by}::text end`

/**
 * This person hears the end of an open run, too; one that is due goes before the rest of its line, and one that only the
 * schedule has asked for is theirs. Locks its row: the line, if it waits in one, is locked after it. False: so many hear it
 * already. Undefined: it has ended, or is being ended.
 */
export async function joinRun(
  tx: Tx,
  run: Pick<SyncRun, 'id' | 'state'>,
  asker: Asker,
): Promise<boolean | undefined> {
  // It may be claimed just now; who holds its row (a claim, an edit, another asker) is done within moments.
  const waiting = run.state === 'requested' ? await joinRequested(tx, run.id, asker) : undefined
  return waiting ?? joinRunning(tx, run.id, asker)
}

export interface Asker {
  trigger: RunTrigger
  by: string
  now: Date
  /** The vendor's host, where the instance may have another one by now. */
  host?: string
}

type Joined = { hears: boolean }

async function joinRequested(
  tx: Tx,
  runId: string,
  { trigger, by, now, host }: Asker,
): Promise<boolean | undefined> {
  // Decided by the row as it is once it is locked: somebody else may have made it theirs.
  const rows = await tx.execute<Joined>(sql`
    update sync_run set urgent = urgent or due_at <= ${now.toISOString()}, host = coalesce(${host ?? null}, host),
      trigger = case trigger when 'scheduled' then ${trigger} else trigger end,
      requested_by = case trigger when 'scheduled' then ${by} else requested_by end,
      also_asked = case trigger when 'scheduled' then also_asked else ${withAsker(by)} end
    where id = ${runId} and state = 'requested' returning ${hears(by)} as hears`)
  return rows[0]?.hears
}

async function joinRunning(tx: Tx, runId: string, { trigger, by }: Asker): Promise<boolean | undefined> {
  const ms = trigger === 'manual' ? lockedMs.manual : lockedMs.afterChange
  try {
    return await tx.transaction(async inner => {
      await inner.execute(sql`select set_config('lock_timeout', ${`${ms}ms`}, true)`)
      const rows = await inner.execute<Joined>(sql`
        update sync_run set also_asked = ${withAsker(by)}
        where id = ${runId} and state = 'running' returning ${hears(by)} as hears`)
      await inner.execute(sql`select set_config('lock_timeout', '0', true)`)
      return rows[0]?.hears
    })
  } catch (error) {
    if (isLockTimeout(error)) return undefined
    throw error
  }
}

/** Who asked for it and hears that directly: of an initial sync everybody is told by its announcement. */
function firstOf({ trigger, requestedBy, progressId }: SyncRun): string | null {
  return trigger === 'initial' && progressId === null ? null : requestedBy
}

/** How it ended, to each of its askers: one edit of the message that shows how far it is, where there is one. */
export async function tellAskers(
  tx: Tx,
  { now, ring }: Telling,
  run: SyncRun,
  instance: Instance,
  told: Told,
): Promise<void> {
  const askers = new Map(run.alsoAsked.map(userId => [userId, null as string | null]))
  const first = firstOf(run)
  if (first !== null) askers.set(first, run.progressId)
  const tellings = [...askers].map(([userId, edits]) => ({
    announcement: announcementOf(instance, 'run-ended', told, { at: now, actor: userId }),
    ...{ teamId: instance.teamId, userId, key: newId(), edits },
  }))
  await tellPeople(tx, tellings, { now, ring })
}

/** A run has ended before it brought anything in: its askers hear that, and what comes next. */
async function tellStopped(
  tx: Tx,
  telling: Telling,
  run: SyncRun,
  instance: Instance,
  next: string,
): Promise<void> {
  if (firstOf(run) === null && run.alsoAsked.length === 0) return
  const users = (await usersOf(tx, [instance.id])).get(instance.id) ?? 0
  const told = { users, lastSuccessAt: instance.lastSuccessAt, stopped: true as const, next }
  await tellAskers(tx, telling, run, instance, told)
}

/** The runs of this instance that wait for a worker are not needed any more. */
export async function cancelWaiting(
  tx: Tx,
  telling: Telling,
  instance: Instance,
  next: string,
): Promise<void> {
  for (const run of await cancelRequested(tx, instance.id, telling.now))
    await tellStopped(tx, telling, run, instance, next)
}

/**
 * This run has been cancelled, `because`. Where a newer one takes its place, who waits for this one waits for that one; else
 * they hear that it was stopped. The caller holds the instance's lock.
 */
export async function handOn(
  tx: Tx,
  telling: Telling,
  run: SyncRun,
  instance: Instance,
  because: string,
): Promise<void> {
  const [newer] = await tx.execute<{ id: string }>(
    sql`select id from sync_run where instance_id = ${instance.id} and state = 'requested'`,
  )
  const waits = async (by: string) =>
    newer !== undefined &&
    (await joinRequested(tx, newer.id, { trigger: 'manual', by, now: telling.now })) === true
  const first = firstOf(run)
  const goesOn = first !== null && (await waits(first))
  // Its message would say for ever how far it was.
  const requestedBy = goesOn && run.progressId === null ? null : first
  const alsoAsked: string[] = []
  for (const userId of run.alsoAsked) if (!(await waits(userId))) alsoAsked.push(userId)
  const next = [because, newer ? 'A newer sync of the instance takes its place.' : '']
    .filter(Boolean)
    .join(' ')
  await tellStopped(tx, telling, { ...run, requestedBy, alsoAsked }, instance, next)
}
