// CSV as RFC 4180 has it, every cell quoted, and none that a spreadsheet would take for a formula.
import { breathe } from './breath.ts'

export type Row = readonly string[]

export interface CsvFile {
  bytes: Buffer
  /** Rows in it, the header left out. */
  rows: number
  /** There were more than it may hold. */
  cut: boolean
}

/** 200,000 people; those of the longest names and addresses are fewer. */
const fileMax = { rows: 200_000, bytes: 64 * 1024 * 1024 }

/**
 * Lines end in CRLF, and the file begins with a byte order mark, without which Excel reads UTF-8 as something else.
 * A cell that begins with `=`, `+`, `-`, `@`, a tab or a line break gets an apostrophe before it (OWASP ASVS 1.2.10).
 * Written a page at a time, with a breath now and then: of some hundred rows each, whoever gives them.
 */
export async function csvFile(
  header: Row,
  pages: AsyncIterable<readonly Row[]>,
  max = fileMax,
): Promise<CsvFile> {
  const parts = [Buffer.from(`\uFEFF${lineOf(header)}`)]
  let [rows, size, cut] = [0, 0, false]
  for await (const page of pages) {
    const part = Buffer.from(
      page
        .slice(0, max.rows - rows)
        .map(lineOf)
        .join(''),
    )
    cut = rows + page.length > max.rows || size + part.length > max.bytes
    if (size + part.length > max.bytes) break
    parts.push(part)
    size += part.length
    rows = Math.min(rows + page.length, max.rows)
    if (cut) break
    await breathe()
  }
  return { bytes: Buffer.concat(parts), rows, cut }
}

function lineOf(cells: Row): string {
  return `${cells.map(cellOf).join(',')}\r\n`
}

function cellOf(cell: string): string {
  const text = cell.replaceAll('\0', '')
  // The full-width forms too: some spreadsheets read them as the plain ones.
  const harmless = /^[=+\-@\t\r\n\uFF1D\uFF0B\uFF0D\uFF20]/.test(text) ? `'${text}` : text
  return `"${harmless.replaceAll('"', '""')}"`
}
