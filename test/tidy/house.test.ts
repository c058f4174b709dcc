// The house rules that a machine can check: openings, lengths, names, and who reads the environment.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const files = ['src', 'test'].flatMap(root =>
  (readdirSync(root, { recursive: true }) as string[])
    .filter(name => /\.(ts|tsx|mjs)$/.test(name))
    .map(name => join(root, name)),
)
const sources = files.map(path => ({ path, text: readFileSync(path, 'utf8') }))
const ours = sources.filter(({ path }) => path.startsWith('src/'))

/** What reaches a network, or the modules that do, without an import that the import rules would see. */
const globalsThatAsk =
  /(^|[^.\w])(fetch|globalThis|WebSocket|EventSource|XMLHttpRequest|navigator|process|require|createRequire|eval|Function)\b|\bimport\((?!['"])/m

/** Sentences may name what code may not. */
function withoutComments(text: string): string {
  return text.replaceAll(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, '')
}

/** Each rule names the files that break it; the planted text below must be among them. */
const rules: {
  name: string
  breaks: (file: { path: string; text: string }) => boolean
  planted: { path: string; text: string } | { path: string; text: string }[]
}[] = [
  {
    name: 'every file opens with a sentence that says what lives there',
    breaks: ({ text }) => !/^(#!.*\n)?(\/\/|\/\*\*?) ?.{15,}/.test(text),
    planted: { path: 'src/lib/x.ts', text: "import { a } from './a.ts'\n" },
  },
  {
    name: 'no file is longer than 300 lines',
    breaks: ({ text, path }) => path.startsWith('src/') && text.split('\n').length > 301,
    planted: { path: 'src/lib/x.ts', text: '// A file that goes on and on.\n'.repeat(400) },
  },
  {
    name: 'no file has a name that says nothing',
    breaks: ({ path }) =>
      /(^|\/)(utils?|helpers?|common|services?|managers?|handlers?|index)\.tsx?$/.test(path),
    planted: { path: 'src/lib/utils.ts', text: '' },
  },
  {
    name: 'only env.ts and main.ts name process.env',
    breaks: ({ path, text }) =>
      path.startsWith('src/') && !/^src\/(env|main)\.ts$/.test(path) && /process\.env/.test(text),
    planted: { path: 'src/lib/x.ts', text: 'const a = process.env.A' },
  },
  {
    name: 'connectors ask through the one HTTP client',
    breaks: ({ path, text }) =>
      path.startsWith('src/connectors/') &&
      path !== 'src/connectors/http.ts' &&
      globalsThatAsk.test(withoutComments(text)),
    planted: [
      'await fetch(url)',
      'const ask = fetch',
      'await globalThis.fetch(url)',
      "await globalThis['fet' + 'ch'](url)",
      'new WebSocket(url)',
      'new EventSource(url)',
      'new XMLHttpRequest()',
      'navigator.sendBeacon(url)',
      "process.getBuiltinModule('https')",
      "createRequire(import.meta.url)('https')",
      "require('https')",
      "eval('x')",
      "new Function('x')",
      'await import(name)',
    ].map(text => ({ path: 'src/connectors/x/x.ts', text })),
  },
]

test.each(rules)('$name', ({ breaks, planted }) => {
  for (const fault of [planted].flat())
    expect(breaks(fault), `${fault.text.slice(0, 80)} is caught`).toBe(true)
  expect(sources.filter(breaks).map(({ path }) => path)).toEqual([])
})

test('the rules looked at every room', () => {
  expect(ours.length).toBeGreaterThan(60)
})
