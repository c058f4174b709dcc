// Lines of ASCII text in a few large buffers: a million people's chunks as strings would keep the garbage collector busy.

export interface Lines extends Iterable<string> {
  readonly count: number
  /** Its number. */
  push(line: string): number
  /** As many as there are line breaks between them, and one more; of those that are void only the number is kept. */
  pushAll(lines: string, isVoid?: readonly number[]): void
  at(n: number): string
  isVoid(n: number): boolean
  /** Line n without its key. */
  restOf(n: number): string
  /** The number of a line that begins with this key; undefined: there is none. */
  find(key: string): number | undefined
}

const blockBytes = 65_536
const linesMin = 1_024
const lineBreak = 10

/** Lines that begin with a key of so many characters each. */
export function createLines(keyLength: number): Lines {
  const blocks: Buffer[] = []
  /** The block that single lines go to, and how much of it they take. */
  let [open, taken] = [-1, blockBytes]
  let count = 0
  // Of each line: its block, and where it begins and ends there.
  let blockOf = new Uint32Array(linesMin)
  let starts = new Uint32Array(linesMin)
  let ends = new Uint32Array(linesMin)
  /** A line's number + 1 where its key says, or in the next free place; made when it is first asked for. */
  let places: Uint32Array | undefined
  const none = Buffer.alloc(0)
  const bytesOf = (n: number) => blocks[blockOf[n] ?? 0] ?? none
  const isVoid = (n: number) => ends[n] === starts[n]
  const text = (n: number, from: number) => bytesOf(n).toString('latin1', (starts[n] ?? 0) + from, ends[n])
  const note = (block: number, start: number, end: number) => {
    if (count === starts.length) {
      blockOf = grown(blockOf)
      starts = grown(starts)
      ends = grown(ends)
    }
    blockOf[count] = block
    starts[count] = start
    ends[count] = end
    places = undefined
    count += 1
  }
  const index = () => {
    // Every other place is free at least.
    const made = new Uint32Array(Math.max(linesMin, count * 2 + 1))
    for (let n = 0; n < count; n += 1) {
      if (isVoid(n)) continue
      const [bytes, start] = [bytesOf(n), starts[n] ?? 0]
      let sum = 0
      for (let at = start; at < start + keyLength; at += 1) sum = Math.imul(sum, 31) + (bytes[at] ?? 0)
      let place = (sum >>> 0) % made.length
      while (made[place] !== 0) place = (place + 1) % made.length
      made[place] = n + 1
    }
    return made
  }
  const beginsWith = (n: number, key: string) => {
    const [bytes, start] = [bytesOf(n), starts[n] ?? 0]
    for (let at = 0; at < keyLength; at += 1) if (bytes[start + at] !== key.charCodeAt(at)) return false
    return true
  }
  return {
    get count() {
      return count
    },
    push(line) {
      if (taken + line.length > blockBytes) {
        open = blocks.push(Buffer.allocUnsafeSlow(Math.max(blockBytes, line.length))) - 1
        taken = 0
      }
      blocks[open]?.write(line, taken, 'latin1')
      note(open, taken, taken + line.length)
      taken += line.length
      return count - 1
    },
    pushAll(lines, gone = []) {
      const block = Buffer.from(lines, 'latin1')
      blocks.push(block)
      const first = count
      let start = 0
      for (let end = block.indexOf(lineBreak); end >= 0; end = block.indexOf(lineBreak, start)) {
        note(blocks.length - 1, start, end)
        start = end + 1
      }
      note(blocks.length - 1, start, block.length)
      for (const n of gone) ends[first + n] = starts[first + n] ?? 0
    },
    isVoid,
    at: n => text(n, 0),
    restOf: n => text(n, keyLength),
    find(key) {
      places ??= index()
      let sum = 0
      for (let at = 0; at < keyLength; at += 1) sum = Math.imul(sum, 31) + key.charCodeAt(at)
      for (let place = (sum >>> 0) % places.length; ; place = (place + 1) % places.length) {
        const entry = places[place] ?? 0
        if (entry === 0) return undefined
        if (beginsWith(entry - 1, key)) return entry - 1
      }
    },
    *[Symbol.iterator]() {
      for (let n = 0; n < count; n += 1) if (!isVoid(n)) yield text(n, 0)
    },
  }
}

function grown(numbers: Uint32Array): Uint32Array<ArrayBuffer> {
  const more = new Uint32Array(numbers.length * 2)
  more.set(numbers)
  return more
}
