// The source of a run: its vendor's stream, from the beginning or from where an earlier claim has stopped, and how far it has come.
import type { Adopted } from '../accounts/pages.ts'
import type { StreamOptions } from '../connectors/engine.ts'
import { ProviderError } from '../connectors/errors.ts'
import { connectorById } from '../connectors/registry.ts'
import type { Instance } from '../instances/instance.ts'
import { type Grant, keeperOf } from './grant.ts'
import { type Gathered, gather } from './pages.ts'
import type { SyncRun } from './run.ts'
import type { Work } from './work.ts'

/** The stream of one claim, and how far the run has come with it. */
export interface Source {
  next(): Promise<Gathered>
  close(): void
  /** Pages of the vendor. */
  pages: number
  people: number
  problems: number
  /** Batches that are staged already. */
  batches: number
  adopted: Adopted | undefined
}

interface From extends Pick<StreamOptions, 'signal' | 'known'> {
  grant: Grant
  adopted: Adopted | undefined
}

/** Ask the vendor from the beginning, or from where what was adopted ends. */
export function openSource(
  work: Work,
  run: SyncRun,
  instance: Instance,
  { signal, grant, adopted, known }: From,
): Source {
  const connector = connectorById(instance.connector)
  if (!connector) throw new Error(`There is no connector ${instance.connector}`)
  const from = adopted?.cursor
  const stream = work.engine.pages(connector, grant.credentials, {
    ...{ signal, from, known, patienceMs: work.patienceMs },
    keep: keeperOf(work, instance, { connector, grant }),
  })
  return {
    next: begun(gather(stream, signal)),
    close: () => void stream.return({ warnings: [], complete: false }).catch(() => {}),
    pages: adopted ? run.pages : 0,
    people: adopted?.people ?? 0,
    problems: adopted?.problems ?? 0,
    batches: adopted?.pages ?? 0,
    adopted,
  }
}

/** The vendor is asked at once, while the database is asked what is known. */
function begun(next: Source['next']): Source['next'] {
  let first: Promise<Gathered> | undefined = next()
  return () => {
    const batch = first ?? next()
    first = undefined
    return batch
  }
}

/** The cursor was too old for the vendor: what it answers to the first request after a stop says so in its own way. */
export function isRefusedCursor({ adopted, people }: Source, error: unknown): boolean {
  if (!adopted || people !== adopted.people || !(error instanceof ProviderError)) return false
  return error.problem === 'settings' || error.problem === 'unreadable'
}

/** As it is said in the run's row. */
export const progressOf = ({ pages, people }: Source) => ({ pages, peopleRead: people })
