// Rows that go into a table while more of them are made: one COPY after the other, some way behind who makes them.
import type { Sql } from 'postgres'
import { type BinaryRows, binaryEnd, binaryStart } from './binary.ts'
import { openCopy } from './copy.ts'

/** COPYs under way: their connection answers nothing else before they have ended. */
export interface Copies {
  /** Postgres takes rows; whoever makes them faster than it takes them gains nothing by not waiting. Throws what it says. */
  opened(): Promise<void>
  /** Begin to send what there is of the rows; resolves when there is room for more. Throws what Postgres has said of earlier ones. */
  send(): Promise<void>
  /** Send what there is; resolves when all rows are in. Throws as `send` does. */
  end(): Promise<void>
  /** Nothing more comes; throws nothing. The transaction must be rolled back. */
  cancel(): Promise<void>
}

/**
 * A COPY takes so many bytes. At the end of each Postgres checks foreign keys, which is a third of its work for a row: what
 * makes the rows goes on meanwhile.
 */
const bytesACopy = 1_000_000
/** So many bytes may wait for Postgres: what is made while it checks. */
const bytesAheadMax = 500_000

/** `into` is a table with its columns. The first COPY is asked for at once, each later one behind the one before. */
export function createCopies(sql: Sql, into: string, rows: BinaryRows): Copies {
  const open = async () => {
    const opened = await openCopy(sql, into, 'binary')
    opened.write(binaryStart).catch(() => {})
    return opened
  }
  let copy = open()
  copy.catch(() => {})
  let copied = 0
  let ending = Promise.resolve()
  const underWay: Promise<void>[] = []
  let [last, ahead] = [Promise.resolve(), 0]
  let failed: { error: unknown } | undefined
  const close = async (goOn: boolean) => {
    // What it says comes first: whatever was asked for behind it is refused with it.
    await ending
    const opened = await copy
    await opened.write(binaryEnd)
    ending = opened.end()
    ending.catch(() => {})
    if (!goOn) return
    copy = open()
    copy.catch(() => {})
    copied = 0
  }
  const put = async (bytes: Uint8Array) => {
    await ending
    await (await copy).write(bytes)
    rows.free(bytes)
    underWay.shift()
    ahead -= bytes.length
    copied += bytes.length
    if (copied >= bytesACopy) await close(true)
  }
  const send = () => {
    if (rows.length === 0) return
    const bytes = rows.take()
    ahead += bytes.length
    last = last.then(() => put(bytes))
    last.catch(error => {
      failed ??= { error }
    })
    underWay.push(last)
  }
  return {
    async opened() {
      await copy
    },
    async send() {
      if (failed) throw failed.error
      send()
      while (ahead > bytesAheadMax) await underWay[0]
    },
    async end() {
      send()
      await last
      await close(false)
      await ending
    },
    async cancel() {
      // One that waits for rows hears of it at once; one that was asked for behind it, when that has ended.
      const opened = await copy.catch(() => undefined)
      await opened?.cancel()
      await last.catch(() => {})
    },
  }
}
