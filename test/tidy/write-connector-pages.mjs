// Writes docs/connectors from the declarations: `npm run connectors:table`.
import { pathToFileURL } from 'node:url'
import { build } from 'esbuild'

const outfile = '.saasm/tidy/connector-pages.mjs'
await build({
  entryPoints: ['test/tidy/connector-pages.ts'],
  outfile,
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node20',
  packages: 'external',
  logLevel: 'error',
})
const { writeConnectorPages } = await import(pathToFileURL(outfile).href)
process.stdout.write(`${writeConnectorPages()} pages written\n`)
