// Agenda as a tool: a clock and a doorbell. Jobs carry no data but what to look at; losing one loses nothing.
import { Agenda } from 'agenda'
import type { Log } from '../lib/log.ts'
import { type JobStore, type OpenStore, openStore } from './backend.ts'
import { createDrain, type Drain } from './drain.ts'

/** What a ring says: look for due work of this kind now. */
export type Bell = 'sync' | 'removal' | 'deliver'
/** Ring after a commit; never throws, never waits: a lost ring costs a sweep's interval. */
export type Ring = (bell: Bell) => void

/** Milliseconds until the next work of a kind falls due (its time, or the end of a dead worker's lease); undefined: none will. */
export type NextDue = () => Promise<number | undefined>

/** Does all work that is due, then resolves; stops early when the signal says so. Called again for each ring. */
export type Handler = (signal: AbortSignal) => Promise<void>

export interface JobsOptions {
  store: JobStore
  log: Log
  /** Unique to this process. */
  name: string
  sweepEveryMs: number
  /** Absent in a process that does no work: it only rings. */
  handlers: Readonly<Record<Bell | 'sweep', Handler>> | null
  /** Asked after each look: what falls due within a sweep's interval is looked at on time. */
  nextDue?: Readonly<Partial<Record<Bell, NextDue>>>
  /** Told of a ring while the handler of that bell is still at work. */
  nudges?: Readonly<Partial<Record<Bell, () => void>>>
}

export interface Jobs {
  ring: Ring
  /** Resolves at once when the store is down: it is tried again until it answers or `stop`. */
  start(): Promise<void>
  /** Take nothing new and wait for what runs, `graceMs` at most. */
  stop(graceMs: number): Promise<void>
  /** The store answers and the clock runs. */
  ready(): Promise<boolean>
}

const retryEveryMs = 2_000
/** This many sweeps in a row may be missing before the recurring job is made again. */
const sweepsMissedMax = 2
/** A handler only wakes a drain, which takes no time: a lock that lives this long is a dead process's. */
const lockLifetimeMs = 30_000

export function createJobs(options: JobsOptions): Jobs {
  const { log, handlers } = options
  const stopping = new AbortController()
  const timers = new Map<Bell | 'sweep', NodeJS.Timeout>()
  const drains = handlers ? drainsOf(alarmed(handlers), options, stopping.signal) : null
  let open: { store: OpenStore; agenda: Agenda } | undefined
  let retry: NodeJS.Timeout | undefined
  let watchdog: NodeJS.Timeout | undefined
  let sweptAt = Date.now()

  /** The same handlers, each of which is looked at again when the next of its work falls due, and once in a sweep's interval. */
  function alarmed(all: Readonly<Record<Bell | 'sweep', Handler>>): Record<Bell | 'sweep', Handler> {
    const withAlarm =
      (bell: Bell): Handler =>
      async signal => {
        await all[bell](signal)
        const ms = await options.nextDue?.[bell]?.()
        clearTimeout(timers.get(bell))
        if (signal.aborted) return
        // Of several workers one hears a sweep, and a store may keep the rings: each looks by itself as often.
        const soonestMs = Math.min(ms ?? options.sweepEveryMs, options.sweepEveryMs)
        timers.set(
          bell,
          setTimeout(() => drains?.[bell].wake(), soonestMs + 20),
        )
      }
    return {
      sweep: all.sweep,
      sync: withAlarm('sync'),
      removal: withAlarm('removal'),
      deliver: withAlarm('deliver'),
    }
  }

  async function connect(): Promise<void> {
    const store = await openStore(options.store, log)
    const agenda = new Agenda({
      backend: store.backend,
      name: options.name,
      // Postgres notifies of a ring; MongoDB is asked for it.
      processEvery: Math.min(options.sweepEveryMs, options.store.kind === 'mongo' ? 1_000 : 5_000),
      defaultLockLifetime: lockLifetimeMs,
      defaultConcurrency: 2,
      defaultLockLimit: 2,
      maxConcurrency: 20,
      removeOnComplete: true,
    })
    agenda.on('error', error => log.warn({ reason: error.message }, 'The job store did not answer'))
    if (drains) {
      agenda.define('sweep', async () => {
        sweptAt = Date.now()
        drains.sweep.wake()
      })
      agenda.define<{ bell: Bell }>(
        'ring',
        async job => {
          drains[job.attrs.data.bell]?.wake()
        },
        { concurrency: 10, lockLimit: 10 },
      )
    }
    try {
      await agenda.ready
      // A process that only rings starts too: without it nobody would be notified, only polled for.
      await agenda.start()
      if (drains) await agenda.every(options.sweepEveryMs, 'sweep')
    } catch (error) {
      // The next attempt opens one of its own: left open, they would take every connection that Postgres has.
      await agenda.stop(false).catch(() => {})
      await store.close().catch(() => {})
      throw error
    }
    open = { store, agenda }
  }

  /**
   * The recurring job can be lost with the store's rows, or be stuck, or the store is away: then it is made again, and the
   * work is looked at from here. Of several processes only one hears a sweep: the others do so now and then as well.
   */
  function watch(sweep: Drain): void {
    watchdog = setInterval(() => {
      if (Date.now() - sweptAt < sweepsMissedMax * options.sweepEveryMs) return
      sweptAt = Date.now()
      log.info({}, 'The sweep did not come here; it is made again')
      sweep.wake()
      open?.agenda
        .every(options.sweepEveryMs, 'sweep')
        .catch(error => log.warn({ reason: String(error) }, 'The job store did not take the sweep'))
    }, options.sweepEveryMs)
  }

  async function tryToConnect(): Promise<void> {
    try {
      await connect()
    } catch (error) {
      log.warn({ reason: String(error) }, 'The job store does not answer yet; trying again')
      if (!stopping.signal.aborted) retry = setTimeout(() => void tryToConnect(), retryEveryMs)
    }
  }

  return {
    async start() {
      if (drains) watch(drains.sweep)
      await tryToConnect()
    },
    ring(bell) {
      if (stopping.signal.aborted) return
      // Without the store this process looks by itself, and a process that only chats leaves it to a sweep.
      if (!open) return drains?.[bell].wake()
      open.agenda.now('ring', { bell }).catch(error => {
        log.warn({ reason: String(error), bell }, 'A ring was lost; the sweep will find the row')
        drains?.[bell].wake()
      })
    },
    async ready() {
      if (!open) return false
      await open.store.ping()
      return true
    },
    async stop(graceMs) {
      clearTimeout(retry)
      clearInterval(watchdog)
      for (const timer of timers.values()) clearTimeout(timer)
      stopping.abort(new Error('saasm is stopping'))
      await open?.agenda
        .stop(false)
        .catch(error => log.warn({ reason: String(error) }, 'The job store did not hear the stop'))
      const idle = Promise.all(Object.values(drains ?? {}).map(drain => drain.idle()))
      let timer: NodeJS.Timeout | undefined
      await Promise.race([idle, new Promise(done => (timer = setTimeout(done, graceMs)))])
      clearTimeout(timer)
      await open?.store.close().catch(() => {})
    },
  }
}

function drainsOf(
  handlers: Readonly<Record<Bell | 'sweep', Handler>>,
  { log, nudges = {} }: Pick<JobsOptions, 'log' | 'nudges'>,
  signal: AbortSignal,
): Record<Bell | 'sweep', Drain> {
  const drainOf = (name: Bell | 'sweep') =>
    createDrain(
      () => handlers[name](signal),
      error =>
        log.error({ err: error, work: name }, 'Due work could not be looked at; the next sweep looks again'),
      name === 'sweep' ? undefined : nudges[name],
    )
  return {
    sweep: drainOf('sweep'),
    sync: drainOf('sync'),
    removal: drainOf('removal'),
    deliver: drainOf('deliver'),
  }
}
