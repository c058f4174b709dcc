// CSV as RFC 4180 has it, every cell quoted, and none that a spreadsheet would take for a formula.

/**
 * Lines end in CRLF, and the text begins with a byte order mark, without which Excel reads UTF-8 as something else.
 * A cell that begins with `=`, `+`, `-`, `@`, a tab or a line break gets an apostrophe before it (OWASP ASVS 1.2.10).
 */
export function csvOf(header: string[], rows: Iterable<readonly string[]>): string {
  const lines = [lineOf(header)]
  for (const row of rows) lines.push(lineOf(row))
  return `\uFEFF${lines.join('')}`
}

function lineOf(cells: readonly string[]): string {
  return `${cells.map(cellOf).join(',')}\r\n`
}

function cellOf(cell: string): string {
  const text = cell.replaceAll('\0', '')
  // The full-width forms too: some spreadsheets read them as the plain ones.
  const harmless = /^[=+\-@\t\r\n\uFF1D\uFF0B\uFF0D\uFF20]/.test(text) ? `'${text}` : text
  return `"${harmless.replaceAll('"', '""')}"`
}
