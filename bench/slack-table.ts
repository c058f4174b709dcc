// The table of bench:slack: medians over the rounds, the longest of all, and which aims were met.
import type { LoopDelay } from './slack-parts.ts'
import type { Synced } from './slack-syncs.ts'

/** Milliseconds of each request of one round, and requests a second. */
export interface Measured {
  /** A bare Bolt app acknowledges an empty command. */
  bolt: number[]
  /** `/saasm help` is acknowledged. */
  help: number[]
  /** Slack is asked to open Edit Instance, and then to draw it. */
  edit: number[]
  drawn: number[]
  perSecond: { bolt: number; help: number }
}

export interface Round {
  idle: Measured
  syncing: Measured
  loop?: LoopDelay
  synced?: Synced
}

type Kind = Exclude<keyof Measured, 'perSecond'>

const labels = {
  bolt: 'bare Bolt, an empty command: acknowledged',
  help: '/saasm help: acknowledged',
  edit: 'Edit Instance: its window asked for',
  drawn: 'Edit Instance: its window drawn',
} as const satisfies Record<Kind, string>

export function print(rounds: readonly Round[]): void {
  for (const state of ['idle', 'syncing'] as const) {
    line(state === 'idle' ? 'idle' : 'while syncing', 'p50', 'p99', 'max', 'a second')
    for (const kind of Object.keys(labels) as Kind[]) {
      const each = (share: number) => ms(over(rounds, state, kind, share))
      const rate = kind === 'bolt' || kind === 'help' ? rateOf(rounds, state, kind).toFixed(0) : ''
      line(`  ${labels[kind]}`, each(0.5), each(0.99), ms(longest(rounds, state, kind)), rate)
    }
  }
  const ratio = over(rounds, 'idle', 'help', 0.99) / over(rounds, 'idle', 'bolt', 0.99)
  const syncing = (kind: Kind) => over(rounds, 'syncing', kind, 0.99)
  say(`p50 and p99: medians of the rounds; max: the longest of all`)
  say(`p99 idle: ${ratio.toFixed(2)} x bare Bolt (aim 1.5: ${verdict(ratio <= 1.5)})`)
  for (const kind of ['help', 'edit'] as const)
    say(
      `p99 while syncing, ${labels[kind]}: ${ms(syncing(kind))} (aim 100 ms: ${verdict(syncing(kind) < 100)})`,
    )
  const loops = rounds.flatMap(({ loop }) => loop ?? [])
  const [most, usual] = [Math.max(...loops.map(l => l.maxMs)), median(loops.map(l => l.p99Ms))]
  say(`the event loop was held up for ${ms(usual)} in 99 of 100 turns while syncing, ${ms(most)} at most`)
  const synced = rounds.flatMap(one => one.synced ?? [])
  const [ended, atOnce] = [
    synced.reduce((sum, { ended }) => sum + ended, 0),
    median(synced.map(s => s.atOnce)),
  ]
  say(`${ended} syncs have ended; ${atOnce.toFixed(1)} at once while it was measured`)
}

/** A share of the sorted samples of each round, and of these the median. */
function over(rounds: readonly Round[], state: 'idle' | 'syncing', kind: Kind, share: number): number {
  return median(
    rounds.map(round => {
      const sorted = round[state][kind].toSorted((a, b) => a - b)
      return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0
    }),
  )
}

function longest(rounds: readonly Round[], state: 'idle' | 'syncing', kind: Kind): number {
  return Math.max(...rounds.flatMap(round => round[state][kind]))
}

function rateOf(rounds: readonly Round[], state: 'idle' | 'syncing', kind: 'bolt' | 'help'): number {
  return median(rounds.map(round => round[state].perSecond[kind]))
}

function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? 0
}

function line(first: string, ...cells: readonly string[]): void {
  say(`${first.padEnd(46)}${cells.map(cell => cell.padStart(11)).join('')}`)
}

function say(text: string): void {
  process.stdout.write(`${text}\n`)
}

const ms = (value: number) => `${value.toFixed(1)} ms`

const verdict = (met: boolean) => (met ? 'met' : 'MISSED')
