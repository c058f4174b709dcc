// Chunks: people listed next to each other, known again by one digest, so that nobody of them has to be asked about.
import type { Account } from '../connectors/account.ts'
import { digestOf, textCell, textOf } from './row.ts'

/** What is to be known of people, in the vendor's order; accounts themselves are not held on to. */
export interface Chunk {
  ids: string[]
  /** Of each of them, their `textOf`. */
  texts: string[]
}

export interface Cutter {
  /** The next person; the chunk that ends with them, or undefined: it goes on. */
  push(account: Account): Chunk | undefined
  /** Nobody comes after these: what there is of a chunk. */
  end(): Chunk | undefined
}

/**
 * A chunk that has fewer people ends after one id in `earlyEnd`, a larger one after one in `lateEnd`: so that few are very
 * large, in which most of the changes would be. They come to some eight people: fewer are much to remember, more are much to
 * ask about for one who has changed.
 */
const peopleLate = 8
const earlyEnd = 16
const lateEnd = 4
/** It ends here in any case. */
const peopleMax = 64

/**
 * Cut a list where its ids say so, wherever the vendor's pages end: who is added, removed or changed alters their own chunk
 * and at most a few after it, whatever comes before and behind.
 */
export function createCutter(): Cutter {
  let ids: string[] = []
  let texts: string[] = []
  const end = () => {
    if (ids.length === 0) return undefined
    const chunk = { ids, texts }
    ids = []
    texts = []
    return chunk
  }
  return {
    push(account) {
      ids.push(account.externalId)
      texts.push(textOf(account))
      const many = ids.length
      const ends = sumOf(account.externalId) % (many < peopleLate ? earlyEnd : lateEnd) === 0
      return ends || many === peopleMax ? end() : undefined
    },
    end,
  }
}

/** Of everybody in it, and everything that is stored of them: 22 characters. */
export function digestOfChunk({ ids, texts }: Chunk): string {
  let lines = ''
  for (let at = 0; at < texts.length; at += 1) lines += `${textCell(ids[at] ?? '')}\t${texts[at]}\n`
  return digestOf(lines)
}

/** FNV-1a, 32 bits, mixed as MurmurHash3 ends: without that the last letters say little. */
function sumOf(id: string): number {
  let sum = 0x811c9dc5
  for (let at = 0; at < id.length; at += 1) sum = Math.imul(sum ^ id.charCodeAt(at), 0x01000193)
  sum = Math.imul(sum ^ (sum >>> 16), 0x85ebca6b)
  sum = Math.imul(sum ^ (sum >>> 13), 0xc2b2ae35)
  return (sum ^ (sum >>> 16)) >>> 0
}
