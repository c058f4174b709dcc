// How a person's traces are taken out of stored JSON and text: nothing else in it is touched.

export interface Traces {
  /** In lower case: taken out wherever it stands. */
  email: string
  /** What their accounts were called: taken out where a list holds exactly one of them (people who were missing, say). */
  names: readonly string[]
}

/** What stands where somebody was. */
export const forgotten = '(forgotten)'

/** Not the end of a longer address, which is somebody else’s: `ann@acme.example` is within `joann@acme.example`. */
const noneBefore = "(?<![\\p{L}\\p{N}_]|[\\p{L}\\p{N}_][.+'-])"
/** Nor its beginning: `ann@acme.com.au`. */
const noneAfter = '(?![\\p{L}\\p{N}_]|[.-][\\p{L}\\p{N}])'

/** The same value without the traces; the very same one when there are none. */
export function withoutTraces<T>(value: T, traces: Traces): T {
  const names = new Set(traces.names)
  const address = new RegExp(`${noneBefore}${escapedPattern(traces.email)}${noneAfter}`, 'giu')
  const clean = (node: unknown): unknown => {
    if (typeof node === 'string') return node.replace(address, forgotten)
    if (Array.isArray(node)) {
      const items = node.map(item => (names.has(item) ? forgotten : clean(item)))
      return items.every((item, at) => item === node[at]) ? node : items
    }
    if (node === null || typeof node !== 'object') return node
    const entries = Object.entries(node).map(([key, one]) => [key, clean(one)] as const)
    return entries.every(([key, one]) => one === (node as Record<string, unknown>)[key])
      ? node
      : Object.fromEntries(entries)
  }
  return clean(value) as T
}

function escapedPattern(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\/]/g, '\\$&')
}
