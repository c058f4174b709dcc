// Builds the sandbox's page into three files: in memory for tests, into dist/sandbox/page when run as a script.
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const here = new URL('./', import.meta.url)

/** @returns {Promise<Map<string, string>>} */
export async function buildPage() {
  const bundle = await build({
    entryPoints: [fileURLToPath(new URL('page.tsx', here))],
    bundle: true,
    minify: true,
    format: 'esm',
    target: 'es2022',
    jsx: 'automatic',
    jsxImportSource: 'preact',
    write: false,
    legalComments: 'none',
  })
  return new Map([
    ['page.html', await readFile(new URL('page.html', here), 'utf8')],
    ['page.css', await readFile(new URL('page.css', here), 'utf8')],
    ['page.js', bundle.outputFiles[0].text],
  ])
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const out = new URL('../../../dist/sandbox/page/', here)
  await mkdir(out, { recursive: true })
  for (const [name, text] of await buildPage()) await writeFile(new URL(name, out), text)
}
