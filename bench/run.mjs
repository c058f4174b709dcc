// Runs a benchmark: bundles its TypeScript into .saasm/bench and starts it with Node, passing on what follows the name.
import { spawn } from 'node:child_process'
import { build } from 'esbuild'

const [name, ...rest] = process.argv.slice(2)
const out = `.saasm/bench/${name}.mjs`
await build({
  entryPoints: [`bench/${name}.ts`],
  outfile: out,
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node20',
  packages: 'external',
  sourcemap: 'inline',
  logLevel: 'error',
})
const child = spawn(process.execPath, ['--enable-source-maps', out, ...rest], { stdio: 'inherit' })
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal))
child.on('exit', code => process.exit(code ?? 1))
