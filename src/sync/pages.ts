// A vendor's pages gathered into batches: small at first, never more than was read before, and never held back for long.
import type { Account } from '../connectors/account.ts'
import type { Cursor, ListedChunk, Page, StreamEnd } from '../connectors/engine.ts'
import type { RowProblem } from '../connectors/rows.ts'
import { peopleOf } from '../connectors/seen.ts'
import { breathe } from '../lib/breath.ts'

export interface Gathered {
  /** Those that are in no chunk. */
  accounts: Account[]
  chunks: ListedChunk[]
  /** In all. */
  people: number
  problems: RowProblem[]
  /** Where the stream goes on after this batch. */
  cursor: Cursor | null
  pages: number
  /** The stream ended by itself with this batch. */
  end?: StreamEnd
  /** The stream threw after this batch, or a stop was asked for. */
  error?: unknown
}

/** People handed on at once, where the vendor's pages are smaller than this. */
const peopleMax = 400
/** What a slow vendor lists is handed on after this. */
const holdMs = 1_000

/** Gather until there is enough to hand on, the stream ends or throws, or the signal says so. Never throws. */
export function gather(
  stream: AsyncGenerator<Page, StreamEnd>,
  signal: AbortSignal,
): () => Promise<Gathered> {
  let handedOn = 0
  let lastAt = performance.now()
  let more = false
  return async () => {
    const batch: Gathered = { accounts: [], chunks: [], people: 0, problems: [], cursor: null, pages: 0 }
    for (;;) {
      try {
        const next = await stream.next()
        if (next.done) return { ...batch, end: next.value }
        take(batch, next.value)
        more = next.value.more ?? false
      } catch (error) {
        return { ...batch, error }
      }
      // A vendor that answers at once would never let a timer or a Slack request through.
      await breathe()
      // An answer that was begun is read to its end: the stream can be gone on with only after that.
      if (signal.aborted && !more) return { ...batch, error: signal.reason }
      const enough = Math.max(1, Math.min(peopleMax, handedOn))
      if (batch.people < enough && performance.now() - lastAt < holdMs) continue
      handedOn += batch.people
      lastAt = performance.now()
      return batch
    }
  }
}

function take(batch: Gathered, page: Page): void {
  for (const account of page.accounts) batch.accounts.push(account)
  for (const chunk of page.chunks ?? []) batch.chunks.push(chunk)
  batch.people += peopleOf(page)
  for (const problem of page.problems) batch.problems.push(problem)
  batch.cursor = page.cursor ?? null
  if (!page.more) batch.pages += 1
}
