// The import rules bite: one planted fault a rule, in a copy of a tiny house.
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
// @ts-expect-error a plain script without types
import { cruiseHouse } from './imports.mjs'

const planted: [rule: string, path: string, text: string][] = [
  ['downhill-lib', 'src/lib/planted-fault.ts', "import '../chat/gesture.ts'"],
  ['nobody-imports-the-top', 'src/db/planted-fault.ts', "import '../env.ts'"],
  ['sandbox-only-from-main', 'src/chat/planted-fault-b.ts', "import '../sandbox/seed.ts'"],
  ['vendors-are-strangers', 'src/connectors/okta/planted-fault.ts', "import '../github/github.ts'"],
  ['tables-stay-home', 'src/chat/planted-fault.ts', "import '../instances/table.ts'"],
  ['agenda-in-jobs', 'src/sync/planted-fault.ts', "import 'agenda'"],
  ['slack-in-slack', 'src/chat/planted-fault-c.ts', "import '@slack/bolt'"],
  ['postgres-in-db', 'src/instances/planted-fault.ts', "import 'postgres'"],
  ['resend-in-announce', 'src/sync/planted-fault-b.ts', "import 'resend'"],
  ['undici-in-http', 'src/sync/planted-fault-c.ts', "import 'undici'"],
  ['undici-in-http', 'src/connectors/okta/planted-fault-b.ts', "import 'undici'"],
  ['connectors-have-no-network', 'src/connectors/okta/planted-fault-c.ts', "import 'node:https'"],
  ['connectors-have-no-network', 'src/connectors/planted-fault-d.ts', "import 'http'"],
  ['connectors-have-no-network', 'src/connectors/planted-fault-e.ts', "import { connect } from 'node:tls'"],
  ['connectors-have-no-network', 'src/connectors/planted-fault-f.ts', "await import('node:net')"],
  ['connectors-have-no-network', 'src/connectors/planted-fault-g.ts', "import 'node:child_process'"],
  [
    'connectors-have-no-network',
    'src/connectors/planted-fault-h.ts',
    "import { readFile } from 'node:fs/promises'",
  ],
  ['connectors-have-few-packages', 'src/connectors/planted-fault-i.ts', "import 'ws'"],
]

const copy = mkdtempSync(join(tmpdir(), 'saasm-imports-'))
beforeAll(() => {
  cpSync('src', join(copy, 'src'), { recursive: true })
  symlinkSync(resolve('node_modules'), join(copy, 'node_modules'))
  for (const [, path, text] of planted) {
    mkdirSync(dirname(join(copy, path)), { recursive: true })
    writeFileSync(join(copy, path), `// A planted fault.\n${text}\n`)
  }
})
afterAll(() => rmSync(copy, { recursive: true, force: true }))

test('each import rule catches the fault planted for it', async () => {
  const { violations } = await cruiseHouse(
    planted.map(([, path]) => path),
    copy,
  )
  const caught = new Map<string, string[]>()
  for (const { from, rule } of violations) caught.set(from, [...(caught.get(from) ?? []), rule.name])
  for (const [rule, path] of planted) expect(caught.get(path) ?? [], path).toContain(rule)
}, 120_000)
