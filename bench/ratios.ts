// The printed table of bench:sync: medians, and each figure as a ratio to the limit it is held against.
import type { Sample } from './sync.ts'

/** Each row, what it is held against, and the aim (ratio at most). */
const rows: { name: string; label: string; against?: string; aim?: number }[] = [
  { name: 'copy', label: 'raw COPY into the final table' },
  { name: 'copy binary', label: 'the same in the binary format', against: 'copy' },
  { name: 'parse', label: 'parse only' },
  { name: 'hash', label: 'parse and hash' },
  { name: 'load', label: 'saasm: first load', against: 'copy', aim: 1.15 },
  { name: 'unchanged', label: 'saasm: unchanged, at once after the load', against: 'hash', aim: 1.3 },
  { name: 'unchanged, settled', label: 'saasm: unchanged', against: 'hash', aim: 1.3 },
  { name: 'delta', label: 'saasm: 1 % added, changed, removed', against: 'hash', aim: 1.5 },
  { name: 'active', label: 'saasm: every last activity changed', against: 'hash' },
  { name: 'remove', label: 'saasm: Delete All Users' },
  { name: 'upsert load', label: 'drizzle upsert, 500 a batch: first load', against: 'copy' },
  { name: 'upsert unchanged', label: 'drizzle upsert: unchanged', against: 'hash' },
]

/** The table for one size, as text: medians of what was sampled. */
export function ratios(people: number, samples: ReadonlyMap<string, readonly Sample[]>): string {
  const medianOf = (name: string, field: keyof Sample) =>
    median((samples.get(name) ?? []).map(one => one[field]))
  const lines = rows
    .filter(({ name }) => samples.has(name))
    .map(({ name, label, against, aim }) => {
      const wall = medianOf(name, 'wallMs')
      const ratio = against ? wall / medianOf(against, 'wallMs') : undefined
      const verdict =
        ratio === undefined || aim === undefined
          ? ''
          : ratio <= aim
            ? `aim ${aim}: met`
            : `aim ${aim}: MISSED`
      return [
        label.padEnd(42),
        `${wall.toFixed(0)} ms`.padStart(9),
        (ratio === undefined || !against ? '' : `${ratio.toFixed(2)} x ${against}`).padStart(13),
        verdict.padEnd(17),
        `${medianOf(name, 'nodeCpuMs').toFixed(0)} ms`.padStart(9),
        `${medianOf(name, 'postgresCpuMs').toFixed(0)} ms`.padStart(9),
        `${medianOf(name, 'peakMb').toFixed(0)} MB`.padStart(7),
        bytes(medianOf(name, 'walBytes')).padStart(10),
        `${medianOf(name, 'loopMs').toFixed(0)} ms`.padStart(7),
        String(samples.get(name)?.length ?? 0).padStart(6),
      ].join('  ')
    })
  const heading = ['', 'wall', 'ratio', '', 'node CPU', 'PG CPU', 'peak', 'WAL', 'loop', 'rounds']
  const widths = [42, 9, 13, 17, 9, 9, 7, 10, 7, 6]
  const head = heading
    .map((word, at) => (at === 3 ? word.padEnd(17) : word.padStart(widths[at] ?? 0)))
    .join('  ')
  const load = medianOf('load', 'walBytes')
  const share = (name: string) => ((100 * medianOf(name, 'walBytes')) / load).toFixed(3)
  const wal = `WAL of an unchanged run: ${share('unchanged')} % of the first load's at once, ${share('unchanged, settled')} % later (aim: 0.1 %)`
  const removed = `Removal: ${((1_000 * people) / medianOf('remove', 'wallMs')).toFixed(0)} people a second, ${(medianOf('remove', 'walBytes') / people).toFixed(0)} bytes of WAL each`
  return `\n${people.toLocaleString('en-US')} people, medians\n${head}\n${lines.join('\n')}\n${wal}\n${removed}\n`
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  const high = sorted[middle] ?? Number.NaN
  return sorted.length % 2 === 1 ? high : ((sorted[middle - 1] ?? Number.NaN) + high) / 2
}

function bytes(n: number): string {
  return n < 10_000
    ? `${n} B`
    : n < 1_000_000
      ? `${(n / 1_000).toFixed(0)} kB`
      : `${(n / 1_000_000).toFixed(1)} MB`
}
