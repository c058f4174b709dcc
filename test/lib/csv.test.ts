// What the CSV writer promises: every cell is read back as it was, and none is a formula.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { csvOf } from '../../src/lib/csv.ts'

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

test('every cell is read back as it was written, whatever it holds, but for the apostrophe before a formula', () => {
  const cell = fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('a,b', '"', '\r\n', '=1+1', ''))
  const cells = fc.array(cell, { minLength: 2, maxLength: 2 })
  fc.assert(
    fc.property(fc.array(cells, { maxLength: 5 }), rows => {
      const plain = rows.map(row => row.map(text => text.replaceAll('\0', '')))
      const back = read(csvOf(['one', 'two'], rows)).map(row => row.map(text => text.replaceAll('\0', '')))
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
  text => {
    expect(read(csvOf(['h'], [[text]]))[1]?.[0]).toBe(`'${text}`)
  },
)

test('a name that only holds such a sign stays as it is', () => {
  expect(csvOf(['name'], [['Jean-Luc +1']])).toBe('\uFEFF"name"\r\n"Jean-Luc +1"\r\n')
})
