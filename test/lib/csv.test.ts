// What the CSV writer promises: every cell is read back as it was, and none is a formula.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { beginCsv, type Row } from '../../src/lib/csv.ts'

async function csvOf(header: Row, ...pages: Row[][]) {
  const file = beginCsv(header)
  for (const page of pages) await file.add(page)
  return file.bytes().toString()
}

/** The cells of a CSV text as RFC 4180 reads it. */
function read(text: string): string[][] {
  const rows: string[][] = []
  let row: string[] = []
  for (const [, quoted, end] of text.replace(/^\uFEFF/, '').matchAll(/"((?:[^"]|"")*)"(,|\r\n)/g)) {
    row.push((quoted ?? '').replaceAll('""', '"'))
    if (end === ',') continue
    rows.push(row)
    row = []
  }
  return rows
}

test('every cell is read back as it was written, whatever it holds, but for the apostrophe before a formula', async () => {
  const cell = fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('a,b', '"', '\r\n', '=1+1', ''))
  const cells = fc.array(cell, { minLength: 2, maxLength: 2 })
  await fc.assert(
    fc.asyncProperty(fc.array(cells, { maxLength: 5 }), async rows => {
      const plain = rows.map(row => row.map(text => text.replaceAll('\0', '')))
      const back = read(await csvOf(['one', 'two'], rows)).map(row =>
        row.map(text => text.replaceAll('\0', '')),
      )
      expect(back[0]).toEqual(['one', 'two'])
      const bare = back
        .slice(1)
        .map((row, at) =>
          row.map((text, column) => (text === `'${plain[at]?.[column]}` ? text.slice(1) : text)),
        )
      expect(bare).toEqual(plain)
    }),
  )
})

test.each(['=HYPERLINK("http://x")', '+1', '-1', '@SUM(A1)', '\t=1', '\r=1', '\n=1', '＝1'])(
  'no spreadsheet takes %j for a formula',
  async text => {
    expect(read(await csvOf(['h'], [[text]]))[1]?.[0]).toBe(`'${text}`)
  },
)

test('a name that only holds such a sign stays as it is', async () => {
  expect(await csvOf(['name'], [['Jean-Luc +1']])).toBe('\uFEFF"name"\r\n"Jean-Luc +1"\r\n')
})

test('a file holds whole rows, and no more of them and of bytes than it may', async () => {
  const page = (from: number): Row[] => [0, 1, 2].map(n => [`row ${from + n}`])
  const file = async (max: { rows: number; bytes: number }, ...pages: Row[][]) => {
    const file = beginCsv(['h'], max)
    for (const page of pages) if (!(await file.add(page))) break
    const { rows, cut } = file
    return { rows, cut, last: read(file.bytes().toString()).at(-1)?.[0] }
  }
  const many = [page(0), page(3), page(6)]
  expect(await file({ rows: 9, bytes: 1_000 }, ...many)).toEqual({ rows: 9, cut: false, last: 'row 8' })
  expect(await file({ rows: 8, bytes: 1_000 }, ...many)).toEqual({ rows: 8, cut: true, last: 'row 7' })
  expect(await file({ rows: 6, bytes: 1_000 }, ...many)).toEqual({ rows: 6, cut: true, last: 'row 5' })
  // A row is nine bytes with its quotes and its end.
  expect(await file({ rows: 9, bytes: 60 }, ...many)).toEqual({ rows: 6, cut: true, last: 'row 5' })
  expect(await file({ rows: 9, bytes: 1_000 })).toEqual({ rows: 0, cut: false, last: 'h' })
})
