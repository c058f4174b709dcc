// Askers: who asked for a run, and who would have and found it there already; each of them hears its end, whatever it is.
import { sql } from 'drizzle-orm'
import { usersOf } from '../accounts/summary.ts'
import { tellPerson } from '../announce/announce.ts'
import type { Tx } from '../db/db.ts'
import type { Instance } from '../instances/instance.ts'
import type { Ring } from '../jobs/jobs.ts'
import { newId } from '../lib/ids.ts'
import type { SyncRun } from './run.ts'
import { cancelRequested } from './store.ts'
import { announcementOf, type Told } from './told.ts'

/** One run has so many more askers at most; whoever comes after them finds the end in the history. */
const alsoAskedMax = 20

interface Telling {
  now: Date
  ring: Ring
}

/**
 * This person hears the end of an open run, too. False: so many hear it already. Undefined: it has ended, or somebody holds
 * its row to end it, which nobody waits for here.
 */
export async function joinRun(tx: Tx, runId: string, by: string): Promise<boolean | undefined> {
  // Of an initial sync its asker hears by the announcement, and directly only by asking once more.
  const asked = sql`(r.requested_by = ${by} and r.trigger <> 'initial')`
  const there = sql`${by} = any(r.also_asked)`
  const rows = await tx.execute<{ hears: boolean }>(sql`
    with open as materialized (
      select id from sync_run where id = ${runId} and state in ('requested', 'running') for no key update skip locked)
    update sync_run r set also_asked = case
      when ${asked} or ${there} or cardinality(r.also_asked) >= ${alsoAskedMax} then r.also_asked
      else r.also_asked || ${by}::text end
    from open where r.id = open.id returning coalesce(${asked}, false) or ${there} as hears`)
  return rows[0]?.hears
}

/** Who asked for it and hears that directly: of an initial sync everybody is told by its announcement. */
function firstOf({ trigger, requestedBy, progressId }: SyncRun): string | null {
  return trigger === 'initial' && progressId === null ? null : requestedBy
}

/** How it ended, to each of its askers; not to `except`, who has ended it, unless a message shows them how far it is. */
export async function tellAskers(
  tx: Tx,
  { now, ring }: Telling,
  run: SyncRun,
  instance: Instance,
  told: Told,
  except?: string,
): Promise<void> {
  const askers = new Map(run.alsoAsked.map(userId => [userId, null as string | null]))
  const first = firstOf(run)
  if (first !== null) askers.set(first, run.progressId)
  for (const [userId, edits] of askers) {
    if (userId === except && edits === null) continue
    const announcement = announcementOf(instance, 'run-ended', told, { at: now, actor: userId })
    const what = { announcement, teamId: instance.teamId, userId, key: newId(), edits }
    await tellPerson(tx, what, { now, ring })
  }
}

/** A run has ended before it brought anything in: its askers hear that, and what comes next. */
export async function tellStopped(
  tx: Tx,
  telling: Telling,
  run: SyncRun,
  instance: Instance,
  { next, except }: { next: string; except?: string },
): Promise<void> {
  if (firstOf(run) === null && run.alsoAsked.length === 0) return
  const users = (await usersOf(tx, [instance.id])).get(instance.id) ?? 0
  const told = { users, lastSuccessAt: instance.lastSuccessAt, stopped: true as const, next }
  await tellAskers(tx, telling, run, instance, told, except)
}

/** The runs of this instance that wait for a worker are not needed any more. */
export async function cancelWaiting(
  tx: Tx,
  telling: Telling,
  instance: Instance,
  { by, next }: { by: string; next: string },
): Promise<void> {
  for (const run of await cancelRequested(tx, instance.id, telling.now))
    await tellStopped(tx, telling, run, instance, { next, except: by })
}

/** A newer run takes the place of this one, which is cancelled: who waits for this one waits for that one. */
export async function handOn(tx: Tx, telling: Telling, run: SyncRun, instance: Instance): Promise<void> {
  const [newer] = await tx.execute<{ id: string }>(sql`
    select id from sync_run where instance_id = ${instance.id} and state in ('requested', 'running') order by requested_at limit 1`)
  const waits = async (userId: string) => newer !== undefined && (await joinRun(tx, newer.id, userId))
  const first = firstOf(run)
  const goesOn = first !== null && (await waits(first))
  // Its message would say for ever how far it was.
  const hears = goesOn && run.progressId === null ? null : first
  const others: string[] = []
  for (const userId of run.alsoAsked) if (!(await waits(userId))) others.push(userId)
  const next = 'A newer sync of the instance takes its place.'
  await tellStopped(tx, telling, { ...run, requestedBy: hears, alsoAsked: others }, instance, { next })
}
