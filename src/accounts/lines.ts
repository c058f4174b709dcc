// Lines of ASCII text in a few large buffers: a million people's chunks as strings would keep the garbage collector busy.

export interface Lines extends Iterable<string> {
  readonly count: number
  /** Its number. A line is longer than a key, and no longer than `blockBytes`. */
  push(line: string): number
  /** Line n without its key. */
  restOf(n: number): string
  /** The number of a line that begins with this key; undefined: there is none. */
  find(key: string): number | undefined
  at(n: number): string
}

const blockBytes = 65_536
/** Of a table in which at least every other place is free. */
const placesMin = 1_024

/** Lines that begin with a key of so many characters each. With `find` a line is found by its key, whose letters must be as good as random. */
export function createLines(keyLength: number): Lines {
  const blocks: Buffer[] = []
  let room = 0
  let count = 0
  // Where each line begins, and where the last one ends; 16 bits are the place in its block.
  let starts = new Uint32Array(placesMin)
  let ends = new Uint32Array(placesMin)
  // A line's number + 1 where its key says, or in the next free place; made when it is first asked for.
  let places: Uint32Array | undefined
  const text = (n: number, from: number) => {
    const start = starts[n] ?? 0
    const block = blocks[Math.floor(start / blockBytes)]
    return block?.toString('latin1', (start % blockBytes) + from, ends[n]) ?? ''
  }
  const placeOf = (key: string, among: number) => {
    let sum = 0
    for (let at = 0; at < keyLength; at += 1) sum = Math.imul(sum, 31) + key.charCodeAt(at)
    return (sum >>> 0) % among
  }
  const enter = (into: Uint32Array, n: number) => {
    let at = placeOf(text(n, 0), into.length)
    while (into[at] !== 0) at = (at + 1) % into.length
    into[at] = n + 1
  }
  const index = () => {
    const made = new Uint32Array(Math.max(placesMin, count * 2 + 1))
    for (let n = 0; n < count; n += 1) enter(made, n)
    return made
  }
  const beginsWith = (n: number, key: string) => {
    const start = starts[n] ?? 0
    const block = blocks[Math.floor(start / blockBytes)]
    if (!block) return false
    for (let at = 0; at < keyLength; at += 1)
      if (block[(start % blockBytes) + at] !== key.charCodeAt(at)) return false
    return true
  }
  return {
    get count() {
      return count
    },
    push(line) {
      if (line.length > room) {
        blocks.push(Buffer.allocUnsafeSlow(blockBytes))
        room = blockBytes
      }
      if (count === starts.length) {
        starts = grown(starts)
        ends = grown(ends)
      }
      const at = blockBytes - room
      blocks.at(-1)?.write(line, at, 'latin1')
      starts[count] = (blocks.length - 1) * blockBytes + at
      ends[count] = at + line.length
      room -= line.length
      count += 1
      places = undefined
      return count - 1
    },
    restOf: n => text(n, keyLength),
    find(key) {
      places ??= index()
      for (let at = placeOf(key, places.length); ; at = (at + 1) % places.length) {
        const entry = places[at] ?? 0
        if (entry === 0) return undefined
        if (beginsWith(entry - 1, key)) return entry - 1
      }
    },
    at: n => text(n, 0),
    *[Symbol.iterator]() {
      for (let n = 0; n < count; n += 1) yield text(n, 0)
    },
  }
}

function grown(numbers: Uint32Array): Uint32Array<ArrayBuffer> {
  const more = new Uint32Array(numbers.length * 2)
  more.set(numbers)
  return more
}
