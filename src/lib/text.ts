// Text at the border: cleaned before it is stored, cut by code point before it is shown.

/** Most text at the border is this, and has nothing to be cleaned of. */
const plain = /^[ -~]*$/

/** Strip U+0000 and lone surrogates (Postgres refuses both, 22P05), normalise to NFC, cut to `maxCodePoints`. */
export function cleanText(text: string, maxCodePoints: number): string {
  if (text.length <= maxCodePoints && plain.test(text)) return text
  const clean = text.replaceAll('\0', '').toWellFormed().replaceAll('\uFFFD', '')
  return clampText(clean.normalize('NFC'), maxCodePoints)
}

/** Cut to at most `maxCodePoints` Unicode code points, the last one an ellipsis when something was cut. */
export function clampText(text: string, maxCodePoints: number): string {
  if (text.length <= maxCodePoints) return text
  const points = Array.from(text)
  return points.length <= maxCodePoints ? text : `${points.slice(0, maxCodePoints - 1).join('')}…`
}

/** How many Unicode code points `text` has: the unit of Slack's limits. */
export function codePoints(text: string): number {
  return Array.from(text).length
}

/** `1 person`, `2 people`: a count with its word. */
export function count(n: number, one: string, many: string): string {
  return `${n.toLocaleString('en-US')} ${n === 1 ? one : many}`
}
