// How far a run or a removal is, shown to who asked for it in one message while it goes on; read from the row, so that a restart goes on with it.
import { usersOf } from '../accounts/summary.ts'
import { tellPerson } from '../announce/announce.ts'
import type { Announcement, Progress } from '../announce/announcement.ts'
import type { Instance } from '../instances/instance.ts'
import { newId } from '../lib/ids.ts'
import type { Removal } from './removal.ts'
import { removalById } from './removals.ts'
import type { SyncRun } from './run.ts'
import { nameProgress, runById } from './store.ts'
import { announcementOf } from './told.ts'
import type { Work } from './work.ts'

export interface Shown {
  /** Stop showing it; resolves when no edit is under way, so that the end is the last one. */
  stop(): Promise<void>
}

/** What somebody asked for with Sync now is shown after this long; other work that somebody set off, after the second. */
const askedAfterMs = 3_000
const otherAfterMs = 10_000
/** Between two edits of one message. */
const everyMs = 3_000

/** One thing that goes on. */
interface Going {
  kind: 'run' | 'removal'
  id: string
  fence: number
  progressId: string | null
  by: string
  doing: Progress['doing']
  afterMs: number
  /** The last known count. */
  of(): Promise<number | null>
  /** How many so far; undefined: it is no longer ours, or has ended. */
  done(): Promise<number | undefined>
}

export function showRun(work: Work, run: SyncRun, instance: Instance): Shown {
  const { conn } = work.db
  if (run.requestedBy === null) return nothing
  return show(work, instance, {
    kind: 'run',
    id: run.id,
    fence: run.fence,
    progressId: run.progressId,
    by: run.requestedBy,
    doing: 'sync',
    afterMs: run.trigger === 'manual' ? askedAfterMs : otherAfterMs,
    of: async () => (await usersOf(conn, [instance.id])).get(instance.id) ?? null,
    async done() {
      const now = await runById(conn, run.id)
      return now?.state === 'running' && now.fence === run.fence ? now.peopleRead : undefined
    },
  })
}

export function showRemoval(work: Work, removal: Removal, instance: Instance): Shown {
  const { conn } = work.db
  return show(work, instance, {
    kind: 'removal',
    id: removal.id,
    fence: removal.fence,
    progressId: removal.progressId,
    by: removal.requestedBy,
    doing: removal.kind === 'instance' ? 'instance-deletion' : 'users-deletion',
    afterMs: askedAfterMs,
    of: async () => removal.total,
    async done() {
      const now = await removalById(conn, removal.id)
      return now?.state === 'running' && now.fence === removal.fence ? now.removed : undefined
    },
  })
}

const nothing: Shown = { stop: async () => {} }

function show(work: Work, instance: Instance, going: Going): Shown {
  const stopping = new AbortController()
  const ended = tell(work, instance, going, stopping.signal).catch(error => {
    if (!stopping.signal.aborted)
      work.log.warn({ reason: String(error), id: going.id }, 'Progress is not shown')
  })
  return {
    async stop() {
      stopping.abort(new Error('It has ended'))
      await ended
    },
  }
}

async function tell(work: Work, instance: Instance, going: Going, signal: AbortSignal): Promise<void> {
  const { clock } = work
  if (going.progressId === null) await clock.sleep(going.afterMs, signal)
  const of = await going.of()
  const first = { at: clock.now().getTime(), done: (await going.done()) ?? 0 }
  const told = (done: number): Announcement => {
    const minutes = (clock.now().getTime() - first.at) / 60_000
    // A pace of less than a few seconds says nothing.
    const perMinute = minutes > 0.04 && done > first.done ? Math.round((done - first.done) / minutes) : null
    return progressOf(
      instance,
      { doing: going.doing, done, of, perMinute },
      { at: clock.now(), actor: going.by },
    )
  }
  const id = going.progressId ?? (await begin(work, instance, going, told(first.done)))
  if (id === undefined) return
  for (;;) {
    await clock.sleep(everyMs, signal)
    const done = await going.done()
    if (done === undefined) return
    await work.showProgress(id, told(done))
  }
}

/** Write the message down for the outbox and for the row, both or neither; undefined: it has ended meanwhile. */
function begin(
  work: Work,
  instance: Instance,
  going: Going,
  announcement: Announcement,
): Promise<string | undefined> {
  const key = newId()
  return work.db.transaction(async tx => {
    if (!(await nameProgress(tx, going, key))) return undefined
    const what = { announcement, teamId: instance.teamId, userId: going.by, key }
    await tellPerson(tx, what, { now: work.clock.now(), ring: work.ring })
    return key
  })
}

function progressOf(instance: Instance, progress: Progress, by: { at: Date; actor: string }): Announcement {
  const told = { users: 0, lastSuccessAt: instance.lastSuccessAt, next: 'This message becomes the result.' }
  return { ...announcementOf(instance, 'progress', told, by), progress }
}
