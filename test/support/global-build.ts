// The built app, for suites that start it as processes of their own. SAASM_TEST_BUILT=1: it is built already, and may be running.
import { execFileSync } from 'node:child_process'

export default function setup() {
  if (process.env.SAASM_TEST_BUILT === '1') return
  execFileSync('npm', ['run', '--silent', 'build'], { stdio: 'pipe' })
}
