// The words after /saasm: the first says what, the rest says which.

export interface ParsedWords {
  /** Lower case; '' when nothing was said. */
  word: string
  /** Trimmed, at most 255 code points, inner spaces single. */
  rest: string
}

const wordsMax = 255

export function parseWords(typed: string): ParsedWords {
  const words = Array.from(typed.normalize('NFC')).slice(0, wordsMax).join('').trim().split(/\s+/)
  const [word = '', ...rest] = words
  return { word: word.toLowerCase(), rest: rest.join(' ').replace(/^["'“”‘’](.*)["'“”‘’]$/u, '$1') }
}

/** The known words nearest to what was typed, the nearest first; [] when none is near. */
export function nearest(typed: string, known: readonly string[], limit = 3): string[] {
  const wanted = typed.slice(0, 40)
  return known
    .map(word => ({
      word,
      far: word.startsWith(wanted) || wanted.startsWith(word) ? 0 : distance(wanted, word),
    }))
    .filter(({ word, far }) => far <= Math.max(2, Math.floor(word.length / 2)))
    .toSorted((a, b) => a.far - b.far)
    .slice(0, limit)
    .map(({ word }) => word)
}

/** Levenshtein's distance: how many letters must be put in, taken out or changed. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, at) => at)
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i]
    for (let j = 1; j <= b.length; j += 1) {
      const change = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min(change, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1))
    }
    row = next
  }
  return row[b.length] ?? 0
}
