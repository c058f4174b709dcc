// The random choices of a fault test: drawn from one seed, which is printed, and replayed with SAASM_FAULT_SEED.
import { createHash, randomInt } from 'node:crypto'

export interface Chance {
  /** From 0 up to 1. */
  next(): number
  between(low: number, high: number): number
  pick<T>(from: readonly T[]): T
}

const seedMax = 2 ** 31

/**
 * A stream of random choices. Each name is a stream of its own, so that one's draws do not move another's. What is drawn is
 * the same for a seed; when a process gets to it is the machine's doing.
 */
export function chanceOf(name: string): Chance {
  const seed = Number(process.env.SAASM_FAULT_SEED ?? randomInt(seedMax))
  process.stdout.write(`${name}: SAASM_FAULT_SEED=${seed}\n`)
  let state = createHash('sha256').update(`${seed} ${name}`).digest().readUInt32LE(0)
  // mulberry32, by Tommy Ettinger: 32 bits of state are plenty here.
  const next = () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  return {
    next,
    between: (low, high) => low + next() * (high - low),
    pick<T>(from: readonly T[]): T {
      return from[Math.floor(next() * from.length)] as T
    },
  }
}
