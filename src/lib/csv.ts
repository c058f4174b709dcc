// CSV as RFC 4180 has it: written with every cell quoted, and none that a spreadsheet would take for a formula; read a slice at a time.
import { pipeline, Readable } from 'node:stream'
import { type Info, parse } from 'csv-parse'
import { breathe } from './breath.ts'

export type Row = readonly string[]

export interface CsvFile {
  /** Add a page of some hundred rows, and breathe; false: it holds no more. */
  add(page: readonly Row[]): Promise<boolean>
  bytes(): Buffer
  /** Rows in it, the header left out. */
  readonly rows: number
  /** There were more than it may hold. */
  readonly cut: boolean
}

/** 200,000 people; those of the longest names and addresses are fewer. */
const fileMax = { rows: 200_000, bytes: 64 * 1024 * 1024 }

/**
 * Begin a file, to be written a page at a time. Lines end in CRLF, and it begins with a byte order mark, without which Excel
 * reads UTF-8 as something else. A cell that begins with `=`, `+`, `-`, `@`, a tab or a line break gets an apostrophe before
 * it (OWASP ASVS 1.2.10).
 */
export function beginCsv(header: Row, max = fileMax): CsvFile {
  const pieces = [Buffer.from(`\uFEFF${lineOf(header)}`)]
  let [rows, size, cut] = [0, 0, false]
  return {
    async add(page) {
      const piece = Buffer.from(
        page
          .slice(0, max.rows - rows)
          .map(lineOf)
          .join(''),
      )
      const fits = size + piece.length <= max.bytes
      cut ||= !fits || rows + page.length > max.rows
      if (fits) {
        pieces.push(piece)
        size += piece.length
        rows = Math.min(rows + page.length, max.rows)
      }
      await breathe()
      return !cut
    },
    bytes: () => Buffer.concat(pieces),
    get rows() {
      return rows
    },
    get cut() {
      return cut
    },
  }
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

/** Parsed at once. */
const sliceBytes = 32_768

/** The records of a text, with a breath now and then; cells are trimmed, and lines without any left out. Throws CsvError. */
export function csvRecords(text: string, delimiter: string): AsyncIterable<{ record: string[]; info: Info }> {
  const parser = parse({
    bom: true,
    delimiter,
    info: true,
    record_delimiter: ['\r\n', '\n', '\r'],
    relax_column_count: true,
    skip_empty_lines: true,
    trim: true,
  })
  // Whoever reads hears what goes wrong; who stops reading wants to hear nothing.
  return pipeline(Readable.from(slicesOf(text)), parser, () => {})
}

async function* slicesOf(text: string): AsyncGenerator<Buffer> {
  const bytes = Buffer.from(text)
  for (let at = 0; at < bytes.length; at += sliceBytes) {
    yield bytes.subarray(at, at + sliceBytes)
    await breathe()
  }
}
