// Chunks: people listed next to each other, known again by one digest, so that nobody of them has to be asked about.
import type { Account } from '../connectors/account.ts'
import { fnvPrime, fnvStart, isLast } from '../connectors/cut-list.ts'
import { digestOf, textCell, textOf } from './row.ts'

/** People in the vendor's order, and what is to be known of them. */
export interface Chunk {
  accounts: readonly Account[]
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
 * Cut a list where its ids say so, wherever the vendor's pages end: who is added, removed or changed alters their own chunk
 * and at most a few after it, whatever comes before and behind.
 */
export function createCutter(): Cutter {
  let accounts: Account[] = []
  let texts: string[] = []
  const end = () => {
    if (accounts.length === 0) return undefined
    const chunk = { accounts, texts }
    accounts = []
    texts = []
    return chunk
  }
  return {
    push(account) {
      accounts.push(account)
      texts.push(textOf(account))
      return isLast(sumOf(account.externalId), accounts.length) ? end() : undefined
    },
    end,
  }
}

/** These people as one chunk. */
export function chunkOf(accounts: readonly Account[]): Chunk {
  return { accounts, texts: accounts.map(textOf) }
}

/** Of everybody in it, and everything that is stored of them: 22 characters. */
export function digestOfChunk({ accounts, texts }: Chunk): string {
  let lines = ''
  for (let at = 0; at < texts.length; at += 1)
    lines += `${textCell(accounts[at]?.externalId ?? '')}\t${texts[at]}\n`
  return digestOf(lines)
}

function sumOf(id: string): number {
  let sum = fnvStart
  for (let at = 0; at < id.length; at += 1) sum = Math.imul(sum ^ id.charCodeAt(at), fnvPrime)
  return sum
}
