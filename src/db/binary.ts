// COPY's binary format: rows as Postgres receives them, which costs it a tenth less than reading them from text.

/** What comes before the first row of a COPY, and after the last one. */
export const binaryStart = Buffer.from('PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0', 'latin1')
export const binaryEnd = Buffer.from('\xff\xff', 'latin1')

/** Rows, cell by cell, each to be begun with how many it has. */
export interface BinaryRows {
  /** How many bytes there are to take. */
  readonly length: number
  row(cells: number): void
  /** A cell as it is sent: its length and its bytes. */
  raw(cell: Uint8Array): void
  text(text: string | null): void
  /** text[], of at most one dimension. */
  texts(texts: readonly string[]): void
  truth(truth: boolean | null): void
  /** bigint: a whole number that is exact in JavaScript. */
  bigint(n: number): void
  /** timestamptz, to the millisecond. */
  moment(date: Date | null): void
  /** What was written since the last time, for the taker to keep. */
  take(): Uint8Array
  /** What was taken is not needed any more: its memory is used again. */
  free(taken: Uint8Array): void
}

const startBytes = 131_072
/** A UTF-16 unit takes at most so many bytes of UTF-8. */
const bytesAUnit = 3
/** Copied by a loop, which is faster than a call into C++ for so few; all else is left to Node. */
const shortUnits = 64
const textOid = 25
/** Postgres counts microseconds from 2000-01-01. */
const epochMs = 946_684_800_000
const twoTo32 = 2 ** 32
/** Its length, and no dimension, no null and the type of its items. */
const emptyArray = Buffer.from([0, 0, 0, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, textOid])

/** Buffers that were freed, for whoever makes rows next: fresh ones had the garbage collector run more often. */
const unused: Buffer[] = []
const unusedMax = 16
const emptyBuffer = () => unused.pop() ?? Buffer.allocUnsafeSlow(startBytes)

export function createBinaryRows(): BinaryRows {
  let bytes = emptyBuffer()
  let at = 0
  const room = (length: number) => {
    if (at + length <= bytes.length) return
    const larger = Buffer.allocUnsafeSlow(Math.max(bytes.length * 2, at + length))
    bytes.copy(larger, 0, 0, at)
    bytes = larger
  }
  const int32 = (n: number) => {
    room(4)
    at = int32At(bytes, at, n)
  }
  const bigint = (n: number) => {
    room(12)
    at = int32At(bytes, at, 8)
    at = int32At(bytes, at, Math.floor(n / twoTo32))
    at = int32At(bytes, at, n)
  }
  const text = (text: string | null) => {
    if (text === null) return int32(-1)
    room(4 + text.length * bytesAUnit)
    const written = textAt(bytes, at + 4, text)
    at = int32At(bytes, at, written) + written
  }
  return {
    get length() {
      return at
    },
    row(cells) {
      room(2)
      bytes[at] = cells >>> 8
      bytes[at + 1] = cells
      at += 2
    },
    raw(cell) {
      room(4 + cell.length)
      at = int32At(bytes, at, cell.length)
      bytes.set(cell, at)
      at += cell.length
    },
    text,
    texts(texts) {
      if (texts.length === 0) {
        room(emptyArray.length)
        bytes.set(emptyArray, at)
        at += emptyArray.length
        return
      }
      const from = at
      int32(0)
      int32(1)
      // No null is among them.
      int32(0)
      int32(textOid)
      int32(texts.length)
      // The first has number 1.
      int32(1)
      for (const one of texts) text(one)
      int32At(bytes, from, at - from - 4)
    },
    truth(truth) {
      if (truth === null) return int32(-1)
      int32(1)
      room(1)
      bytes[at] = truth ? 1 : 0
      at += 1
    },
    bigint,
    moment(date) {
      if (date === null) return int32(-1)
      bigint((date.getTime() - epochMs) * 1_000)
    },
    take() {
      const taken = bytes.subarray(0, at)
      bytes = emptyBuffer()
      at = 0
      return taken
    },
    free(taken) {
      if (taken.buffer.byteLength === startBytes && unused.length < unusedMax)
        unused.push(Buffer.from(taken.buffer))
    },
  }
}

/** Where the next byte goes. What does not fit into 32 bits is cut to its lower ones. */
function int32At(bytes: Buffer, at: number, n: number): number {
  bytes[at] = n >>> 24
  bytes[at + 1] = n >>> 16
  bytes[at + 2] = n >>> 8
  bytes[at + 3] = n
  return at + 4
}

/** How many bytes it took. */
function textAt(bytes: Buffer, at: number, text: string): number {
  const { length } = text
  if (length > shortUnits) return bytes.write(text, at, 'utf8')
  for (let unit = 0; unit < length; unit += 1) {
    const code = text.charCodeAt(unit)
    if (code > 127) return bytes.write(text, at, 'utf8')
    bytes[at + unit] = code
  }
  return length
}
